"""Feeds of one file each, with a bad row for every reason and some rows repeated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sample.dialect import ISO, Form, as_text, form_of
from sample.dirt import DIRT, Fields, dirty_line, soil
from sample.plan import SamplePlan
from sample.tables import parsed
from sample.text import PLACEHOLDER
from sample.truth import Counts
from sample.writer import write_lines, write_table

REPEATING = ("clients", "locations")
# Bad rows have keys of their own, so that no good row depends on them.
_FRESH_KEYS = {"clients": "CLI-X{:05d}", "locations": "CI-X{:02d}", "fraud_labels": "TX-990101-{:08d}"}
_ORDER = "order"


@dataclass(frozen=True)
class Bad:
    reason: str
    clean: Fields
    turn: int


def write_feed(plan: SamplePlan, feed: str, frame: pl.DataFrame, out: Path) -> tuple[str, Counts]:
    """Write the feed's file; its name and what a loader must make of it."""
    form = form_of(plan, feed)
    path = out / f"{feed}{form.extension}"
    bad = _bad_rows(plan, feed, frame, form)
    repeats = _repeats(plan, feed, frame)
    everything = pl.concat([frame, repeats])
    if form.parquet:
        write_table(path, _typed(feed, everything, bad), form)
    else:
        lines = [dirty_line(feed, each.reason, each.clean, each.turn, form.dialect) for each in bad]
        write_lines(path, [(_with_gaps(as_text(everything, form.dialect), len(bad)), lines)], form)
    reasons = dict.fromkeys((each.reason for each in bad), 1)
    counts = Counts(len(everything) + len(bad), len(frame), 0, len(repeats), len(bad), reasons)
    return path.name, counts


def _bad_rows(plan: SamplePlan, feed: str, frame: pl.DataFrame, form: Form) -> list[Bad]:
    if plan.dirty_share == 0 or feed not in DIRT or frame.is_empty():
        return []
    reasons = [reason for reason, dirt in DIRT[feed].items() if dirt.in_table or not form.parquet]
    models = as_text(frame.head(len(reasons)), ISO).fill_null("").rows(named=True)
    key = frame.columns[0]
    return [
        Bad(reason, models[turn % len(models)] | {key: _FRESH_KEYS[feed].format(turn + 1)}, turn)
        for turn, reason in enumerate(reasons)
    ]


def _repeats(plan: SamplePlan, feed: str, frame: pl.DataFrame) -> pl.DataFrame:
    if plan.duplicate_share == 0 or feed not in REPEATING:
        return frame.clear()
    count = max(round(len(frame) * plan.duplicate_share), 1)
    return frame.gather_every(max(len(frame) // count, 1)).head(count)


def _with_gaps(frame: pl.DataFrame, gaps: int) -> pl.DataFrame:
    """The frame with placeholders spread over it."""
    places = pl.DataFrame({frame.columns[0]: [PLACEHOLDER] * gaps}, schema={frame.columns[0]: pl.String})
    spread = places.with_columns(((pl.int_range(pl.len()) + 0.5) * (len(frame) / max(gaps, 1))).alias(_ORDER))
    ordered = frame.with_columns(pl.int_range(pl.len()).cast(pl.Float64).alias(_ORDER))
    return pl.concat([ordered, spread], how="diagonal").sort(_ORDER, maintain_order=True).drop(_ORDER)


def _typed(feed: str, frame: pl.DataFrame, bad: list[Bad]) -> pl.DataFrame:
    typed = frame.with_columns(pl.col(pl.Datetime).dt.replace_time_zone("UTC"))
    if not bad:
        return typed
    soiled = [soil(feed, each.reason, each.clean, each.turn) for each in bad]
    return pl.concat([typed, parsed(pl.DataFrame(soiled), dict(typed.schema))])
