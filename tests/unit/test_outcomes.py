"""What became of each row: counts that balance, and verdicts that survive a stop between two steps."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.duplicates import judge
from engine.outcomes import CONFLICTING_DUPLICATE, Outcomes, Verdicts, settle, total
from engine.shards import FILE_SHIFT

FINALS = ("loaded", "updated", "repeated", "rejected")


def settled(table: str, verdicts: dict[str, str]) -> list[str]:
    """Final outcomes for rows of `id | outcome | wins`, with what the warehouse says of the winners."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    versions = pl.DataFrame(
        [(key, seq, outcome, wins == "wins") for seq, (key, outcome, wins) in enumerate(rows)],
        schema={"transaction_id": pl.String, "seq": pl.Int64, "outcome": pl.String, "wins": pl.Boolean},
        orient="row",
    )
    winners = pl.DataFrame(
        list(verdicts.items()), schema={"transaction_id": pl.String, "verdict": pl.String}, orient="row"
    )
    final: list[str] = settle(versions, winners).rows.sort("seq")["final"].to_list()
    return final


FOUR_VERSIONS = """
    A | new      |
    A | conflict |
    A | repeated |
    A | updated  | wins"""


@pytest.mark.parametrize(
    ("verdict", "final"),
    [
        (None, ["loaded", "rejected", "repeated", "updated"]),
        ("loaded", ["loaded", "rejected", "repeated", "updated"]),
        ("updated", ["updated", "rejected", "repeated", "updated"]),
        ("repeated", ["repeated", "rejected", "repeated", "repeated"]),
        ("conflict", ["repeated", "rejected", "repeated", "rejected"]),
    ],
)
def test_the_warehouse_has_the_last_word_on_versions_that_advance(verdict: str | None, final: list[str]) -> None:
    assert settled(FOUR_VERSIONS, {"A": verdict} if verdict else {"B": "conflict"}) == final


def test_a_single_row_becomes_what_the_warehouse_says() -> None:
    alone = "A | new | wins"
    assert [settled(alone, {"A": verdict}) for verdict in ("loaded", "updated", "repeated", "conflict")] == [
        ["loaded"],
        ["updated"],
        ["repeated"],
        ["rejected"],
    ]


def seq(file_number: int, row: int) -> int:
    return (file_number << FILE_SHIFT) + row


def test_verdicts_move_rows_from_loaded_to_what_they_were() -> None:
    pairs = [
        (seq(0, 1), "loaded"),
        (seq(0, 2), "updated"),
        (seq(1, 1), "rejected"),
        (seq(1, 2), "rejected"),
        (seq(1, 3), "repeated"),
    ]
    verdicts = Verdicts(pl.DataFrame(pairs, schema={"seq": pl.Int64, "final": pl.String}, orient="row"))
    by_file = {0: Outcomes(read=5, loaded=5), 1: Outcomes(read=9, loaded=7, rejected=2, reasons={"status_missing": 2})}
    verdicts.count(by_file)
    assert by_file[0] == Outcomes(read=5, loaded=4, updated=1)
    reasons = {"status_missing": 2, CONFLICTING_DUPLICATE: 2}
    assert by_file[1] == Outcomes(read=9, loaded=4, repeated=1, rejected=4, reasons=reasons)
    assert all(outcomes.balanced for outcomes in by_file.values())
    assert sorted(verdicts.conflicts) == [seq(1, 1), seq(1, 2)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.builds(seq, st.integers(0, 2**20), st.integers(1, 2**39)), st.sampled_from(FINALS), max_size=12)
)
def test_verdicts_come_back_from_json(finals: dict[int, str]) -> None:
    verdicts = Verdicts(pl.DataFrame(list(finals.items()), schema={"seq": pl.Int64, "final": pl.String}, orient="row"))
    again = Verdicts.from_json(json.loads(json.dumps(verdicts.to_json())))
    assert dict(again.rows.iter_rows()) == {number: final for number, final in finals.items() if final != "loaded"}
    assert again.rows.schema == verdicts.rows.schema


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 3), st.sampled_from("xy")), max_size=20),
    st.dictionaries(st.sampled_from("ABC"), st.sampled_from(["loaded", "updated", "repeated", "conflict"])),
)
def test_the_sum_balances_whatever_happens(rows: list[tuple[str, int, str]], verdicts: dict[str, str]) -> None:
    schema = {"transaction_id": pl.String, "version": pl.Int64, "content": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(seq=pl.int_range(pl.len(), dtype=pl.Int64))
    known = pl.DataFrame(
        list(verdicts.items()), schema={"transaction_id": pl.String, "verdict": pl.String}, orient="row"
    )
    outcomes = Outcomes(read=len(rows), loaded=len(rows))
    settle(judge(frame, "version", ["content"]), known).count({0: outcomes})
    assert outcomes.balanced
    assert min(outcomes.as_dict().values()) >= 0
    assert outcomes.reasons.get(CONFLICTING_DUPLICATE, 0) == outcomes.rejected
    # One row of each id is in the warehouse for it, or none if the warehouse had it.
    assert outcomes.loaded == len({key for key, _, _ in rows if verdicts.get(key, "loaded") == "loaded"})


def test_a_total_is_the_sum_over_files_and_leaves_them_alone() -> None:
    one = Outcomes(read=3, loaded=1, rejected=2, reasons={"a": 2, "b": 1})
    two = Outcomes(read=4, updated=1, repeated=2, rejected=1, reasons={"b": 1})
    expected = Outcomes(read=7, loaded=1, updated=1, repeated=2, rejected=3, reasons={"a": 2, "b": 2})
    assert total([one, two]) == expected
    assert one.reasons == {"a": 2, "b": 1}
    assert total([]) == Outcomes()
    assert not Outcomes(read=1).balanced
