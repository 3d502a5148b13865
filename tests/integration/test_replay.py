"""Refused rows that are sent through the load again."""

import json
import stat
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.quarantine import Box
from engine.selection import Selection
from tests.database import copied_database
from tests.integration.test_load import assert_summary_agrees, dumped
from tests.loading import (
    KEYRING,
    SERVICE,
    Silence,
    client,
    content,
    everything,
    execute,
    load,
    rows_of,
    state,
    transaction,
    value_of,
    write_feed,
)
from tests.replaying import accounts, differs, export, open_rows, replay, rewrite
from warehouse.errors import ConfigurationError, SourceError

S2 = {**SERVICE, "service_id": "S2"}
FACTS = "SELECT transaction_id, amount_minor FROM dwh.fact_transactions ORDER BY 1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rows of an unknown service, of an unknown currency, a bad amount, and good ones."""
    folder = tmp_path / "feeds"
    rows = [
        transaction(1),
        transaction(2, service_id="S2"),
        transaction(3, service_id="S2", transaction_ts="2024-02-10T10:00:00Z"),
        transaction(4, amount="1 000 F"),
        transaction(5, currency="ZZZ", service_id="S2"),
    ]
    write_feed(folder, "services", [SERVICE])
    write_feed(folder, "transactions", rows)
    return folder


@pytest.fixture
def url(database_url: str, folder: Path) -> str:
    load(folder, database_url)
    return database_url


def services(url: str, folder: Path) -> Path:
    """Load the service that was missing."""
    write_feed(folder, "services", [S2])
    load(folder, url)
    return folder


def test_a_row_whose_service_is_known_now_lands(url: str, folder: Path, tmp_path: Path) -> None:
    services(url, tmp_path / "later")
    summary = replay(url)
    assert summary.status == "done"
    assert summary.rows.as_dict() == {"read": 4, "loaded": 2, "updated": 0, "repeated": 0, "rejected": 2}
    assert rows_of(url, FACTS) == [("T1", 1000), ("T2", 1000), ("T3", 1000)]
    assert [(row.row_number, row.reasons, row.attempts) for row in open_rows(url)] == [
        (4, ["amount_invalid"], 1),
        (5, ["currency_unknown"], 1),
    ]
    assert accounts(url) == []
    assert differs(url, folder) == []
    assert_summary_agrees(url)


def test_the_books_of_the_file_follow(url: str, tmp_path: Path) -> None:
    services(url, tmp_path / "later")
    replay(url)
    books = "SELECT rows_read, rows_loaded, rows_rejected FROM ops.file WHERE feed = 'transactions'"
    assert rows_of(url, books) == [(5, 3, 2)]
    run = "SELECT command, status, rows_read, rows_loaded, rows_rejected FROM ops.run ORDER BY run_id DESC LIMIT 1"
    assert rows_of(url, run) == [("replay", "done", 4, 2, 2)]
    resolved = "SELECT row_number, attempts, resolved_run_id = last_run_id, resolved_at IS NOT NULL FROM ops.quarantine"
    assert sorted(rows_of(url, f"{resolved} WHERE state = 'resolved'")) == [(2, 1, True, True), (3, 1, True, True)]


def test_replaying_twice_resolves_once(url: str, tmp_path: Path) -> None:
    services(url, tmp_path / "later")
    chosen = Selection(reason="service_id_unknown")
    assert replay(url, selection=chosen).rows.loaded == 2
    before = everything(url)
    assert replay(url, selection=Selection(run=1, reason="service_id_unknown")).status == "nothing"
    assert everything(url) == before
    again = replay(url)
    assert again.rows.as_dict() == {"read": 2, "loaded": 0, "updated": 0, "repeated": 0, "rejected": 2}
    assert [row.attempts for row in open_rows(url)] == [1, 2]


def test_a_replay_that_refuses_all_again_can_be_followed_by_one_that_loads_all(url: str, tmp_path: Path) -> None:
    """The same rows with the same values are other work the next time."""
    assert replay(url, selection=Selection(reason="service_id_unknown")).rows.rejected == 3
    services(url, tmp_path / "later")
    assert replay(url, selection=Selection(reason="service_id_unknown")).rows.loaded == 2


