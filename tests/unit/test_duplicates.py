"""One transaction seen several times: drawn tables, and a model in plain Python."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.duplicates import CONFLICT, NEW, REPEATED, UPDATED, VERSIONS_SCHEMA, judge, repeated_hashes, versions
from engine.feeds import FEEDS
from engine.parse import Locale, parse, refer
from engine.shards import FILE_SHIFT, Dictionary, shape
from engine.slices import Slice, write_shard
from partitions.layout import Layout
from tests.frames import DOMAINS, GOOD

Row = tuple[str, int, str | None]


def judged(rows: list[Row]) -> list[tuple[str, bool]]:
    """Outcome and whether it wins, for rows of (id, version, content) in file order."""
    names = ["transaction_id", "version", "content"]
    schema = {"transaction_id": pl.String, "version": pl.Int64, "content": pl.String}
    frame = (
        pl.DataFrame(rows, schema=schema, orient="row").with_row_index("seq").with_columns(pl.col("seq").cast(pl.Int64))
    )
    assert frame.select(names).rows() == rows
    # The order in which rows arrive at the judge means nothing: `seq` does.
    shuffled = frame.sample(fraction=1, shuffle=True, seed=7)
    return judge(shuffled, "version", ["content"]).sort("seq").select("outcome", "wins").rows()


def drawn(table: str) -> tuple[list[Row], list[tuple[str, bool]]]:
    rows: list[Row] = []
    expected = []
    for line in table.strip().splitlines():
        key, version, content, outcome, wins = (cell.strip() for cell in line.split("|"))
        rows.append((key, int(version), None if content == "-" else content))
        expected.append((outcome, wins == "wins"))
    return rows, expected


TABLES = {
    "alone": "A | 1 | x | new | wins",
    "the same again": """
        A | 1 | x | new      | wins
        A | 1 | x | repeated |
        A | 1 | x | repeated |""",
    "a newer version": """
        A | 1 | x | new     |
        A | 2 | y | updated | wins""",
    "a newer version with the same content": """
        A | 1 | x | new     |
        A | 2 | x | updated | wins""",
    "an older version late": """
        A | 2 | y | new      | wins
        A | 1 | x | repeated |""",
    "a conflict: the first in file order stays": """
        A | 1 | x | new      | wins
        A | 1 | y | conflict |
        A | 1 | x | repeated |
        A | 1 | z | conflict |""",
    "a conflict with a version that was overtaken is only late": """
        A | 1 | x | new      |
        A | 2 | y | updated  | wins
        A | 1 | z | repeated |
        A | 2 | z | conflict |
        A | 2 | y | repeated |""",
    "a conflict does not stop a newer version": """
        A | 1 | x | new      |
        A | 1 | y | conflict |
        A | 3 | y | updated  | wins
        A | 2 | x | repeated |""",
    "nulls are content": """
        A | 1 | - | new      | wins
        A | 1 | - | repeated |
        A | 1 | x | conflict |
        B | 1 | x | new      | wins
        B | 1 | - | conflict |""",
    "ids do not touch each other": """
        A | 1 | x | new      |
        B | 9 | y | new      | wins
        A | 2 | z | updated  | wins
        B | 2 | x | repeated |
        C | 1 | x | new      | wins
        B | 9 | x | conflict |""",
}


@pytest.mark.parametrize("name", TABLES)
def test_drawn_tables(name: str) -> None:
    rows, expected = drawn(TABLES[name])
    assert judged(rows) == expected


def model(rows: list[Row]) -> list[tuple[str, bool]]:
    newest: dict[str, tuple[int, str | None, int]] = {}
    outcomes = []
    for place, (key, version, content) in enumerate(rows):
        held = newest.get(key)
        if held is None or version > held[0]:
            outcomes.append(NEW if held is None else UPDATED)
            newest[key] = version, content, place
        else:
            outcomes.append(CONFLICT if version == held[0] and content != held[1] else REPEATED)
    winners = {place for _, _, place in newest.values()}
    return [(outcome, place in winners) for place, outcome in enumerate(outcomes)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 4), st.sampled_from(["x", "y", None])), max_size=25))
def test_it_judges_like_the_model(rows: list[Row]) -> None:
    assert judged(rows) == model(rows)


HASHES = [0, 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(HASHES), max_size=24))
def test_hashes_that_occur_twice_are_found_over_all_64_bits(hashes: list[int]) -> None:
    found = repeated_hashes(pl.Series(hashes, dtype=pl.UInt64))
    assert found.dtype == pl.UInt64
    assert sorted(found) == sorted({value for value in hashes if hashes.count(value) > 1})


def slices_of(folder: Path, *files: list[dict[str, str]]) -> list[Slice]:
    dictionary = Dictionary()
    slices = []
    for number, changes in enumerate(files):
        rows = pl.DataFrame([{**GOOD["transactions"], **change} for change in changes])
        rows = refer(parse(rows, FEEDS["transactions"], Locale("UTC", decimal_comma=False)), DOMAINS)
        rows = rows.with_row_index("row_number", offset=1).with_columns(pl.col("row_number").cast(pl.Int64))
        shard = shape(rows, DOMAINS, number, "UTC", dictionary)
        slices += write_shard(shard, folder / f"{number}.arrow", Layout())
    return slices


def test_versions_are_found_across_shards_and_months(tmp_path: Path) -> None:
    later = {"updated_at": "2024-05-18T00:00:00Z", "transaction_ts": "2023-12-31", "status": "REVERSED"}
    first = [{"transaction_id": "A"}, {"transaction_id": "B"}, {"transaction_id": "C"}]
    second = [{"transaction_id": "A", **later}, {"transaction_id": "B"}, {"transaction_id": "D"}]
    third = [{"transaction_id": "B", "amount": "7"}]
    found = versions(slices_of(tmp_path, first, second, third))
    assert dict(found.schema) == VERSIONS_SCHEMA
    told = [(key, seq >> FILE_SHIFT, day, outcome, wins) for key, seq, day, outcome, wins in found.sort("seq").rows()]
    assert sorted(told) == [
        ("A", 0, 20240517, NEW, False),
        ("A", 1, 20231231, UPDATED, True),
        ("B", 0, 20240517, NEW, True),
        ("B", 1, 20240517, REPEATED, False),
        ("B", 2, 20240517, CONFLICT, False),
    ]


def test_ids_that_share_a_hash_are_not_versions_of_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slices = slices_of(tmp_path, [{"transaction_id": "A"}, {"transaction_id": "B"}, {"transaction_id": "B"}])
    # 32 bits are the same of many, 64 of hardly any: here all rows are taken for versions.
    monkeypatch.setattr("engine.duplicates.MOST_BITS", 0)
    monkeypatch.setattr("engine.duplicates._several", lambda suspects: suspects)
    assert versions(slices)["transaction_id"].to_list() == ["B", "B"]


def test_no_repeated_hash_means_no_versions(tmp_path: Path) -> None:
    assert repeated_hashes(pl.Series([], dtype=pl.UInt32)).is_empty()
    assert versions([]).schema == VERSIONS_SCHEMA
    assert versions(slices_of(tmp_path, [{"transaction_id": "A"}, {"transaction_id": "B"}])).schema == VERSIONS_SCHEMA
