"""Sources and databases that are not as they should be: one clear message, the right exit code, nothing half done."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from sample.plan import SamplePlan
from tests.database import copied_database, with_database
from tests.loading import (
    IDENTIFIERS,
    PSEUDONYM_KEY,
    SERVICE,
    VAULT_KEY,
    Done,
    cauri,
    everything,
    execute,
    load,
    rows_of,
    sample_folder,
    state,
    transaction,
    value_of,
    write_feed,
)
from warehouse import connection as door
from warehouse.lock import single_writer

PLAN = SamplePlan(rows=3_000, months=2, dirty_share=0.01)


def assert_clear(done: Done, code: int, *words: str) -> None:
    """A message with a remedy, no traceback, no secret."""
    assert done.code == code, done.told
    assert done.out == ""
    assert done.err.count("error:") == 1
    assert "->" in done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err
    assert not any(secret in done.err for secret in (PSEUDONYM_KEY, VAULT_KEY, "hunter2", *IDENTIFIERS))


def test_a_directory_that_does_not_exist(database_url: str, tmp_path: Path) -> None:
    before = everything(database_url)
    done = cauri("load", tmp_path / "nowhere", "--quiet", url=database_url)
    assert_clear(done, 2, "nowhere is not a directory", "cauri sample")
    assert everything(database_url)["dwh.dim_client"] == before["dwh.dim_client"]


def test_a_file_in_place_of_a_directory(database_url: str, tmp_path: Path) -> None:
    path = write_feed(tmp_path, "services", [SERVICE])
    assert_clear(cauri("load", path, "--quiet", url=database_url), 2, "is not a directory")


def test_a_directory_without_feeds(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    done = cauri("load", tmp_path, "--quiet", url=database_url)
    assert_clear(done, 1, "holds no file of any feed (1 files seen)", "transactions")


def test_files_that_are_not_what_they_claim(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    (tmp_path / "transactions.parquet").write_bytes(b"no parquet")
    (tmp_path / "clients.csv.gz").write_bytes(b"no gzip")
    (tmp_path / "channels.csv").write_text("code_of_no_kind\nx\n")
    (tmp_path / "locations.csv").write_bytes(b"")
    done = cauri("load", tmp_path, "--quiet", url=database_url)
    assert_clear_list(done, "transactions.parquet", "clients.csv.gz", "channels.csv", "locations.csv")
    assert rows_of(database_url, "SELECT count(*) FROM ops.run") == [(0,)]
    assert rows_of(database_url, "SELECT count(*) FROM dwh.dim_service") == [(1,)]


def assert_clear_list(done: Done, *names: str) -> None:
    assert done.code == 1, done.told
    assert f"{len(names)} files cannot be read; nothing was loaded" in done.err
    assert "Traceback" not in done.err
    for name in names:
        assert f"- {name}" in done.err


@pytest.mark.parametrize(
    "command", [["load", "."], ["status"], ["init"], ["compare", "."], ["quarantine", "list"], ["refresh"]]
)
def test_the_database_is_away(command: list[str]) -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        url = f"postgresql://cauri:hunter2@127.0.0.1:{place.getsockname()[1]}/cauri"
        assert_clear(cauri(*command, url=url), 75, "run the same command again")


def test_the_database_is_away_in_json() -> None:
    done = cauri("status", "--json", url="postgresql://cauri:hunter2@127.0.0.1:1/cauri")
    assert done.code == 75
    assert done.json["error"] == "TransientTargetError"
    assert set(done.json) == {"status", "error", "message", "remedy"}


def test_a_database_that_does_not_exist(database_url: str) -> None:
    assert_clear(
        cauri("status", url=with_database(database_url, "no_such_place")), 2, "no_such_place", "CAURI_DATABASE_URL"
    )


def test_no_connection_string() -> None:
    assert_clear(cauri("status", url="somewhere"), 2, "CAURI_DATABASE_URL")


@pytest.fixture
def locked_url(database_url: str) -> Iterator[str]:
    """A URL with a role that needs a password."""
    own = not os.environ.get("CAURI_TEST_DATABASE_URL")
    if not own:
        pytest.skip("pg_hba.conf of an external server is not ours to change")
    rules = Path(value_of(database_url, "SHOW hba_file"))
    before, owner = rules.read_bytes(), rules.stat()
    rules.write_bytes(b"local all locked_out scram-sha-256\nhost all locked_out all scram-sha-256\n" + before)
    os.chown(rules, owner.st_uid, owner.st_gid)
    execute(database_url, "CREATE ROLE locked_out LOGIN PASSWORD 'right'")
    execute(database_url, "SELECT pg_reload_conf()")
    query = urlsplit(database_url).query
    user = next(part for part in query.split("&") if part.startswith("user="))
    yield database_url.replace(user, "user=locked_out&password=hunter2")
    rules.write_bytes(before)
    execute(database_url, "DROP ROLE locked_out")
    execute(database_url, "SELECT pg_reload_conf()")


def test_a_wrong_or_missing_password(locked_url: str) -> None:
    assert_clear(cauri("status", url=locked_url), 2, "password authentication failed", "check user, password")
    assert_clear(cauri("status", url=locked_url.replace("&password=hunter2", "")), 2, "password")


def test_a_role_that_may_not_write(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    execute(database_url, "CREATE ROLE poor_role LOGIN")
    try:
        query = urlsplit(database_url).query
        user = next(part for part in query.split("&") if part.startswith("user="))
        done = cauri("load", tmp_path, "--quiet", url=database_url.replace(user, "user=poor_role"))
        assert done.code == 1
        assert "permission denied" in done.err
        assert "Traceback" not in done.err
    finally:
        execute(database_url, "DROP ROLE poor_role")


def test_a_read_only_database(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    name = value_of(database_url, "SELECT current_database()")
    execute(
        database_url, sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(sql.Identifier(name))
    )
    assert_clear(cauri("load", tmp_path, "--quiet", url=database_url), 1, "read-only", "primary")


def test_a_server_of_another_version(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "SUPPORTED_MAJORS", range(90, 93))
    assert_clear(cauri("status", url=database_url), 1, "Cauri needs 90 to 92")


def test_another_run_writes(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    with single_writer(database_url):
        assert_clear(cauri("load", tmp_path, "--quiet", url=database_url), 75, "another run is writing")
        assert_clear(cauri("refresh", url=database_url), 75, "another run is writing")
        assert cauri("status", url=database_url).code == 0
        assert cauri("load", tmp_path, "--dry-run", "--quiet", url=database_url).code == 0


@pytest.mark.parametrize(
    ("variable", "value", "word"),
    [
        ("CAURI_BUSINESS_TIMEZONE", "Africa/Nairobi", "business_timezone"),
        ("CAURI_PSEUDONYM_KEY", VAULT_KEY, "pseudonym_key_id"),
        ("CAURI_VAULT_KEY", PSEUDONYM_KEY, "vault_key_id"),
    ],
)
def test_other_settings_than_the_warehouse_was_made_with(
    database_url: str, tmp_path: Path, variable: str, value: str, word: str
) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    assert cauri("init", url=database_url).code == 0
    before = state(database_url)
    assert_clear(cauri("load", tmp_path, "--quiet", url=database_url, variables={variable: value}), 2, word)
    assert state(database_url) == before


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CAURI_BUSINESS_TIMEZONE", "Mars/Olympus"),
        ("CAURI_WORKERS", "many"),
        ("CAURI_WORKERS", "0"),
        ("CAURI_PSEUDONYM_KEY", "hunter2"),
        ("CAURI_VAULT_KEY", ""),
        ("CAURI_HOLIDAY_COUNTRIES", "CI,XX"),
    ],
)
def test_settings_that_cannot_be_used(database_url: str, tmp_path: Path, variable: str, value: str) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    assert_clear(cauri("load", tmp_path, "--quiet", url=database_url, variables={variable: value}), 2, variable)


def test_an_unknown_option(database_url: str) -> None:
    done = cauri("load", "--no-such-option", url=database_url)
    assert done.code == 2
    assert "No such option" in done.err


@pytest.fixture
def small_disk(template_database: tuple[str, str]) -> Iterator[tuple[str, Path]]:
    """A database whose new tables lie on a disk of three mebibytes."""
    if os.geteuid() != 0 or shutil.which("mount") is None or os.environ.get("CAURI_TEST_DATABASE_URL"):
        pytest.skip("needs root, to mount a small disk")
    folder = Path(tempfile.mkdtemp(prefix="cauri-disk-", dir="/tmp"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0755", "tmpfs", folder], check=False).returncode:
        folder.rmdir()
        pytest.skip("may not mount here")
    folder.chmod(0o711)
    try:
        with copied_database(*template_database) as url:
            owner = Path(value_of(url, "SHOW data_directory")).stat()
            place = folder / "tables"
            place.mkdir()
            os.chown(place, owner.st_uid, owner.st_gid)
            execute(url, sql.SQL("CREATE TABLESPACE small LOCATION {}").format(str(place)))
            name = value_of(url, "SELECT current_database()")
            execute(url, sql.SQL("ALTER DATABASE {} SET default_tablespace = small").format(sql.Identifier(name)))
            yield url, folder
        with psycopg.connect(template_database[0], autocommit=True) as connection:
            connection.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def test_a_full_disk_and_the_same_command_once_there_is_space(
    small_disk: tuple[str, Path], template_database: tuple[str, str]
) -> None:
    url, folder = small_disk
    plan = SamplePlan(rows=16_000, months=3)
    done = cauri("load", sample_folder(plan), "--quiet", url=url)
    assert_clear(done, 75, "disk is full", "free space")
    assert rows_of(url, "SELECT status FROM ops.run") == [("failed",)]
    again = cauri("load", sample_folder(plan), "--quiet", url=url)
    assert_clear(again, 75, "disk is full")
    subprocess.run(["mount", "-o", "remount,size=256m", folder], check=True)
    assert cauri("load", sample_folder(plan), "--quiet", url=url).code == 0
    with copied_database(*template_database) as other:
        load(sample_folder(plan), other)
        assert state(url) == state(other)


def test_nothing_that_is_said_names_anybody(database_url: str, tmp_path: Path) -> None:
    """Neither results nor progress, plans or errors of a load of personal data."""
    folder = sample_folder(PLAN)
    told = [
        cauri("load", folder, "--dry-run", "--json", url=database_url),
        cauri("load", folder, url=database_url),
        cauri("load", folder, "--json", url=database_url),
        cauri("status", url=database_url),
        cauri("status", "--json", url=database_url),
        cauri("compare", folder, "--json", url=database_url),
        cauri("quarantine", "list", "--limit", 200, url=database_url),
        cauri("quarantine", "list", "--json", url=database_url),
        cauri("refresh", "--json", url=database_url),
        cauri("sql", url=database_url),
    ]
    for done in told:
        assert not any(identifier in done.told for identifier in (*IDENTIFIERS, PSEUDONYM_KEY, VAULT_KEY)), done.told[
            :2000
        ]


def test_an_error_in_the_middle_names_nobody(database_url: str, tmp_path: Path) -> None:
    write_feed(tmp_path, "services", [SERVICE])
    write_feed(tmp_path, "transactions", [transaction(n, client_id=f"CLI-0{n}") for n in range(5)])
    execute(database_url, "ALTER TABLE dwh.fact_transactions ADD CONSTRAINT poor CHECK (amount_minor < 10)")
    execute(database_url, "ALTER TABLE dwh.dim_beneficiary ADD CONSTRAINT nobody CHECK (beneficiary_key = 0)")
    done = cauri("load", tmp_path, "--quiet", url=database_url)
    assert done.code == 1
    assert not any(identifier in done.told for identifier in IDENTIFIERS)
    assert "Traceback" not in done.err
