"""Champion and shadow on the transactions that both have scored: what a person looks at before promoting."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from ml.fraud.registry import Registry
from ml.fraud.rows import rows_by_day
from ml.fraud.thresholds import ALLOW, BANDS, BLOCK
from ml.fraud.windows import Days
from partitions.grain import date_key, day_of
from warehouse.connection import connect
from warehouse.errors import ConfigurationError, NothingToDoError
from warehouse.queries import query
from warehouse.snapshot import reader


@dataclass(frozen=True)
class Side:
    """One of the two. Of the transactions whose labels are due: ranking, and alerts; None where nothing was fraud.

    `found`: frauds among its alerts; `found_alone`: those of them that the other one let pass.
    """

    model_version: str
    alerts: int
    blocked: int
    average_precision: float | None = None
    precision: float | None = None
    recall: float | None = None
    found: int = 0
    found_alone: int = 0


@dataclass(frozen=True)
class SideBySide:
    """`bands`: band of the champion -> band of the shadow -> transactions. `labels_until`: labels are due before it."""

    days: Days
    transactions: int
    bands: dict[str, dict[str, int]]
    labels_until: date
    labelled: int
    frauds: int
    champion: Side
    shadow: Side

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        document = asdict(self)
        del document["days"]
        return {**self.days.to_json(), **document, "labels_until": self.labels_until.isoformat()}


def side_by_side(url: str, registry: Registry, since: date | None, until: date | None) -> SideBySide:
    """Compare champion and shadow on their common transactions of [since, until).

    A transaction that nobody has reported within the champion's label delay is honest.

    Raises:
        ConfigurationError: there is no champion.
        NothingToDoError: there is no shadow, or nothing that both have scored.
    """
    champion, shadow = registry.stages.champion, registry.shadow
    if champion is None:
        raise ConfigurationError(
            f"there is no champion among the models in {registry.folder}", remedy="cauri fraud train makes one"
        )
    if shadow is None:
        raise NothingToDoError(
            "no model waits to be promoted", remedy="cauri fraud train makes one, which scores beside the champion"
        )
    bounds = [date_key(since or date.min), date_key(until or date.max)]
    with reader(url) as one, connect(url) as connection:
        rows = one.read(query("scores/side_by_side"), [champion, shadow, *bounds])
        newest = max(rows_by_day(connection), default=date.min)
    if rows.is_empty():
        raise NothingToDoError(
            f"no transaction has a score of the champion {champion} and one of the shadow {shadow}",
            remedy="the next cauri nightly brings some, and cauri fraud score --since DAY scores days again by both",
        )
    labels_until = newest - timedelta(days=registry.manifest(champion).label_delay_days - 1)
    return _compared(rows, labels_until, champion, shadow)


def _compared(rows: pl.DataFrame, labels_until: date, champion: str, shadow: str) -> SideBySide:
    due = rows.filter(pl.col("date_key") < date_key(labels_until))
    fraud = due["is_fraud"].fill_null(value=False).to_numpy()
    alert = {column: (due[column] != ALLOW).to_numpy() for column in ("band", "shadow_band")}
    first, last = (day_of(int(key)) for key in (rows["date_key"].min(), rows["date_key"].max()))  # type: ignore[arg-type]

    def side(version: str, band: str, score: str, other: str) -> Side:
        return Side(
            version,
            alerts=int((rows[band] != ALLOW).sum()),
            blocked=int((rows[band] == BLOCK).sum()),
            average_precision=_average_precision(fraud, due[score].to_numpy()),
            precision=_share(alert[band] & fraud, alert[band]),
            recall=_share(alert[band] & fraud, fraud),
            found=int((alert[band] & fraud).sum()),
            found_alone=int((alert[band] & fraud & ~alert[other]).sum()),
        )

    counts = {(one, other): n for one, other, n in rows.group_by("band", "shadow_band").len().iter_rows()}
    return SideBySide(
        Days(first, last + timedelta(days=1)),
        rows.height,
        {one: {other: counts.get((one, other), 0) for other in BANDS} for one in BANDS},
        labels_until,
        due.height,
        int(fraud.sum()),
        side(champion, "band", "fraud_score", "shadow_band"),
        side(shadow, "shadow_band", "shadow_score", "band"),
    )


def _average_precision(fraud: np.ndarray, score: np.ndarray) -> float | None:
    from sklearn.metrics import average_precision_score  # noqa: PLC0415

    return float(average_precision_score(fraud, score)) if fraud.any() else None


def _share(part: np.ndarray, whole: np.ndarray) -> float | None:
    return float(part.sum() / whole.sum()) if whole.any() else None
