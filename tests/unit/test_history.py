"""`merge_history` and `moved_ranges` in drawn tables: told before, told now, the versions, the stretches that moved.

How they are drawn stands in `tests.histories`.
"""

from collections.abc import Iterable

import polars as pl
import pytest

from engine.history import VERSIONS_SCHEMA, merge_history
from tests.histories import NO_EVENTS, NO_VERSIONS, World, draw, draw_moved, drawn_events, rows_of

DRAWN: dict[str, tuple[list[str], list[str], list[str], list[str]]] = {
    "the first row": ([], ["A 1"], ["1 A 1-"], []),
    "nothing new": (["A 1"], ["A 5"], ["1 A 1-"], []),
    "the same row again": (["A 1"], ["A 1"], ["1 A 1-"], []),
    "the same files again": (["A 1", "x 3", "B 5"], ["A 1", "x 3", "B 5"], ["1 A 1-3", "2 B 5-"], []),
    "a change": (["A 1"], ["B 5"], ["1 A 1-5", "2 B 5-"], ["1>2 5-"]),
    "several changes in one file": ([], ["A 1", "B 3", "C 5"], ["1 A 1-3", "2 B 3-5", "3 C 5-"], []),
    "several changes, out of order": ([], ["C 5", "A 1", "B 3"], ["1 A 1-3", "2 B 3-5", "3 C 5-"], []),
    "a repeat between two changes": ([], ["A 1", "A 2", "B 3", "B 4"], ["1 A 1-3", "2 B 3-"], []),
    "there and back": (["A 1", "B 3"], ["A 5"], ["1 A 1-3", "2 B 3-5", "3 A 5-"], ["2>3 5-"]),
    "there and back in one file": ([], ["A 1", "B 3", "A 5"], ["1 A 1-3", "2 B 3-5", "3 A 5-"], []),
    "late, splits a version": (["A 1", "B 9"], ["C 5"], ["1 A 1-5", "3 C 5-9", "2 B 9-"], ["1>3 5-9"]),
    "late, splits the current version": (
        ["A 1"],
        ["B 9", "C 5"],
        ["1 A 1-5", "2 C 5-9", "3 B 9-"],
        ["1>2 5-9", "1>3 9-"],
    ),
    "late, says what was true then": (["A 1", "B 9"], ["A 5"], ["1 A 1-9", "2 B 9-"], []),
    "late, the next version began earlier": (["A 1", "B 9"], ["B 5"], ["1 A 1-5", "2 B 5-"], ["1>2 5-9"]),
    "late, before a row that made no version": (
        ["A 1", "A 5"],
        ["B 3"],
        ["1 A 1-3", "2 B 3-5", "3 A 5-"],
        ["1>2 3-5", "1>3 5-"],
    ),
    # The first version covers what came before it.
    "before all that is known": (["A 5"], ["B 1"], ["2 B 1-5", "1 A 5-"], ["1>2 -5"]),
    "before all that is known, and the same": (["A 5"], ["A 1"], ["1 A 1-"], []),
    "one moment twice: what was told last counts": (["A 1", "B 5"], ["C 5"], ["1 A 1-5", "2 C 5-"], []),
    "one moment twice in a file": (["A 1"], ["B 5", "C 5"], ["1 A 1-5", "2 C 5-"], ["1>2 5-"]),
    "one moment twice, told again: no news": (["A 1", "B 5", "C 5"], ["B 5"], ["1 A 1-5", "2 C 5-"], []),
    "one moment twice: the newer row counts": (["A 1", "B 5 @8"], ["C 5 @7"], ["1 A 1-5", "2 B 5-"], []),
    "one moment twice: back, since the source says so": (
        ["A 1", "B 5", "C 5 @6"],
        ["B 5 @7"],
        ["1 A 1-5", "2 B 5-"],
        [],
    ),
    "a correction that makes neighbours equal": (["A 1", "B 5"], ["A 5 @6"], ["1 A 1-"], ["2>1 5-"]),
    "a correction in the middle": (["A 1", "B 5", "A 9"], ["A 5 @6"], ["1 A 1-"], ["2>1 5-9", "3>1 9-"]),
    "the durable key outlives its row": (["A 5"], ["B 1", "B 5 @6"], ["1 B 1-"], []),
    "deleted": (["A 1"], ["x 5"], ["1 A 1-5"], []),
    "deleted twice": (["A 1", "x 5"], ["x 7"], ["1 A 1-5"], []),
    "deleted and restored": (["A 1", "x 5"], ["A 9"], ["1 A 1-5", "2 A 9-"], ["1>2 9-"]),
    "deleted, restored, deleted": (["A 1", "x 5", "A 7"], ["x 9"], ["1 A 1-5", "2 A 7-9"], []),
    "deleted before the restore was news": (["A 1", "A 9"], ["x 5"], ["1 A 1-5", "2 A 9-"], ["1>2 9-"]),
    "a late change of a deleted client": (["A 1", "x 5"], ["B 3"], ["1 A 1-3", "2 B 3-5"], ["1>2 3-"]),
    "the deletion was a mistake": (["A 1", "x 5"], ["A 5 @6"], ["1 A 1-"], []),
    "the restore was a mistake": (["A 1", "x 5", "A 7"], ["x 7 @8"], ["1 A 1-5"], ["2>1 7-"]),
    "deleted before anything is known": (["x 1"], ["A 5"], ["1 A 5-"], []),
    "only a deletion is known": ([], ["x 5"], ["1? U -"], []),
    "all was a mistake": (["A 1"], ["x 1 @2"], ["1? U -"], []),
    "the latest sector stands everywhere": (
        ["A/x 1", "B/x 3"],
        ["C/y 5"],
        ["1 A/y 1-3", "2 B/y 3-5", "3 C/y 5-"],
        ["2>3 5-"],
    ),
    "the latest sector without a version": (["A/x 1"], ["A/y 5"], ["1 A/y 1-"], []),
    "a late sector is not the latest": (
        ["A/x 1", "B/x 9"],
        ["C/y 5"],
        ["1 A/x 1-5", "3 C/x 5-9", "2 B/x 9-"],
        ["1>3 5-9"],
    ),
    "nor if a row without a version told the latest": (["A/x 1", "A/y 5"], ["A/z 3"], ["1 A/y 1-"], []),
    "a sector that is not told stays": (["A/x 1"], ["B 5"], ["1 A/x 1-5", "2 B/x 5-"], ["1>2 5-"]),
    "a late sector, told for the first time": (["A 1", "B 9"], ["A/y 5"], ["1 A/y 1-9", "2 B/y 9-"], []),
    "the sector of a deleted client": (["A/x 1", "x 5"], ["A 7"], ["1 A/x 1-5", "2 A/x 7-"], ["1>2 7-"]),
}