def test_a_dry_run_changes_nothing(url: str, tmp_path: Path) -> None:
    services(url, tmp_path / "later")
    before = everything(url)
    summary = replay(url, dry_run=True)
    assert (summary.status, summary.rows.loaded, summary.rows.rejected) == ("planned", 2, 2)
    assert everything(url) == before


def test_a_moment_that_was_in_the_future(database_url: str, tmp_path: Path) -> None:
    """The clock of the source was ahead: by now the moment is past."""
    write_feed(tmp_path, "services", [SERVICE])
    write_feed(tmp_path, "transactions", [transaction(1, transaction_ts="2031-01-01T00:00:00Z")])
    load(tmp_path, database_url)
    assert replay(database_url).rows.rejected == 1
    write_feed(tmp_path, "transactions", [transaction(1)])
    values = {**transaction(1, transaction_ts="2024-01-01T00:00:00Z")}
    sealed = Box(KEYRING).seal(json.dumps(values))
    execute(database_url, "UPDATE ops.quarantine SET payload = %s", sealed)
    assert replay(database_url).rows.loaded == 1


def test_the_row_is_the_same_as_if_it_had_been_good_at_once(
    url: str, folder: Path, tmp_path: Path, template_database: tuple[str, str]
) -> None:
    later = services(url, tmp_path / "later")
    replay(url)
    with copied_database(*template_database) as undisturbed:
        load(later, undisturbed)
        load(folder, undisturbed)
        assert content(url) == content(undisturbed)
        assert state(url)["file"] == state(undisturbed)["file"]
        assert [(row.row_number, row.reasons) for row in open_rows(url)] == [
            (row.row_number, row.reasons) for row in open_rows(undisturbed)
        ]


def test_nothing_is_open(database_url: str) -> None:
    assert replay(database_url).status == "nothing"
    assert value_of(database_url, "SELECT count(*) FROM ops.run") == 0


SELECTIONS = {
    "feed": (Selection(feed="clients"), 0),
    "reason": (Selection(reason="amount_invalid"), 1),
    "file": (Selection(file="trans*.csv"), 4),
    "a name with a wildcard of SQL": (Selection(file="transactions_csv"), 0),
    "run": (Selection(run=1), 4),
    "another run": (Selection(run=2), 0),
    "since": (Selection(since=date(2100, 1, 1)), 0),
    "until": (Selection(until=date(2100, 1, 1)), 4),
}


@pytest.mark.parametrize(("selection", "rows"), SELECTIONS.values(), ids=SELECTIONS)
def test_what_is_chosen(url: str, selection: Selection, rows: int) -> None:
    assert replay(url, selection=selection).rows.read == rows


def test_a_feed_that_does_not_exist() -> None:
    with pytest.raises(ConfigurationError, match="no feed 'transaction'"):
        Selection(feed="transaction")


def test_a_corrected_file(url: str, folder: Path, tmp_path: Path) -> None:
    (path,) = export(url, tmp_path / "out")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    header = path.read_text(encoding="utf-8-sig").splitlines()[0]
    assert header.startswith("cauri_id,cauri_file,cauri_row,cauri_reasons,cauri_line,transaction_id,transaction_ts")
    rewrite(path, [("1 000 F", "777"), ("ZZZ", "XOF"), (",S2,", ",S1,")])
    summary = replay(url, corrected=path)
    assert summary.rows.as_dict() == {"read": 4, "loaded": 4, "updated": 0, "repeated": 0, "rejected": 0}
    assert rows_of(url, FACTS) == [("T1", 1000), ("T2", 1000), ("T3", 1000), ("T4", 777), ("T5", 1000)]
    assert (open_rows(url), accounts(url)) == ([], [])
    assert differs(url, folder) == []
    watcher = Silence()
    assert replay(url, corrected=path, watcher=watcher).status == "nothing"
    assert any("4 row(s)" in said and "resolved already" in said for said in watcher.said)


