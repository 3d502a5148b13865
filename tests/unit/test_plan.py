"""Step 5: what will be done with each leaf, and what makes two pieces of work the same."""

from dataclasses import replace
from pathlib import Path

from engine.discover import SourceFile
from engine.feeds import FEEDS
from engine.mapping import Source
from engine.plan import BUILD, DONE, MERGE, plan_leaves, work_identity
from engine.shards import Slice
from partitions.grain import Month

JANUARY, FEBRUARY, MARCH = Month(202401), Month(202402), Month(202403)


def piece(month: Month, rows: int = 1, name: str = "a") -> Slice:
    return Slice(Path(name), month, 0, rows)


def file(name: str, content_hash: str, timezone: str | None = None) -> SourceFile:
    source = Source(FEEDS["transactions"], files="*", timezone=timezone)
    return SourceFile(0, Path(name), name, source, 1, content_hash)


def test_a_leaf_is_built_merged_or_done() -> None:
    slices = [piece(MARCH), piece(JANUARY), piece(FEBRUARY)]
    plans = plan_leaves(slices, attached={JANUARY, FEBRUARY}, built={FEBRUARY})
    assert [(plan.month, plan.action) for plan in plans] == [(JANUARY, MERGE), (FEBRUARY, DONE), (MARCH, BUILD)]


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
