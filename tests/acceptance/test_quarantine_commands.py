"""Quarantine and gate as a person meets them: lists, files to correct, replays, refusals."""

import csv
import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import (
    IDENTIFIERS,
    SERVICE,
    cauri,
    cauri_process,
    everything,
    rows_of,
    sample_folder,
    transaction,
    truth_of,
    value_of,
    write_feed,
)
from tests.webhook import receiving

PLAN = SamplePlan(rows=3_000, months=2, dirty_share=0.02, dialect="mixed")
SHARE = "transactions.max_rejected_share"


@pytest.fixture(scope="module")
def sampled(template_database: tuple[str, str]) -> Iterator[str]:
    """A warehouse with a sample; nobody changes it."""
    with copied_database(*template_database) as url:
        assert cauri("load", sample_folder(PLAN), "--quiet", url=url).code == 0
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "feeds"
    write_feed(folder, "services", [SERVICE])
    rows = [transaction(1), transaction(2, service_id="S2"), transaction(3, amount="12 francs", client_id="CLI-0003")]
    write_feed(folder, "transactions", rows)
    return folder


@pytest.fixture
def url(database_url: str, folder: Path) -> str:
    assert cauri("load", folder, "--quiet", url=database_url).code == 0
    return database_url


def late_service(url: str, folder: Path) -> None:
    write_feed(folder, "services", [{**SERVICE, "service_id": "S2"}])
    assert cauri("load", folder, "--quiet", url=url).code == 0


def test_list_says_what_to_do(url: str) -> None:
    told = cauri("quarantine", "list", url=url).out
    assert "service_id_unknown" in told
    assert "load the service, then replay" in told
    assert "transactions.csv row 3: amount_invalid" in told
    assert "12 francs" not in told
    assert "12 francs" in cauri("quarantine", "list", "--values", url=url).out


def test_list_by_choice_and_in_json(url: str) -> None:
    document = cauri("quarantine", "list", "--reason", "amount_invalid", "--json", url=url).json
    assert document["open"] == 1
    (count,) = document["by_reason"]
    assert (count["feed"], count["reason"], count["rows"], count["files"]) == ("transactions", "amount_invalid", 1, 1)
    (row,) = document["rows"]
    assert (row["file_name"], row["row_number"], row["attempts"], row["values"]) == ("transactions.csv", 3, 0, None)
    none = cauri("quarantine", "list", "--file", "clients*", url=url)
    assert (none.code, none.out) == (0, "No open row is chosen; there are some of transactions.\n")
    assert cauri("quarantine", "list", "--since", "2999-01-01", "--json", url=url).json["open"] == 0


@pytest.mark.parametrize("command", ["list", "replay"])
def test_a_feed_that_is_none(url: str, command: str) -> None:
    done = cauri("quarantine", command, "--feed", "transaction", url=url)
    assert done.code == 2
    assert "services, channels" in done.err


def test_nothing_is_there(database_url: str, tmp_path: Path) -> None:
    assert cauri("quarantine", "list", url=database_url).out == "Quarantine is empty.\n"
    exported = cauri("quarantine", "export", tmp_path / "out", url=database_url)
    assert (exported.code, "Quarantine is empty" in exported.err) == (99, True)
    assert not (tmp_path / "out").exists()
    replayed = cauri("quarantine", "replay", "--json", "--quiet", url=database_url)
    assert (replayed.code, replayed.json["status"]) == (99, "nothing")


def test_an_export_holds_every_row_whole_and_is_for_its_owner_only(sampled: str, tmp_path: Path) -> None:
    before = everything(sampled)
    done = cauri("quarantine", "export", tmp_path / "out", url=sampled)
    assert done.code == 0
    assert "0600" in done.out
    rows = []
    for path in (tmp_path / "out").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text(encoding="utf-8-sig")
        delimiter = text.removeprefix("cauri_id")[0]
        rows += list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert len(rows) == sum(feed["rejected"] for feed in truth_of(sample_folder(PLAN))["feeds"].values())
    assert len({row["cauri_id"] for row in rows}) == len(rows)
    assert any("CLI-0" in str(row) for row in rows)
    assert not any(word in done.told for word in IDENTIFIERS)
    assert everything(sampled) == before


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_an_export_never_replaces_a_file(url: str, tmp_path: Path, mode: int) -> None:
    out = tmp_path / "refused.csv"
    out.write_text("hours of work")
    out.chmod(mode)
    done = cauri("quarantine", "export", out, url=url)
    assert (done.code, out.read_text()) == (2, "hours of work")
    assert "is there already" in done.err


