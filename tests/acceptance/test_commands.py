"""Each command by its words: what it prints, in which form, with which exit code."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from cli.main import application
from sample.plan import SamplePlan
from tests.database import copied_database
from tests.loading import (
    IDENTIFIERS,
    cauri,
    cauri_process,
    everything,
    execute,
    rows_of,
    sample_folder,
    state,
    transaction,
    truth_of,
    write_feed,
)
from warehouse.queries import query_names

REPOSITORY = Path(__file__).parents[2]
PLAN = SamplePlan(rows=3_000, months=2, dirty_share=0.01, duplicate_share=0.01, update_share=0.02)
SHAPE = {
    "run_id": int,
    "status": str,
    "rows": dict,
    "rejected_by_reason": dict,
    "leaves": list,
    "seconds": float,
    "rows_per_second": int,
    "peak_rss_bytes": int,
    "steps": list,
}
OUTCOMES = ["read", "loaded", "updated", "repeated", "rejected"]


def commands() -> list[str]:
    """Every command, as it is typed."""

    def below(group: typer.core.TyperGroup, words: tuple[str, ...]) -> Iterator[str]:
        for name, command in group.commands.items():
            if isinstance(command, typer.core.TyperGroup):
                yield from below(command, (*words, name))
            else:
                yield " ".join((*words, name))

    group = typer.main.get_command(application())
    assert isinstance(group, typer.core.TyperGroup)
    return sorted(below(group, ()))


@pytest.fixture(scope="module")
def loaded(template_database: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A warehouse into which `cauri load --json` has loaded a sample, and its home."""
    home = tmp_path_factory.mktemp("home")
    with copied_database(*template_database) as url:
        assert cauri("load", sample_folder(PLAN), "--json", url=url, home=home).code == 0
        yield url, home


def test_help_of_everything() -> None:
    done = cauri("--help", url=None)
    assert done.code == 0
    assert all(command.split()[0] in done.out for command in commands())


def test_the_version() -> None:
    done = cauri("--version", url=None)
    assert (done.code, done.out) == (0, f"cauri {version('cauri')}\n")


@pytest.mark.parametrize("command", commands())
def test_help_of_a_command(command: str) -> None:
    done = cauri(*command.split(), "--help", url=None)
    assert done.code == 0
    assert "Usage: cauri" in done.out


@pytest.mark.parametrize("command", commands())
def test_every_option_has_an_environment_variable(command: str) -> None:
    node = typer.main.get_command(application())
    for word in command.split():
        assert isinstance(node, typer.core.TyperGroup)
        node = node.commands[word]
    bare = [
        option.name
        for option in node.params
        if option.param_type_name == "option" and option.name != "help" and not option.envvar
    ]
    assert [name for name in bare if name not in ("list_names", "values")] == []


