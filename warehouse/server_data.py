"""The local server's data folder: made whole or not at all, and bound to one major version."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp, mkstemp

from warehouse.binaries import Binaries
from warehouse.errors import ConfigurationError, TargetError
from warehouse.server_home import DATABASE, USER, ServerHome
from warehouse.server_log import without_secrets

_SETTINGS_FILE = "cauri.conf"
_INIT_SECONDS = 300  # 0.6 s on an SSD; a network disk that is asked for 1000 fsyncs takes its time


def make_data(place: ServerHome, binaries: Binaries, *, throwaway: bool) -> None:
    """Initialise the folder aside and rename it: a kill half-way leaves nothing that looks like a warehouse."""
    for leftover in place.root.glob("init-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    aside = Path(mkdtemp(prefix="init-", dir=place.root))
    try:
        place.account.own(aside)
        _initdb(place, binaries, aside, throwaway=throwaway)
        _create_database(place, binaries, aside)
        with (aside / "postgresql.conf").open("a") as conf:
            conf.write(f"\ninclude '{_SETTINGS_FILE}'\n")
        aside.rename(place.data)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    _sync(place.data / "postgresql.conf")
    _sync(place.root)


def check_version(place: ServerHome, binaries: Binaries) -> None:
    """Refuse a data folder that another major version wrote."""
    found = (place.data / "PG_VERSION").read_text().strip()
    if found == str(binaries.major):
        return
    raise ConfigurationError(
        f"{place.data} was written by PostgreSQL {found}; the programs found ({binaries.origin}) "
        f"are PostgreSQL {binaries.version}",
        remedy=f"set CAURI_PG_BINDIR to the bin folder of PostgreSQL {found}; "
        "or set CAURI_HOME to a new folder and load again",
        found=found,
        expected=binaries.major,
        path=str(place.data),
    )


def write_settings(place: ServerHome, text: str) -> None:
    # The folder is another account's: a new file renamed into place cannot be led astray by a link.
    descriptor, aside = mkstemp(prefix=_SETTINGS_FILE, dir=place.data)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    place.account.own(Path(aside))
    Path(aside).replace(place.data / _SETTINGS_FILE)


def _initdb(place: ServerHome, binaries: Binaries, folder: Path, *, throwaway: bool) -> None:
    command = [binaries.program("initdb"), "--pgdata", str(folder), "--username", USER, "--encoding", "UTF8"]
    # Trust, because the door is the folder: the socket has mode 0700 in a 0700 folder and TCP is off, so whoever
    # connects is the account itself or root. Peer authentication would add nothing against these two, and would
    # forbid the loop-back connection of the audit trail and the tests' changes of role.
    command += ["--auth", "trust", "--no-instructions", "--locale", "C"]
    command += ["--no-sync"] if throwaway else ["--data-checksums"]
    # Byte order for sorting, Unicode for upper() and for what is a letter; from 17 without the system's locales.
    unicode = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = place.account.run(
        [*command, *(unicode if binaries.major >= 17 else ["--lc-ctype=C.UTF-8"])], timeout=_INIT_SECONDS
    )
    if "invalid locale name" in done.stderr:
        done = place.account.run(command, timeout=_INIT_SECONDS)
    if done.returncode != 0:
        raise _failed(command, done.returncode, done.stderr)


def _create_database(place: ServerHome, binaries: Binaries, folder: Path) -> None:
    # In single-user mode, so that the folder is complete before it gets its name.
    command = [binaries.program("postgres"), "--single", "-c", "exit_on_error=true", "-c", "log_min_messages=error"]
    command += ["-D", str(folder), "template1"]
    done = place.account.run(command, timeout=_INIT_SECONDS, stdin=f"CREATE DATABASE {DATABASE}\n")
    if done.returncode != 0:
        raise _failed(command, done.returncode, done.stderr)


def _failed(command: Sequence[str], code: int, stderr: str) -> TargetError:
    program = Path(command[0]).name
    return TargetError(
        f"{program} could not make the data folder (exit code {code}):\n{without_secrets(stderr)}",
        remedy="mend what it names (often: no space left on the disk), then call again",
        program=program,
        exit_code=code,
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