@pytest.mark.parametrize(("before", "now", "versions", "moved"), DRAWN.values(), ids=DRAWN)
def test_history_as_drawn(before: list[str], now: list[str], versions: list[str], moved: list[str]) -> None:
    world = World().tell(drawn_events(before)).tell(drawn_events(now))
    assert draw(world.versions) == versions
    assert draw_moved(world.moved) == moved


INFERRED: dict[str, tuple[list[str], list[str], list[str]]] = {
    "completed in place": (["A 5"], ["1 A 5-"], []),
    "with a history": (["B 7", "A 5"], ["1 A 5-7", "2 B 7-"], ["1>2 7-"]),
    "only deleted": (["x 5"], ["1? U -"], []),
    "deleted later": (["A 5", "x 7"], ["1 A 5-7"], []),
}


@pytest.mark.parametrize(("told", "versions", "moved"), INFERRED.values(), ids=INFERRED)
def test_an_inferred_member(told: list[str], versions: list[str], moved: list[str]) -> None:
    world = World().happen([("c", 8)]).tell(drawn_events(told))
    assert draw(world.versions) == versions
    assert draw_moved(world.moved) == moved


def keys_of(drawn: Iterable[str]) -> set[str]:
    return {line.split()[0].rstrip("?") for line in drawn}


@pytest.mark.parametrize(("before", "now", "versions", "moved"), DRAWN.values(), ids=DRAWN)
def test_only_changes_are_returned(before: list[str], now: list[str], versions: list[str], moved: list[str]) -> None:
    world = World().tell(drawn_events(before))
    after = world.tell(drawn_events(now))
    change = merge_history(world.versions, after.events)
    drawn = set(draw(world.versions))
    assert change.versions.schema == pl.Schema(VERSIONS_SCHEMA)
    assert change.versions.height == len(set(versions) - drawn)
    assert change.versions.filter("is_current").height == sum(line.endswith("-") for line in set(versions) - drawn)
    assert {str(key) for key in change.removed} == keys_of(drawn) - keys_of(versions)


def test_a_history_that_is_told_already_needs_nothing() -> None:
    world = World().tell(drawn_events(["A 1", "B 5", "x 9"]))
    change = merge_history(world.versions, world.events)
    assert change.versions.is_empty()
    assert change.removed.is_empty()


def test_durable_key_is_that_of_the_client() -> None:
    world = World().tell(drawn_events(["A 1"], "b")).tell(drawn_events(["A 5", "B 7"])).tell(drawn_events(["C 1"]))
    assert world.versions.filter(client_ref=b"c")["durable_key"].to_list() == [2, 2, 2]


def test_clients_do_not_touch_each_other() -> None:
    world = World().tell([*drawn_events(["A 1"]), *drawn_events(["A/x 2"], "d")])
    world = world.tell([*drawn_events(["B/y 5"]), *drawn_events(["A 4"], "d")])
    assert draw(world.versions.filter(client_ref=b"c")) == ["1 A/y 1-5", "3 B/y 5-"]
    assert draw(world.versions.filter(client_ref=b"d")) == ["2 A/x 2-"]
    assert draw_moved(world.moved) == ["1>3 5-"]


def test_nothing_arrives() -> None:
    assert merge_history(NO_VERSIONS, NO_EVENTS).versions.is_empty()
    assert rows_of([]).is_empty()