def test_a_correction_that_is_wrong_again_is_kept(url: str, folder: Path, tmp_path: Path) -> None:
    (path,) = export(url, tmp_path / "out", Selection(reason="amount_invalid"))
    replay(url, corrected=rewrite(path, [("1 000 F", "-1000")]))
    (row,) = [row for row in open_rows(url) if row.row_number == 4]
    assert (row.reasons, row.is_corrected, (row.values or {})["amount"]) == (["amount_negative"], True, "-1000")
    assert not any("1 000 F" in text or "-1000" in text for text in dumped(url))
    (again,) = export(url, tmp_path / "again", Selection(reason="amount_negative"))
    assert replay(url, corrected=rewrite(again, [("-1000", "1000")])).rows.loaded == 1
    assert differs(url, folder) == []


def test_a_corrected_client_is_found_for_its_erasure(url: str, tmp_path: Path) -> None:
    (path,) = export(url, tmp_path / "out", Selection(reason="amount_invalid"))
    replay(url, corrected=rewrite(path, [(",C1,", ",C2,")]))
    refs = "SELECT client_ref <> correction_ref FROM ops.quarantine WHERE correction_ref IS NOT NULL"
    assert rows_of(url, refs) == [(True,)]


def test_rows_that_the_corrected_file_lacks_stay_as_they_are(url: str, tmp_path: Path) -> None:
    (path,) = export(url, tmp_path / "out")
    lines = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    path.write_text("".join([lines[0], *(line for line in lines[1:] if "1 000 F" in line)]).replace("1 000 F", "5"))
    assert replay(url, corrected=path).rows.read == 1
    assert [row.attempts for row in open_rows(url)] == [0, 0, 0]


SPOILT: dict[str, tuple[list[tuple[str, str]], str]] = {
    "no id": ([("cauri_id", "id")], "lacks, or names twice, cauri_id"),
    "a heading is gone": ([(",amount,", ",betrag,")], "'amount', 'betrag' is not both"),
    "an id of another warehouse": ([("\n1,", "\n9001,")], "1 of the 4 rows"),
    "an id that is no number": ([("\n1,", "\nx,")], "is no number"),
    "an id twice": ([("\n2,", "\n1,")], "twice"),
    "the ids of other rows": ([("\n1,transactions.csv,2,", "\n1,transactions.csv,3,")], "is row 2 of transactions.csv"),
    "a field too many": ([("1 000 F", "1,000")], "fields, but the header has"),
}


@pytest.mark.parametrize(("changes", "message"), SPOILT.values(), ids=SPOILT)
def test_a_corrected_file_that_cannot_be_told(
    url: str, tmp_path: Path, changes: list[tuple[str, str]], message: str
) -> None:
    (path,) = export(url, tmp_path / "out")
    before = everything(url)
    with pytest.raises(SourceError, match=message):
        replay(url, corrected=rewrite(path, changes))
    assert everything(url) == before


def test_an_export_replaces_nothing(url: str, tmp_path: Path) -> None:
    export(url, tmp_path / "out")
    with pytest.raises(ConfigurationError, match="is there already"):
        export(url, tmp_path / "out")


def test_rows_of_different_headings_need_a_folder(url: str, tmp_path: Path) -> None:
    write_feed(tmp_path / "more", "clients", [client("C1", "never")])
    load(tmp_path / "more", url)
    with pytest.raises(ConfigurationError, match="cannot stand in one file"):
        export(url, tmp_path / "all.csv")
    assert not (tmp_path / "all.csv").exists()
    assert {path.name: rows for path, rows in export(url, tmp_path / "all").items()} == {
        "clients.csv": 1,
        "transactions.csv": 4,
    }


