"""A fitted segmentation: all that gives clients their segments, as JSON that is known by its hash."""

import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

from ml.rfm.clusters import assign, fit_centroids
from ml.rfm.lifetime import Lifetime, fit_lifetime
from ml.rfm.prototypes import LOST
from ml.rfm.quintiles import Cuts, fit_cuts, quintile_segment
from ml.rfm.rates import Rates
from ml.rfm.scaling import CAP_QUANTILE, Scaling, fit_scaling
from ml.rfm.values import Values, is_active
from ml.rfm.window import Window
from warehouse.errors import DataRefusedError, TargetError

FORMAT = 1
# Of samples for silhouettes and stability; the clusters themselves start from the prototypes and need none.
SEED = 1
YEAR_DAYS = 365
_PACKAGES = ("numpy", "polars", "scikit-learn", "scipy")


@dataclass(frozen=True)
class Model:
    """`centroids`: one row a segment on the axes recent, frequent, valuable; `clients` are those it was fitted on."""

    as_of: date
    clients: int
    data_sha256: str
    rates: Rates
    scaling: Scaling
    cuts: Cuts
    centroids: tuple[tuple[float, ...], ...]
    lifetime: Lifetime | None
    versions: dict[str, str]
    seed: int = SEED

    @property
    def document(self) -> str:
        """The model as text; equal models have equal texts."""
        told = {**asdict(self), "as_of": self.as_of.isoformat(), "rates": self.rates.model_dump()}
        window = {"since": Window(self.as_of).since.isoformat(), "cap_quantile": CAP_QUANTILE}
        return json.dumps({"kind": "rfm", "format": FORMAT, **window, **told}, sort_keys=True, ensure_ascii=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.document.encode()).hexdigest()

    @property
    def version(self) -> str:
        """Its name: day and beginning of the hash."""
        return f"rfm-{self.as_of}-{self.sha256[:8]}"

    def segments(self, clients: pl.DataFrame) -> pl.Series:
        """Segment of each row of `recency`, `frequency`, `monetary_minor`; with nothing in the window: Lost."""
        nearest = assign(self.scaling.apply(clients), np.array(self.centroids))
        return clients.select(
            pl.when(is_active).then(pl.Series(nearest)).otherwise(LOST).cast(pl.Int16).alias("segment")
        ).to_series()

    def segmented(self, clients: pl.DataFrame) -> pl.DataFrame:
        """`clients` (columns of `VALUES`) with scores, both segments, `alive_probability` and `expected_revenue`."""
        scored = clients.with_columns(self.cuts.apply(clients).get_columns()).with_columns(
            self.segments(clients), quintile_segment()
        )
        alive = self.lifetime.alive(clients) if self.lifetime else None
        revenue = self.lifetime.revenue(clients, YEAR_DAYS, self.scaling.exponent) if self.lifetime else None
        return scored.with_columns(
            pl.lit(None if alive is None else pl.Series(alive).fill_nan(None), pl.Float64).alias("alive_probability"),
            pl.lit(None if revenue is None else pl.Series(revenue), pl.Float64).alias("expected_revenue"),
        )


def fit_model(values: Values, rates: Rates) -> Model:
    """Fit scaling, quintiles, clusters and lifetimes on the clients with a transaction in the window.

    Raises:
        DataRefusedError: there are too few different ones, or their clusters do not mean what their names say.
    """
    active = values.clients.filter(is_active)
    if active.is_empty():
        raise DataRefusedError(
            f"no client has a successful transaction from {values.window.since} to before {values.window.as_of}",
            remedy="choose a day with transactions in the twelve months before it (--as-of)",
        )
    scaling = fit_scaling(active, values.exponent)
    centroids = fit_centroids(scaling.apply(active))
    return Model(
        as_of=values.window.as_of,
        clients=active.height,
        data_sha256=values.digest,
        rates=rates,
        scaling=scaling,
        cuts=fit_cuts(active),
        centroids=tuple(tuple(map(float, row)) for row in centroids),
        lifetime=fit_lifetime(values.clients, values.exponent),
        versions={"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
    )


def model_from(document: str, sha256: str, name: str) -> Model:
    """A model that was kept.

    Raises:
        TargetError: its text is not what its hash says, or it is of another format.
    """
    remedy = "fit a new one: cauri rfm fit"
    if hashlib.sha256(document.encode()).hexdigest() != sha256:
        raise TargetError(f"model {name} was changed since it was fitted: its hash does not match", remedy=remedy)
    told = json.loads(document)
    if (told.get("kind"), told.get("format")) != ("rfm", FORMAT):
        raise TargetError(f"model {name} has format {told.get('format')}; this version reads {FORMAT}", remedy=remedy)
    return Model(
        as_of=date.fromisoformat(told["as_of"]),
        clients=told["clients"],
        data_sha256=told["data_sha256"],
        rates=Rates.model_validate(told["rates"]),
        scaling=Scaling(**_tuples(told["scaling"])),
        cuts=Cuts(**_tuples(told["cuts"])),
        centroids=tuple(tuple(row) for row in told["centroids"]),
        lifetime=Lifetime(**told["lifetime"]) if told["lifetime"] else None,
        versions=told["versions"],
        seed=told["seed"],
    )


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