@pytest.mark.parametrize("command", commands())
def test_every_command_is_named_in_the_documents(command: str) -> None:
    texts = [
        path.read_text(encoding="utf-8") for path in (REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md"))
    ]
    assert any(f"cauri {command}" in text for text in texts)


def test_the_json_of_a_load_is_all_there_is_on_stdout(database_url: str, tmp_path: Path) -> None:
    with cauri_process("load", sample_folder(PLAN), "--json", url=database_url, home=tmp_path) as process:
        out, err = process.communicate()
    document = json.loads(out)
    assert process.returncode == 0, err
    assert list(document)[: len(SHAPE)] == list(SHAPE)
    assert {name: type(document[name]) for name in SHAPE} == SHAPE
    assert list(document["rows"]) == OUTCOMES
    truth = truth_of(sample_folder(PLAN))
    assert document["rows"] == {name: sum(feed[name] for feed in truth["feeds"].values()) for name in OUTCOMES}
    assert (
        document["feeds"]["transactions"]["rejected_by_reason"] == truth["feeds"]["transactions"]["rejected_by_reason"]
    )
    assert sum(document["rejected_by_reason"].values()) == document["rows"]["rejected"]
    assert [sorted(step) for step in document["steps"]] == [["name", "seconds", "step"]] * 9
    assert [step["step"] for step in document["steps"]] == list(range(1, 10))
    assert all(step["seconds"] >= 0 for step in document["steps"])
    assert sum(step["seconds"] for step in document["steps"]) <= document["seconds"] * 1.05
    assert document["status"] == "done"
    assert document["peak_rss_bytes"] > 50_000_000
    # Progress is for people: on stderr, a line a step.
    assert [line[0] for line in err.splitlines() if re.match(r"\d \w", line)] == list("12345689") or "7 Attach" in err
    stored = rows_of(database_url, "SELECT run_id, summary -> 'rows' FROM ops.run")
    assert stored == [(document["run_id"], document["rows"])]


def test_quiet(database_url: str) -> None:
    assert cauri("load", sample_folder(PLAN), "--json", "--quiet", url=database_url).err == ""


def test_nothing_to_do_is_one_json_object_too(loaded: tuple[str, Path]) -> None:
    done = cauri("load", sample_folder(PLAN), "--json", "--quiet", url=loaded[0], home=loaded[1])
    assert done.code == 99
    assert done.json["status"] == "nothing"
    assert done.json["rows"] == dict.fromkeys(OUTCOMES, 0)
    assert len(done.json["skipped_files"]) == 7
    plain = cauri("load", sample_folder(PLAN), "--quiet", url=loaded[0], home=loaded[1])
    assert (plain.code, plain.out) == (99, "")
    assert "nothing to do: the ledger has the content of all 7" in plain.err


def test_a_usage_error_is_one_json_object_too(database_url: str, tmp_path: Path) -> None:
    done = cauri("load", tmp_path / "nowhere", "--json", "--quiet", url=database_url)
    assert done.code == 2
    assert done.json["status"] == "error"


def test_a_dry_run_changes_nothing(database_url: str, tmp_path: Path) -> None:
    assert cauri("init", url=database_url).code == 0
    before = everything(database_url)
    done = cauri("load", sample_folder(PLAN), "--dry-run", "--json", "--quiet", url=database_url, home=tmp_path)
    assert done.code == 0, done.told
    assert everything(database_url) == before
    assert not (tmp_path / "work").exists() or list((tmp_path / "work").iterdir()) == []
    assert (done.json["status"], done.json["run_id"]) == ("planned", None)
    assert [leaf["action"] for leaf in done.json["leaves"]] == ["build", "build"]
    truth = truth_of(sample_folder(PLAN))["feeds"]["transactions"]
    assert {name: done.json["feeds"]["transactions"][name] for name in OUTCOMES} == {
        name: truth[name] for name in OUTCOMES
    }
    assert "Dry run: nothing was written." in cauri("load", sample_folder(PLAN), "--dry-run", url=database_url).out


def test_a_dry_run_says_what_would_be_merged(loaded: tuple[str, Path], tmp_path: Path) -> None:
    known = {"service_id": "MER-QR"}
    rows = [transaction(1, **known), transaction(2, **known, transaction_ts="2024-05-01T00:00:00Z")]
    write_feed(tmp_path, "transactions", rows)
    done = cauri("load", tmp_path, "--dry-run", "--json", "--quiet", url=loaded[0])
    assert [(leaf["leaf"][-7:], leaf["action"]) for leaf in done.json["leaves"]] == [
        ("2024_01", "merge"),
        ("2024_05", "build"),
    ]


def test_init_says_what_it_did(database_url: str, tmp_path: Path) -> None:
    assert cauri("init", "--json", url=database_url, home=tmp_path).json == {
        "status": "done",
        "applied": [],
        "local": False,
    }
    assert cauri("init", url=database_url, home=tmp_path).out == "The warehouse was ready already.\n"


def test_status_of_an_empty_warehouse(database_url: str) -> None:
    done = cauri("status", url=database_url)
    assert (done.code, done.out) == (
        0,
        "The warehouse is empty. Next: cauri load DIRECTORY (or cauri load for a sample).\n",
    )


def test_status(loaded: tuple[str, Path]) -> None:
    found = cauri("status", "--json", url=loaded[0]).json
    truth = truth_of(sample_folder(PLAN))["feeds"]
    assert {feed["feed"]: feed["read"] for feed in found["files"]} == {
        name: feed["read"] for name, feed in truth.items()
    }
    assert found["freshness"]["transactions"] == truth["transactions"]["loaded"]
    assert found["freshness"]["dirty_cells"] == 0
    assert [leaf["leaves"] for leaf in found["leaves"]] == [2, 2]
    shown = cauri("status", url=loaded[0]).out
    assert all(word in shown for word in ("Last runs", "Rows by feed", "fact_transactions", "dim_client", "Quarantine"))


def test_compare(loaded: tuple[str, Path], database_url: str, tmp_path: Path) -> None:
    equal = cauri("compare", sample_folder(PLAN), "--json", "--quiet", url=loaded[0])
    assert (equal.code, equal.json) == (0, {"status": "equal", "cells": []})
    write_feed(tmp_path, "services", [{"service_id": "S1", "service_name": "Salaries"}])
    write_feed(tmp_path, "transactions", [transaction(1)])
    assert cauri("load", tmp_path, "--quiet", url=database_url).code == 0
    execute(database_url, "UPDATE dwh.fact_transactions SET amount_minor = amount_minor - 1")
    different = cauri("compare", tmp_path, "--quiet", url=database_url)
    assert different.code == 1
    assert all(word in different.out for word in ("20240115", "XOF", "SUCCESS", "amount_minor", "1,000", "999"))
    assert cauri("compare", tmp_path, "--json", "--quiet", url=database_url).json["status"] == "different"


def test_quarantine_shows_values_only_on_request(loaded: tuple[str, Path]) -> None:
    url = loaded[0]
    plain = cauri("quarantine", "list", "--limit", 500, url=url)
    assert plain.code == 0
    assert not any(identifier in plain.out for identifier in IDENTIFIERS)
    assert re.search(r"transactions_2024-0\d\.csv row \d+: \w+", plain.out)
    assert any(
        identifier in cauri("quarantine", "list", "--limit", 500, "--values", url=url).out for identifier in IDENTIFIERS
    )
    document = cauri("quarantine", "list", "--json", url=url).json
    assert len(document["rows"]) == 20
    assert {row["values"] for row in document["rows"]} == {None}
    rejected = truth_of(sample_folder(PLAN))["feeds"]["transactions"]["rejected_by_reason"]
    assert {one["reason"]: one["rows"] for one in document["by_reason"] if one["feed"] == "transactions"} == rejected


def test_refresh_recomputes_what_is_dirty(loaded: tuple[str, Path]) -> None:
    url = loaded[0]
    before = state(url)
    execute(
        url,
        "INSERT INTO ops.dirty_range SELECT date_key, client_key, service_key, 1"
        " FROM dwh.fact_daily_client_summary ORDER BY 1, 2, 3 LIMIT 5 ON CONFLICT DO NOTHING",
    )
    execute(
        url,
        "UPDATE dwh.fact_daily_client_summary s SET amount_minor = 0, anomalies = 99 FROM ops.dirty_range d"
        " WHERE (s.date_key, s.client_key, s.service_key) = (d.date_key, d.client_key, d.service_key)",
    )
    done = cauri("refresh", "--json", url=url)
    assert done.code == 0
    assert done.json["refreshed_views"][0] == "mv_daily_kpi"
    assert done.json["recomputed_cells"] > 0
    assert state(url) == before


def test_sql_needs_no_database() -> None:
    nowhere = "postgresql://127.0.0.1:1/nowhere"
    listed = cauri("sql", "--list", url=nowhere)
    assert set(query_names()) <= set(listed.out.split())
    everything_printed = cauri("sql", url=nowhere).out
    assert "CREATE TABLE dwh.fact_transactions" in everything_printed
    one = cauri("sql", "ledger/open_run", url=nowhere)
    assert one.out.startswith("-- A run begins.")
    wrong = cauri("sql", "nonsense", url=nowhere)
    assert (wrong.code, "cauri sql --list" in wrong.err) == (2, True)


def test_a_sample(tmp_path: Path) -> None:
    out = tmp_path / "made"
    done = cauri("sample", "--rows", 500, "--months", 1, "--out", out, "--json", url=None)
    assert done.code == 0
    assert done.json["feeds"]["transactions"]["read"] == 500
    again = cauri("sample", "--rows", 500, "--out", out, url=None)
    assert again.code == 2
    assert "expected a folder, new or empty" in again.err


def test_options_by_environment(database_url: str) -> None:
    variables = {"CAURI_SOURCE": str(sample_folder(PLAN)), "CAURI_JSON": "1", "CAURI_QUIET": "1", "CAURI_DRY_RUN": "1"}
    done = cauri("load", url=database_url, variables=variables)
    assert (done.code, done.err) == (0, "")
    assert done.json["status"] == "planned"


def test_the_local_server_is_not_started_for_a_shared_warehouse(database_url: str) -> None:
    for command in ("start", "stop"):
        done = cauri("db", command, url=database_url)
        assert done.code == 2
        assert "CAURI_DATABASE_URL is set" in done.err
    assert cauri("db", "url", url=database_url).out == f"{database_url}\n"


def test_psql_gets_the_password_where_nobody_else_reads_it(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "psql"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@"\necho "$PGPASSWORD"\n')
    program.chmod(0o755)
    url = "postgresql://etl:hunter%202@db.example.com/warehouse"
    path = {"PATH": f"{program.parent}:/usr/bin:/bin"}
    with cauri_process("db", "psql", "--", "-c", "TABLE t", url=url, home=tmp_path, variables=path) as process:
        line, password = process.communicate(timeout=60)[0].splitlines()
    assert (line, password) == ("user=etl dbname=warehouse host=db.example.com -c TABLE t", "hunter 2")