def test_lines_of_another_form_are_filled_in_by_hand(database_url: str, tmp_path: Path) -> None:
    feeds = tmp_path / "feeds"
    write_feed(feeds, "services", [SERVICE])
    path = write_feed(feeds, "transactions", [transaction(1)])
    lines = ["T3,few", 'T4,"two\nlines",C1,S1,APP,ABJ,B,XOF,1,0,SUCCESS,1,', 'T2,2024-01-15,"open']
    with path.open("a", encoding="utf-8") as stream:
        stream.write("".join(f"{line}\n" for line in lines))
    load(feeds, database_url)
    assert {tuple(row.reasons) for row in open_rows(database_url)} == {
        ("unclosed_quote",),
        ("too_few_fields",),
        ("line_break",),
    }
    assert replay(database_url).rows.rejected == 3
    assert [(row.values or {})["line"] for row in open_rows(database_url)] == lines
    (out,) = export(database_url, tmp_path / "out.csv")
    frame = pl.read_csv(out, infer_schema=False)
    good: dict[str, Any] = transaction(7)
    filled = frame.with_columns(
        pl.when(pl.col("cauri_row") == "3").then(pl.lit(good[name])).otherwise(name).alias(name) for name in good
    ).with_columns(
        pl.when(pl.col("cauri_row") == "2")
        .then(pl.lit(",".join(str(value) for value in transaction(8).values())))
        .otherwise("cauri_line")
        .alias("cauri_line")
    )
    filled.write_csv(out)
    summary = replay(database_url, corrected=out)
    assert (summary.rows.loaded, summary.rows.rejected) == (2, 1)
    assert [row for (row,) in rows_of(database_url, "SELECT transaction_id FROM dwh.fact_transactions ORDER BY 1")] == [
        "T1",
        "T7",
        "T8",
    ]
    assert differs(database_url, feeds) == []


FRENCH = (
    "Identifiant transaction;Date transaction;Identifiant client;Identifiant service;Devise;Montant;Statut\n"
    "T1;15/01/2024 10:00;C1;S1;XOF;1 000,00;SUCCESS\n"
    "T2;15/01/2024 11:00;C1;S9;GHS;1 500,25;SUCCESS\n"
    "T3;15/01/2024 11:00;Koné é;S1;GHS;1.500;SUCCESS\n"
)


def test_the_decimal_mark_of_the_file_is_remembered(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "feeds"
    write_feed(folder, "services", [SERVICE])
    (folder / "transactions.csv").write_bytes(FRENCH.encode("cp1252"))
    load(folder, database_url)
    write_feed(tmp_path / "later", "services", [{**SERVICE, "service_id": "S9"}])
    load(tmp_path / "later", database_url)
    assert replay(database_url).rows.as_dict() == {"read": 2, "loaded": 1, "updated": 0, "repeated": 0, "rejected": 1}
    assert (
        value_of(database_url, "SELECT amount_minor FROM dwh.fact_transactions WHERE transaction_id = 'T2'") == 150025
    )
    (out,) = export(database_url, tmp_path / "out.csv")
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].endswith(
        ";Identifiant transaction;Date transaction;Identifiant client;Identifiant service;Devise;Montant;Statut"
    )
    assert lines[1].endswith("T3;15/01/2024 11:00;Koné é;S1;GHS;1.500;SUCCESS")
    # As a spreadsheet of Windows would save it.
    out.write_bytes("\r\n".join(lines).replace("1.500", "1500,00").encode("cp1252"))
    assert replay(database_url, corrected=out).rows.loaded == 1
    assert (
        value_of(database_url, "SELECT amount_minor FROM dwh.fact_transactions WHERE transaction_id = 'T3'") == 150000
    )
    assert differs(database_url, folder) == []


MAPPED = """
[[source]]
feed = "transactions"
files = "export*.csv"
[source.columns]
transaction_id = {{ expr = "'R' || row_number" }}
status = {{ expr = "CASE etat WHEN 'OK' THEN 'SUCCESS' {more} ELSE etat END" }}
currency = {{ const = "XOF" }}
[[source]]
feed = "services"
rows = [{{ service_id = "S1", service_name = "Salaries" }}]
"""


def mapped(folder: Path, more: str = "") -> Path:
    path = folder / "feeds.toml"
    path.write_text(MAPPED.format(more=more))
    return path


