"""What can be expected of a batch, and what is no expectation."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.contracts import CONTRACTS
from engine.expectations import Bounds, Expectations
from engine.mapping import default_sources, read_mapping
from engine.outcomes import CONFLICTING_DUPLICATE
from engine.remedies import remedy_of
from warehouse.errors import ConfigurationError

SOURCE = '[[source]]\nfeed = "transactions"\nfiles = "*.csv"\n'


def mapping_of(folder: Path, text: str) -> Path:
    path = folder / "feeds.toml"
    path.write_text(text)
    return path


def test_expectations_of_feeds_and_of_files(tmp_path: Path) -> None:
    text = """
[expectations.transactions]
max_rejected_share = 0.1
min_rows = 5
amount.XOF = { min = 1, max = "12345678901234567890.12" }
commission.GHS.total = 0.1
[expectations.clients]
max_rows = 7
"""
    mapping = read_mapping(mapping_of(tmp_path, text + SOURCE + "[source.expectations]\nmin_rows = 1\n"))
    sums = {
        ("amount", "XOF"): Bounds(Decimal(1), Decimal("12345678901234567890.12")),
        ("commission", "GHS"): Bounds(Decimal("0.1"), Decimal("0.1")),
    }
    assert mapping.expectations == {
        "transactions": Expectations(Decimal("0.1"), 5, None, sums),
        "clients": Expectations(max_rows=7),
    }
    assert [source.expectations for source in mapping.sources] == [Expectations(min_rows=1)]


def test_expectations_alone_leave_files_to_their_names(tmp_path: Path) -> None:
    mapping = read_mapping(mapping_of(tmp_path, "[expectations.clients]\nmin_rows = 1\n"))
    assert mapping.sources == default_sources()


def test_what_is_expected_is_no_part_of_how_a_file_is_read(tmp_path: Path) -> None:
    (plain,) = read_mapping(mapping_of(tmp_path, SOURCE)).sources
    (strict,) = read_mapping(mapping_of(tmp_path, SOURCE + "[source.expectations]\nmin_rows = 1\n")).sources
    assert plain.fingerprint == strict.fingerprint


WRONG = {
    "another table": ("[expectation.transactions]\nmin_rows = 1\n" + SOURCE, "unknown table.* expectation"),
    "no feed": ("[expectations.transaction]\nmin_rows = 1\n", "is for feeds"),
    "no table": ("expectations = 1\n", "is for feeds"),
    "an unknown option": ("[expectations.transactions]\nminimum = 1\n", "has an unknown one"),
    "a sum of a feed without amounts": ("[expectations.clients]\namount.XOF.min = 1\n", "has an unknown one"),
    "a share in per cent": ("[expectations.clients]\nmax_rejected_share = 5\n", "max_rejected_share is 5"),
    "a share in words": ('[expectations.clients]\nmax_rejected_share = "few"\n', "is no number"),
    "a share that is true": ("[expectations.clients]\nmax_rejected_share = true\n", "is no number"),
    "half a row": ("[expectations.clients]\nmin_rows = 1.5\n", "is no number of rows"),
    "rows below zero": ("[expectations.clients]\nmax_rows = -1\n", "is no number of rows"),
    "nothing between": ("[expectations.clients]\nmin_rows = 2\nmax_rows = 1\n", "at least 2 and at most 1"),
    "no currency": ("[expectations.transactions]\namount.min = 1\n", "amount is not by currency"),
    "no bounds": ("[expectations.transactions]\namount.XOF = {}\n", "has no bounds"),
    "unknown bounds": ("[expectations.transactions]\namount.XOF.least = 1\n", "has no bounds"),
    "total and min": ("[expectations.transactions]\namount.XOF = { total = 1, min = 1 }\n", "total stands beside"),
    "no sum between": ("[expectations.transactions]\namount.XOF = { min = 2, max = 1 }\n", "at least 2 and at most 1"),
    "infinity": ("[expectations.transactions]\namount.XOF.max = inf\n", "is no number"),
    "of a file": (SOURCE + "[source.expectations]\nrows = 1\n", "source 1, expectations: "),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_means_nothing_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_mapping(mapping_of(tmp_path, text))


def test_every_reason_has_a_next_step() -> None:
    rules = {rule.split("|")[0] for contract in CONTRACTS.values() for rule in contract._schema_validation_rules()}
    assert all(remedy_of(rule) for rule in rules)
    assert remedy_of("transaction_ts_in_future") != remedy_of("transaction_ts_missing")
    assert "updated_at" in remedy_of(CONFLICTING_DUPLICATE)
