"""A small world of clients in memory: what was told, the versions, and facts that follow them. And how it is drawn.

An event is drawn as `segment/sector day`, `x day` for a deletion, each with `@day` behind it where the source changed
the row later; a version as `key segment/sector from-to`; a stretch that moved as `old>new from-to`. Days are those of
January 2024; the sector stands for all attributes of which only the latest value is kept; `?` marks an inferred member,
`-` means for ever.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import polars as pl

from engine.client_events import CONTENT, news
from engine.history import EVENTS_SCHEMA, LONG_AGO, MOMENT, STORED_SCHEMA, inferred_versions, merge_history
from engine.restate import moved_ranges

START = datetime(2024, 1, 1, tzinfo=UTC) - timedelta(days=1)
VERSION = ["client_ref", "client_key", "valid_from"]
FACTS_SCHEMA = {"client_ref": pl.Binary(), "at": MOMENT, "client_key": pl.Int32()}
NO_EVENTS = pl.DataFrame(schema=EVENTS_SCHEMA)
NO_VERSIONS = pl.DataFrame(schema=STORED_SCHEMA)


@dataclass(frozen=True)
class Told:
    """A row of the feed: of which client, from which day, what (no segment: deleted), and when the source said so."""

    client: str
    day: int
    segment: str | None
    sector: str | None = None
    updated: int | None = None


@dataclass(frozen=True)
class World:
    """What the warehouse holds; `moved` are the stretches that the last telling moved."""

    events: pl.DataFrame = field(default_factory=lambda: NO_EVENTS)
    versions: pl.DataFrame = field(default_factory=lambda: NO_VERSIONS)
    facts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FACTS_SCHEMA))
    moved: pl.DataFrame = field(default_factory=lambda: moved_ranges(NO_VERSIONS, NO_VERSIONS))
    next_key: int = 1

    def tell(self, told: Sequence[Told]) -> "World":
        """Told a file of changes."""
        rows = rows_of(told)
        fresh = news(self.events, rows).with_row_index("event_id", self.events.height + 1)
        events = pl.concat([self.events, fresh.cast({"event_id": pl.Int64}).select(*EVENTS_SCHEMA)])
        stored = self.versions.join(rows, on="client_ref", how="semi")
        change = merge_history(stored, events.join(rows, on="client_ref", how="semi"))
        written, next_key = self._numbered(change.versions)
        gone = pl.concat([change.removed, written["client_key"]]).implode()
        versions = pl.concat([self.versions.filter(~pl.col("client_key").is_in(gone)), written])
        moved = moved_ranges(stored.select(VERSION), versions.join(rows, on="client_ref", how="semi").select(VERSION))
        return replace(
            self,
            events=events,
            versions=versions.sort("client_ref", "valid_from"),
            facts=_restated(self.facts, moved),
            moved=moved,
            next_key=next_key,
        )

    def happen(self, facts: Iterable[tuple[str, int]]) -> "World":
        """Transactions of clients on days, loaded now; clients that nobody knows become inferred members."""
        named = pl.DataFrame(
            [(name.encode(), moment(day)) for name, day in facts],
            schema={"client_ref": pl.Binary(), "at": MOMENT},
            orient="row",
        )
        missing = named.join(self.versions, on="client_ref", how="anti")["client_ref"].unique(maintain_order=True)
        written, next_key = self._numbered(inferred_versions(missing))
        versions = pl.concat([self.versions, written]).sort("client_ref", "valid_from")
        keys = [as_of(versions, ref, at) for ref, at in named.iter_rows()]
        loaded = named.with_columns(pl.Series("client_key", keys, pl.Int32))
        return replace(self, versions=versions, facts=pl.concat([self.facts, loaded]), next_key=next_key)

    def _numbered(self, versions: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        fresh = pl.col("client_key").is_null()
        numbered = versions.with_columns(
            client_key=pl.coalesce("client_key", self.next_key + fresh.cum_sum() - 1).cast(pl.Int32)
        ).with_columns(durable_key=pl.coalesce("durable_key", pl.col("client_key").min().over("client_ref")))
        return numbered.select(*STORED_SCHEMA), self.next_key + versions["client_key"].null_count()

    def seen(self) -> list[tuple[object, ...]]:
        """All that does not depend on the order of telling: versions without their keys."""
        return self.versions.drop("client_key", "durable_key").rows()

    def facts_seen(self) -> list[tuple[object, ...]]:
        """Facts with the version that they point at."""
        joined = self.facts.join(self.versions, on="client_key", how="left")
        return sorted(joined.select("client_ref", "at", "customer_segment", "valid_from").rows(), key=repr)


def as_of(versions: pl.DataFrame, ref: bytes, at: datetime) -> int:
    """The version to which a fact belongs, found the slow way."""
    own = versions.filter(pl.col("client_ref") == ref).sort("valid_from").select("client_key", "valid_from").rows()
    keys: list[int] = [own[0][0], *(key for key, begin in own if begin <= at)]
    return keys[-1]


def _restated(facts: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    keys = []
    for _, at, key in facts.iter_rows():
        to = [
            new for _, old, new, begin, end in moved.iter_rows() if old == key and begin <= at and (not end or at < end)
        ]
        assert len(to) <= 1
        keys.append(to[0] if to else key)
    return facts.with_columns(pl.Series("client_key", keys, pl.Int32))


def rows_of(told: Sequence[Told]) -> pl.DataFrame:
    rows = [
        {
            "client_ref": one.client.encode(),
            "effective_at": moment(one.day),
            "updated_at": moment(one.updated or one.day),
            "is_deleted": one.segment is None,
            "customer_segment": one.segment,
            "company_size": one.segment and "SMALL",
            "risk_level": one.segment and "LOW",
            "sector": one.segment and one.sector,
            "seq": seq,
        }
        for seq, one in enumerate(told)
    ]
    return pl.DataFrame(rows, schema={**{name: EVENTS_SCHEMA[name] for name in CONTENT}, "seq": pl.Int64()})


def moment(day: int | str) -> datetime:
    return START + timedelta(days=int(day))


def drawn_events(lines: Sequence[str], client: str = "c") -> list[Told]:
    told = []
    for line in lines:
        found = re.fullmatch(r"(\w+)(?:/(\w+))? (\d+)(?: @(\d+))?", line)
        assert found, line
        segment, sector, day, updated = found.groups()
        told.append(
            Told(client, int(day), None if segment == "x" else segment, sector, int(updated) if updated else None)
        )
    return told


def draw(versions: pl.DataFrame) -> list[str]:
    return [
        f"{row['client_key']}{'?' * row['is_inferred']} {row['customer_segment'][0]}"
        + (f"/{row['sector']}" if row["sector"] else "")
        + f" {_stretch(row['valid_from'], row['valid_to'])}"
        for row in versions.iter_rows(named=True)
    ]


def draw_moved(moved: pl.DataFrame) -> list[str]:
    return [f"{old}>{new} {_stretch(begin, end)}" for _, old, new, begin, end in moved.iter_rows()]


def _stretch(begin: datetime, end: datetime | None) -> str:
    return f"{'' if begin == LONG_AGO else (begin - START).days}-{'' if end is None else (end - START).days}"
