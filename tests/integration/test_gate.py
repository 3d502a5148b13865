"""A batch that is not what is expected is not published."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from engine.gate import ROWS_OF_DEFAULT
from tests.loading import SERVICE, everything, load, rows_of, settings_for, state, transaction, value_of, write_feed
from warehouse.errors import ConfigurationError, DataRefusedError, TransientTargetError

SHARE = "transactions.max_rejected_share"


def delivery(folder: Path, expectations: str = "", *, good: int = 8, bad: int = 2) -> Path:
    """A service and transactions: amounts of 1000 XOF, some bad; what is expected of them."""
    rows = [transaction(n) for n in range(good)] + [transaction(100 + n, amount="x") for n in range(bad)]
    write_feed(folder, "services", [SERVICE])
    write_feed(folder, "transactions", rows)
    if expectations:
        (folder / "feeds.toml").write_text(expectations)
    return folder


def untouched(url: str) -> dict[str, str]:
    """All but the record of runs."""
    return {name: rows for name, rows in everything(url).items() if name not in ("ops.run", "ops.step", "ops.setting")}


MET = """
[expectations.transactions]
max_rejected_share = 0.2
min_rows = 10
max_rows = 10
amount.XOF = { min = 8000, max = "8000.00" }
commission.XOF = { total = 0 }
[expectations.services]
max_rejected_share = 0
min_rows = 1
"""


def test_a_batch_that_is_what_is_expected(database_url: str, tmp_path: Path) -> None:
    summary = load(delivery(tmp_path, MET), database_url)
    assert (summary.status, summary.gate, summary.rows.loaded) == ("done", [], 9)


BREACHES = {
    "max_rejected_share = 0.1": (SHARE, "2 of 10 rows refused (20.00%), acceptable are 10.00%: 1 too many", 0.2),
    "max_rejected_share = 0": (SHARE, "most often amount_invalid (2)", 0.2),
    "min_rows = 12": ("transactions.min_rows", "10 rows, expected are at least 12: 2 too few", 10),
    "max_rows = 3": ("transactions.max_rows", "10 rows, expected are at most 3: 7 too many", 10),
    "amount.XOF = { min = 8000.5 }": ("transactions.amount.XOF", "at least 8,000.5: 0.5 too little", 8000),
    "amount.XOF = { max = 7000 }": (
        "transactions.amount.XOF",
        "8,000 XOF, expected are at most 7,000: 1,000 too",
        8000,
    ),
    "amount.XOF.total = 8001": ("transactions.amount.XOF", "at least 8,001: 1 too little", 8000),
    "commission.GHS.min = 1": ("transactions.commission.GHS", "commission of 0.00 GHS, expected are at least 1", 0),
}


@pytest.mark.parametrize("declared", BREACHES)
@pytest.mark.parametrize("of_file", [False, True], ids=["of a feed", "of a file"])
def test_a_batch_that_is_not(database_url: str, tmp_path: Path, declared: str, *, of_file: bool) -> None:
    name, text, found = BREACHES[declared]
    table = f"[expectations.transactions]\n{declared}\n"
    if of_file:
        table = f'[[source]]\nfeed = "transactions"\nfiles = "transactions*"\n[source.expectations]\n{declared}\n'
        table += '[[source]]\nfeed = "services"\nfiles = "services*"\n'
    before = untouched(database_url)
    folder = delivery(tmp_path, table)
    with pytest.raises(DataRefusedError, match=re.escape(text)) as refused:
        load(folder, database_url)
    assert untouched(database_url) == before
    assert f"--accept {name}" in refused.value.remedy
    run = "SELECT status, rows_read, rows_loaded, rows_rejected, summary -> 'gate' FROM ops.run"
    ((status, *counts, gate),) = rows_of(database_url, run)
    assert (status, counts) == ("refused", [11, 0, 2])
    (breach,) = gate
    assert (breach["expectation"], breach["found"], breach["accepted"]) == (name, found, False)
    assert breach["of"] == ("transactions.csv" if of_file else "transactions")
    assert gate == refused.value.facts["gate"]

    planned = load(folder, database_url, dry_run=True)
    assert (planned.status, planned.gate) == ("planned", gate)

    accepted = load(folder, database_url, accept=(name,))
    assert accepted.status == "done"
    stored = value_of(database_url, "SELECT summary -> 'gate' FROM ops.run WHERE status = 'done'")
    assert stored == [{**breach, "accepted": True}]
    assert value_of(database_url, "SELECT count(*) FROM dwh.fact_transactions") == 8


def test_all_that_is_not_met_is_named_at_once(database_url: str, tmp_path: Path) -> None:
    folder = delivery(tmp_path, "[expectations.transactions]\nmin_rows = 11\nmax_rejected_share = 0.1\n")
    with pytest.raises(DataRefusedError) as refused:
        load(folder, database_url, accept=("transactions.min_rows",))
    assert "rows refused" in refused.value.message
    assert "too few" not in refused.value.message
    assert [breach["accepted"] for breach in refused.value.facts["gate"]] == [False, True]


def test_by_default_more_than_half_is_too_much_of_a_batch_of_some_size(database_url: str, tmp_path: Path) -> None:
    half = ROWS_OF_DEFAULT // 2
    assert load(delivery(tmp_path / "half", good=half, bad=half), database_url, dry_run=True).gate == []
    few = delivery(tmp_path / "few", good=1, bad=ROWS_OF_DEFAULT - 2)
    assert load(few, database_url, dry_run=True).gate == []
    many = delivery(tmp_path / "many", good=half - 1, bad=half + 1)
    (breach,) = load(many, database_url, dry_run=True).gate
    assert "acceptable are 50.00%: 1 too many" in breach["message"]


def test_the_default_is_a_setting_and_a_declaration_takes_its_place(database_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url, max_rejected_share=0.1)
    strict = delivery(tmp_path / "strict", good=80, bad=20)
    with pytest.raises(DataRefusedError, match=re.escape("acceptable are 10.00%: 10 too many")):
        load(strict, database_url, settings=settings)
    declared = delivery(tmp_path / "declared", "[expectations.transactions]\nmax_rejected_share = 0.3", good=80, bad=20)
    assert load(declared, database_url, settings=settings).status == "done"


def test_all_files_of_a_run_are_one_batch_and_each_its_own(database_url: str, tmp_path: Path) -> None:
    table = '[[source]]\nfeed = "transactions"\nfiles = "transactions*"\n[source.expectations]\nmin_rows = 3\n'
    table += "[expectations.transactions]\nmax_rows = 5\namount.XOF.total = 6000\n"
    folder = delivery(tmp_path, table, good=3, bad=0)
    write_feed(folder, "transactions", [transaction(n, service_id="S1") for n in (7, 8, 9)], ending="_2")
    write_feed(folder, "transactions", [transaction(n) for n in (3,)], ending="_3")
    table += '[[source]]\nfeed = "services"\nfiles = "services*"\n'
    (folder / "feeds.toml").write_text(table)
    found = [(breach["of"], breach["expectation"]) for breach in load(folder, database_url, dry_run=True).gate]
    assert found == [
        ("transactions", "transactions.max_rows"),
        ("transactions", "transactions.amount.XOF"),
        ("transactions_3.csv", "transactions.min_rows"),
    ]


def test_feeds_that_did_not_come_are_not_judged(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    (tmp_path / "feeds.toml").write_text("[expectations.transactions]\nmin_rows = 1\n")
    assert load(tmp_path, database_url).status == "done"


def test_what_an_interrupted_run_began_to_publish_is_finished(database_url: str, tmp_path: Path) -> None:
    folder = delivery(tmp_path, "[expectations.transactions]\nmin_rows = 12\n")
    away = TransientTargetError("away")
    with mock.patch("engine.publish.attach", side_effect=away), pytest.raises(TransientTargetError):
        load(folder, database_url, accept=("transactions.min_rows",))
    summary = load(folder, database_url)
    assert (summary.status, [breach["accepted"] for breach in summary.gate]) == ("done", [False])


def test_the_same_batch_is_refused_again_and_loads_once_it_is_whole(database_url: str, tmp_path: Path) -> None:
    folder = delivery(tmp_path, "[expectations.transactions]\nmin_rows = 12\n")
    for _ in range(2):
        with pytest.raises(DataRefusedError):
            load(folder, database_url)
    before = state(database_url)
    delivery(tmp_path, good=10)
    assert load(folder, database_url).rows.loaded == 11
    assert state(database_url) != before


def test_a_changed_expectation_is_no_other_mapping(database_url: str, tmp_path: Path) -> None:
    folder = delivery(tmp_path, MET)
    load(folder, database_url)
    delivery(tmp_path, MET.replace("min_rows = 10", "min_rows = 9"))
    assert load(folder, database_url).status == "nothing"


@pytest.mark.parametrize("name", ["rows", "transactions", "transaction.min_rows", "services.amount.XOF", "all"])
def test_a_name_that_no_expectation_has(database_url: str, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="no expectation"):
        load(delivery(tmp_path), database_url, accept=(name,))


def test_a_currency_that_there_is_not(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected in XFO"):
        load(delivery(tmp_path, "[expectations.transactions]\namount.XFO.min = 1\n"), database_url)


def test_sums_are_exact_however_large(database_url: str, tmp_path: Path) -> None:
    most = 10**14 - 1
    write_feed(tmp_path, "services", [SERVICE])
    rows: list[dict[str, Any]] = [
        transaction(n, amount=f"{most}.99", currency="GHS", commission="") for n in range(1001)
    ]
    write_feed(tmp_path, "transactions", rows)
    total = Decimal(f"{most}.99") * 1001
    (tmp_path / "feeds.toml").write_text(f'[expectations.transactions]\namount.GHS.total = "{total}"\n')
    assert load(tmp_path, database_url, dry_run=True).gate == []
