"""Step 5: what will be done with each leaf, and what makes two pieces of work the same."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from engine.discover import SourceFile
from engine.feeds import FEEDS
from engine.mapping import Source
from engine.plan import BUILD, DONE, MERGE, plan_leaves, work_identity
from engine.slices import Slice
from partitions.grain import Grain, Span

JANUARY, FEBRUARY, MARCH = (Grain.MONTH.span_of(date(2024, month, 1)) for month in (1, 2, 3))


def piece(span: Span, rows: int = 1, name: str = "a") -> Slice:
    return Slice(Path(name), span, 0, rows, span.first_key, span.first_key)


def file(name: str, content_hash: str, timezone: str | None = None) -> SourceFile:
    source = Source(FEEDS["transactions"], files="*", timezone=timezone)
    return SourceFile(0, Path(name), name, source, 1, content_hash)


def test_a_leaf_is_built_merged_or_done() -> None:
    slices = [piece(MARCH), piece(JANUARY), piece(FEBRUARY)]
    plans = plan_leaves(slices, attached={JANUARY, FEBRUARY}, built={FEBRUARY})
    assert [(plan.span, plan.action) for plan in plans] == [(JANUARY, MERGE), (FEBRUARY, DONE), (MARCH, BUILD)]


def test_a_leaf_takes_its_slices_in_their_order() -> None:
    slices = [piece(JANUARY, 5, "a"), piece(FEBRUARY, 7, "a"), piece(JANUARY, 2, "b")]
    january, february = plan_leaves(slices, set(), set())
    assert [part.path.name for part in january.slices] == ["a", "b"]
    assert (january.rows, february.rows) == (7, 7)


def test_months_without_rows_have_no_plan() -> None:
    assert plan_leaves([], {JANUARY}, {FEBRUARY}) == []


def test_the_identity_of_work_is_in_contents_and_ways_of_reading_only() -> None:
    one, two = file("a.csv", "1"), file("b.csv", "2")
    identity = work_identity([one, two], "Africa/Abidjan")
    assert len(identity) == 32
    renamed = replace(two, name="z.csv", path=Path("elsewhere/z.csv"), number=9)
    assert work_identity([renamed, one], "Africa/Abidjan") == identity
    others = [
        work_identity([one, two], "Africa/Nairobi"),
        work_identity([one], "Africa/Abidjan"),
        work_identity([one, file("b.csv", "3")], "Africa/Abidjan"),
        work_identity([one, file("b.csv", "2", timezone="UTC")], "Africa/Abidjan"),
        work_identity([], "Africa/Abidjan"),
    ]
    assert len({identity, *others}) == 6