@pytest.fixture
def mapped_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mapped"
    folder.mkdir()
    mapped(folder)
    lines = ["transaction_ts,client_id,service_id,amount,etat"]
    lines += [
        f"2024-01-15T10:00:00Z,C1,S1,{amount},{etat}" for amount, etat in ((1, "OK"), (2, "KO"), (3, "OK"), (4, "KO"))
    ]
    (folder / "export.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_another_mapping_and_the_number_of_the_row(database_url: str, mapped_folder: Path) -> None:
    load(mapped_folder, database_url)
    assert [row.reasons for row in open_rows(database_url)] == [["status_unknown"], ["status_unknown"]]
    assert replay(database_url).rows.rejected == 2
    other = mapped(mapped_folder.parent, more="WHEN 'KO' THEN 'FAILED'")
    assert replay(database_url, mapping=other).rows.loaded == 2
    assert rows_of(database_url, FACTS) == [("R1", 1), ("R2", 2), ("R3", 3), ("R4", 4)]
    assert accounts(database_url) == []
    assert differs(database_url, mapped_folder) == []
    assert differs(database_url, mapped_folder, mapping=other) == []


def test_reading_the_file_again_under_another_mapping_closes_its_rows(database_url: str, mapped_folder: Path) -> None:
    load(mapped_folder, database_url)
    mapped(mapped_folder, more="WHEN 'KO' THEN 'FAILED'")
    summary = load(mapped_folder, database_url)
    assert (summary.rows.loaded, summary.rows.repeated, summary.rows.rejected) == (2, 2, 0)
    assert open_rows(database_url) == []
    assert differs(database_url, mapped_folder) == []


def test_rows_that_are_refused_under_both_mappings_are_open_once(database_url: str, mapped_folder: Path) -> None:
    load(mapped_folder, database_url)
    mapped(mapped_folder, more="WHEN 'NO' THEN 'FAILED'")
    load(mapped_folder, database_url)
    assert [row.row_number for row in open_rows(database_url)] == [2, 4]
    assert differs(database_url, mapped_folder) == []


def test_typed_columns_have_their_types_again(database_url: str, tmp_path: Path) -> None:
    """An expression of the mapping may count on them."""
    folder = tmp_path / "feeds"
    folder.mkdir()
    frame = pl.DataFrame({name: [value, value] for name, value in transaction(1).items()}).with_columns(
        transaction_id=pl.Series(["T1", "T2"]),
        transaction_ts=pl.Series(["2024-01-15 10:00:00.25", "2024-01-16 23:30:00"])
        .str.to_datetime("%F %T%.f", time_unit="ns")
        .dt.replace_time_zone("Africa/Nairobi"),
        cents=pl.Series(["10.50", "20.25"]).cast(pl.Decimal(12, 2)),
        service_id=pl.lit("S2"),
        processing_ms=pl.lit(12, pl.Int16),
        updated_at=pl.lit(None, pl.Datetime("us")),
    )
    frame.drop("amount", "commission").write_parquet(folder / "transactions.parquet")
    (folder / "feeds.toml").write_text(
        '[[source]]\nfeed = "transactions"\nfiles = "*.parquet"\n[source.columns]\namount = { expr = "cents * 100" }\n'
    )
    load(folder, database_url)
    services(database_url, tmp_path / "later")
    assert replay(database_url).rows.loaded == 2
    facts = (
        "SELECT transaction_id, amount_minor, transaction_ts AT TIME ZONE 'UTC' FROM dwh.fact_transactions ORDER BY 1"
    )
    assert [(name, amount, f"{moment:%F %T.%f}") for name, amount, moment in rows_of(database_url, facts)] == [
        ("T1", 1050, "2024-01-15 07:00:00.250000"),
        ("T2", 2025, "2024-01-16 20:30:00.000000"),
    ]
    assert differs(database_url, folder) == []


def test_every_feed_can_be_replayed(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "feeds"
    write_feed(folder, "services", [SERVICE, {**S2, "commission_rate": "99"}])
    write_feed(folder, "channels", [{"channel_code": "APP", "channel_name": ""}])
    write_feed(folder, "locations", [{"location_code": "ABJ", "latitude": "95", "longitude": "1"}])
    write_feed(folder, "clients", [client("C1", "2024-01-01T00:00:00Z", risk_level="EXTREME")])
    write_feed(folder, "transactions", [transaction(1), transaction(2, service_id="S2")])
    write_feed(
        folder, "fraud_labels", [{"transaction_id": "T1", "is_fraud": "x", "reported_at": "2024-02-01T00:00:00Z"}]
    )
    load(folder, database_url)
    files = export(database_url, tmp_path / "out")
    assert len(files) == 6
    changes = {
        "services": ("99", "1"),
        "channels": ("APP,\n", "APP,App\n"),
        "locations": ("95", "5"),
        "clients": ("EXTREME", "HIGH"),
    }
    changes |= {"fraud_labels": (",x,", ",1,")}
    for name, change in changes.items():
        path = tmp_path / "out" / f"{name}.csv"
        text = path.read_text(encoding="utf-8-sig")
        path.write_text(text.replace(*change), encoding="utf-8-sig")
        summary = replay(database_url, corrected=path)
        assert summary.rows.rejected == 0, name
        assert summary.rows.read == 1, name
    assert replay(database_url).rows.loaded == 1
    assert (open_rows(database_url), accounts(database_url)) == ([], [])
    risks = "SELECT risk_level, is_inferred FROM dwh.dim_client WHERE client_key > 0 AND is_current"
    assert rows_of(database_url, risks) == [("HIGH", False)]
    assert value_of(database_url, "SELECT count(*) FROM ml.fraud_label") == 1
    assert differs(database_url, folder) == []


def test_a_row_that_the_warehouse_has_by_now_is_repeated_or_updates(url: str, tmp_path: Path) -> None:
    services(url, tmp_path / "later")
    newer = transaction(2, service_id="S2", status="REVERSED", updated_at="2024-03-01T00:00:00Z")
    older = transaction(
        3, service_id="S2", status="PENDING", transaction_ts="2024-02-10T10:00:00Z", updated_at="2024-01-01T00:00:00Z"
    )
    write_feed(tmp_path / "more", "transactions", [newer, older])
    load(tmp_path / "more", url)
    summary = replay(url, selection=Selection(reason="service_id_unknown"))
    assert summary.rows.as_dict() == {"read": 3, "loaded": 0, "updated": 1, "repeated": 1, "rejected": 1}
    assert accounts(url) == []
    statuses = "SELECT transaction_id, status_key FROM dwh.fact_transactions ORDER BY 1"
    assert rows_of(url, statuses) == [("T1", 1), ("T2", 4), ("T3", 1)]


def test_a_conflict_stays_refused_until_it_is_newer(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "feeds"
    write_feed(folder, "services", [SERVICE])
    write_feed(folder, "transactions", [transaction(1), transaction(1, amount="2"), transaction(1, amount="3")])
    load(folder, database_url)
    summary = replay(database_url)
    assert (summary.rows.rejected, summary.rows.reasons) == (2, {"conflicting_duplicate": 2})
    assert [row.attempts for row in open_rows(database_url)] == [1, 1]
    (path,) = export(database_url, tmp_path / "out")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    lines[2] = (
        lines[2].replace(",2024-01-15T10:00:00Z", ",2024-01-15T10:00:00Z", 1)[::-1].replace("51-10", "61-10", 1)[::-1]
    )
    path.write_text("\n".join(lines) + "\n")
    assert replay(database_url, corrected=path).rows.as_dict()["updated"] == 1
    assert rows_of(database_url, FACTS) == [("T1", 3)]
    assert differs(database_url, folder) == []


def test_compare_leaves_out_what_is_open_though_it_would_be_good_now(url: str, folder: Path, tmp_path: Path) -> None:
    services(url, tmp_path / "later")
    assert differs(url, folder) == []


def test_rows_of_a_version_that_kept_no_form_are_told(url: str) -> None:
    execute(url, "UPDATE ops.quarantine SET form_id = NULL")
    watcher = Silence()
    assert replay(url, watcher=watcher).status == "nothing"
    assert any("4 row(s) cannot be replayed" in said for said in watcher.said)
