"""The shadow: the newest model that is no champion scores beside it, and nobody acts on what it says."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from ml.fraud.examples import Matrix
from ml.fraud.judging import shadow_scores_of
from ml.fraud.registry import Registered, Registry
from partitions.grain import date_key
from warehouse.errors import ModelError

# Its scores are there to be compared with the champion's, for which older ones are of no use.
SHADOW_DAYS = 90


@dataclass(frozen=True)
class Shadow:
    """`first`: date key of the first day that it scores. Where it does not fit, `problem` says why."""

    version: str
    first: int
    model: Registered | None = None
    problem: str | None = None

    @classmethod
    def of(cls, registry: Registry, newest: date) -> "Shadow | None":
        """The shadow of a registry; it scores the 90 days up to the newest one."""
        version, first = registry.shadow, date_key(newest - timedelta(days=SHADOW_DAYS - 1))
        if version is None:
            return None
        try:
            return cls(version, first, registry.load(version))
        except ModelError as error:
            # What nobody acts on must not keep the champion from its work.
            return cls(version, first, problem=error.message)

    def scores_of(self, rows: pl.DataFrame, matrix: Matrix, scored_at: datetime) -> pl.DataFrame | None:
        """Rows of `ml.shadow_score` for those of its days; None if it does not fit."""
        if self.model is None:
            return None
        places = np.flatnonzero(rows["date_key"].to_numpy() >= self.first)
        return shadow_scores_of(self.model, rows[places], matrix[places], scored_at)