def test_a_replay_from_beginning_to_end(url: str, folder: Path, tmp_path: Path) -> None:
    """The real command: see, wait for the service, replay, correct the rest, send it back, compare."""
    late_service(url, tmp_path / "late")
    home = tmp_path / "home"
    with cauri_process("quarantine", "replay", "--json", url=url, home=home) as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert not any(word in out + err for word in ("12 francs", "CLI-0003"))
    assert value_of(url, "SELECT summary -> 'rows' ->> 'loaded' FROM ops.run WHERE command = 'replay'") == "1"
    assert "replay 3" in cauri("status", url=url).out

    exported = tmp_path / "refused.csv"
    assert cauri("quarantine", "export", exported, url=url).code == 0
    exported.write_text(exported.read_text(encoding="utf-8-sig").replace("12 francs", "12"), encoding="utf-8")
    planned = cauri("quarantine", "replay", exported, "--dry-run", "--quiet", url=url)
    assert "Dry run: 1 of 1 rows" in planned.out
    done = cauri("quarantine", "replay", exported, url=url, home=home)
    assert done.code == 0
    assert "Resolved 1 of 1 rows" in done.out
    assert rows_of(url, "SELECT transaction_id, amount_minor FROM dwh.fact_transactions ORDER BY 1") == [
        ("T1", 1000),
        ("T2", 1000),
        ("T3", 12),
    ]
    assert cauri("compare", folder, "--quiet", url=url).code == 0
    assert cauri("quarantine", "replay", exported, "--quiet", url=url).code == 99
    assert cauri("quarantine", "list", url=url).out == "Quarantine is empty.\n"
    log = (home / "logs" / "cauri.log").read_text()
    assert not any(word in log for word in ("12 francs", "CLI-0003"))


def test_a_corrected_file_and_a_choice_contradict_each_other(url: str, tmp_path: Path) -> None:
    done = cauri("quarantine", "replay", tmp_path / "x.csv", "--feed", "clients", url=url)
    assert (done.code, "leave out either" in done.err) == (2, True)
    done = cauri("quarantine", "replay", tmp_path / "x.csv", url=url)
    assert (done.code, "cannot be read" in done.err) == (2, True)


def test_a_sample_whose_services_came_late_agrees_afterwards(
    template_database: tuple[str, str], tmp_path: Path
) -> None:
    """Twice, and with all rows of every feed and dialect."""
    with copied_database(*template_database) as url:
        assert cauri("load", sample_folder(PLAN), "--quiet", url=url).code == 0
        unknown = [{**SERVICE, "service_id": name} for name in ("SVC-999", "XXX", "SAL_BULK")]
        write_feed(tmp_path, "services", unknown)
        assert cauri("load", tmp_path, "--quiet", url=url).code == 0
        waiting = truth_of(sample_folder(PLAN))["feeds"]["transactions"]["rejected_by_reason"]["service_id_unknown"]
        first = cauri("quarantine", "replay", "--json", "--quiet", url=url).json["rows"]
        assert (first["loaded"], first["updated"], first["repeated"]) == (waiting, 0, 0)
        second = cauri("quarantine", "replay", "--json", "--quiet", url=url).json["rows"]
        assert second == {**first, "read": first["rejected"], "loaded": 0}
        assert cauri("compare", sample_folder(PLAN), "--quiet", url=url).code == 0


def test_the_gate_refuses_says_why_and_tells_others(database_url: str, folder: Path, tmp_path: Path) -> None:
    (folder / "feeds.toml").write_text("[expectations.transactions]\nmax_rejected_share = 0.5\nmin_rows = 5\n")
    with receiving() as received:
        variables = {"CAURI_ALERT_URL": received.url, "CAURI_ALERT_SECRET": "s"}
        done = cauri("load", folder, "--quiet", url=database_url, home=tmp_path / "home", variables=variables)
    assert done.code == 3
    assert "2 of 3 rows refused (66.67%), acceptable are 50.00%: 1 too many" in done.err
    assert "3 rows, expected are at least 5: 2 too few" in done.err
    assert f"--accept {SHARE} --accept transactions.min_rows" in done.err
    alert = json.loads(received.received[-1][1])
    assert (alert["event"], alert["run"]) == ("refused", 1)
    assert "refused" in cauri("status", url=database_url).out
    assert value_of(database_url, "SELECT count(*) FROM ops.quarantine") == 0

    in_json = cauri("load", folder, "--quiet", "--json", url=database_url)
    assert (in_json.code, in_json.json["status"]) == (3, "refused")
    assert [breach["expectation"] for breach in in_json.json["gate"]] == [SHARE, "transactions.min_rows"]

    planned = cauri("load", folder, "--quiet", "--dry-run", url=database_url)
    assert planned.code == 3
    assert "Gate, would be refused: transactions: 2 of 3" in planned.out
    assert cauri("load", folder, "--accept", "transactions.rows", url=database_url).code == 2

    accepted = ("--accept", SHARE, "--accept", "transactions.min_rows")
    done = cauri("load", folder, *accepted, "--quiet", url=database_url)
    assert done.code == 0
    assert f"Gate, accepted by --accept {SHARE}" in done.out
    assert value_of(database_url, "SELECT count(*) FROM dwh.fact_transactions") == 1


def test_the_gate_of_a_nightly_run(database_url: str, folder: Path, tmp_path: Path) -> None:
    (folder / "feeds.toml").write_text("[expectations.transactions]\nmin_rows = 5\n")
    arguments = ("nightly", folder, "--settle", 0, "--quiet")
    assert cauri(*arguments, url=database_url, home=tmp_path).code == 3
    variables = {"CAURI_ACCEPT": "transactions.min_rows"}
    assert cauri(*arguments, url=database_url, home=tmp_path, variables=variables).code == 0
