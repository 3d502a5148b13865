"""All that is told of a segmentation, gathered once for terminal, JSON and page."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from ml.rfm.history import Kept, days, model_for, stored, with_minor
from ml.rfm.migration import Migration, changed, migration
from ml.rfm.outlook import Outlook, outlook
from ml.rfm.prototypes import segments
from ml.rfm.values import read_values
from ml.rfm.window import Window, data_days
from warehouse.connection import Connection, connect
from warehouse.errors import ConfigurationError

NEWCOMER, GONE = "new", "gone"


@dataclass(frozen=True)
class Report:
    """`clients`: stored segments of the day with `monetary_minor` and `recent_revenue_minor`; `summary`: one row a
    segment. `since` is the earlier day of `moves`, which are missing if there is none.
    """

    as_of: date
    kept: Kept
    clients: pl.DataFrame
    summary: pl.DataFrame
    since: date | None
    moves: Migration | None
    outlook: Outlook

    @property
    def currency(self) -> str:
        return self.kept.model.rates.reporting

    @property
    def exponent(self) -> int:
        return self.kept.model.scaling.exponent

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints; amounts are in units of the reporting currency."""
        told = {one.number: one for one in segments()}
        rows = [
            {**row, "name": told[row["segment"]].name, "action": told[row["segment"]].action}
            for row in self.summary.to_dicts()
        ]
        return {
            "as_of": str(self.as_of),
            "since": str(Window(self.as_of).since),
            "model": self.kept.model.version,
            "currency": self.currency,
            "clients": self.clients.height,
            "segments": rows,
            "quality": self.kept.quality,
            "migration": self._moves(),
            "outlook": {
                "as_of": str(self.outlook.as_of),
                "until": str(self.outlook.until),
                "segments": self._ahead(),
                "reason": self.outlook.reason,
            },
        }

    def _moves(self) -> dict[str, Any] | None:
        if self.moves is None:
            return None
        return {
            "since": str(self.since),
            "is_refit": self.moves.is_refit,
            "moved_by_clients": changed(self.moves.moved),
            "moved_by_refit": changed(self.moves.refitted),
            "by_clients": self.moves.moved.to_dicts(),
            "by_refit": self.moves.refitted.to_dicts(),
            "total": self.moves.total.to_dicts(),
        }

    def _ahead(self) -> list[dict[str, Any]]:
        if self.outlook.by_segment is None:
            return []
        in_units = pl.col("revenue_minor") / 10**self.exponent
        return self.outlook.by_segment.with_columns(revenue=in_units).drop("revenue_minor").to_dicts()


def report(url: str, as_of: date | None, since: date | None) -> Report:
    """What is known of the segments of a day (by default the newest), and of the moves since an earlier one.

    Raises:
        ConfigurationError: that day, or the earlier one, has no segments.
    """
    with connect(url, application="cauri segments") as connection:
        known = list(days(connection))
        day = _chosen(as_of, known)
        before = _before(since, day, known)
        found = stored(connection, day)
        kept = model_for(connection, day, found["model_version"][0])
        found = with_minor(found, kept.model.scaling.exponent)
        values = read_values(url, Window(day), kept.model.rates).clients
        clients = found.join(values.select("client_ref", "recent_revenue_minor"), "client_ref", "left")
        moves = _moves(connection, url, clients, before, kept, Window(day)) if before else None
        ahead = outlook(url, day, *data_days(connection), kept.model.rates)
    summary = summarised(clients, kept.model.scaling.exponent)
    return Report(day, kept, clients, summary, before, moves, ahead)


def _chosen(as_of: date | None, known: list[date]) -> date:
    if not known:
        raise ConfigurationError("no client has a segment yet", remedy="fit the segments: cauri rfm fit")
    if as_of is not None and as_of not in known:
        raise ConfigurationError(
            f"there are no segments of {as_of}; there are of {_listed(known)}",
            remedy=f"choose one of these, or make them: cauri rfm assign --as-of {as_of}",
        )
    return as_of or known[0]


def _before(since: date | None, day: date, known: list[date]) -> date | None:
    if since is None:
        return next((one for one in known if one < day), None)
    if since not in known or since >= day:
        raise ConfigurationError(
            f"moves need segments of a day before {day}; {since} is none of {_listed(known)}",
            remedy=f"choose another day (--since), or make them: cauri rfm assign --as-of {since}",
        )
    return since


def _listed(known: list[date], shown: int = 6) -> str:
    return ", ".join(map(str, known[:shown])) + (f" and {len(known) - shown} earlier days" if known[shown:] else "")


def _moves(
    connection: Connection, url: str, later: pl.DataFrame, before: date, kept: Kept, window: Window
) -> Migration:
    earlier = stored(connection, before)
    old = model_for(connection, before, earlier["model_version"][0]).model
    is_refit = old.version != kept.model.version
    if is_refit and old.rates != kept.model.rates:
        # At the new rates the old model would take a rate that changed for a client that moved.
        values = read_values(url, window, old.rates).clients.select("client_ref", "monetary_minor")
        later = later.drop("monetary_minor").join(values, "client_ref", "inner")
    return migration(earlier, later, old, is_refit=is_refit)


def summarised(clients: pl.DataFrame, exponent: int) -> pl.DataFrame:
    """One row a segment that has clients: how many, medians, revenue of the window and what is expected; amounts in
    units of the reporting currency.
    """
    unit = 10**exponent
    return (
        clients.group_by("segment")
        .agg(
            clients=pl.len(),
            recency=pl.col("recency").median(),
            frequency=pl.col("frequency").median(),
            monetary=pl.col("monetary_minor").median() / unit,
            revenue=pl.col("recent_revenue_minor").sum() / unit,
            churn_risk=1 - pl.col("alive_probability").mean(),
            lifetime_value=pl.col("expected_revenue").mean(),
            expected_revenue=pl.when(pl.col("expected_revenue").is_not_null().any()).then(
                pl.col("expected_revenue").sum()
            ),
        )
        .with_columns(
            share=pl.col("clients") / pl.col("clients").sum(),
            revenue_share=pl.when(pl.col("revenue").sum() > 0).then(pl.col("revenue") / pl.col("revenue").sum()),
        )
        .sort("segment")
    )
