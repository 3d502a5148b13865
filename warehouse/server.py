"""The local PostgreSQL server: started when needed, outliving the command that started it."""

import os
import time
from pathlib import Path

from warehouse.binaries import Binaries, copy_binaries
from warehouse.errors import ConfigurationError, TargetError, TransientTargetError
from warehouse.machine import this_machine
from warehouse.server_account import server_account
from warehouse.server_data import check_version, make_data, write_settings
from warehouse.server_home import ServerHome, find_root, make_root
from warehouse.server_lock import exclusive
from warehouse.server_log import last_words
from warehouse.server_processes import accepts, comes_back, server_processes
from warehouse.server_settings import as_text, log_settings, server_settings
from warehouse.settings import unusable_home

# Crash recovery replays at most max_wal_size, 8 GiB: a minute on a laptop's SSD, with room for a slow disk.
_START_SECONDS = 180
# A fast shutdown ends sessions at once, then writes what shared_buffers hold.
_STOP_SECONDS = 180
# pg_ctl keeps its own time; this much later it is itself given up.
_GRACE_SECONDS = 30


class LocalServer:
    """A server whose files are all below `home`.

    `throwaway` is for tests: small buffers, and a crash of the machine destroys the data.
    """

    def __init__(self, home: Path, binaries: Binaries, *, throwaway: bool = False) -> None:
        self.home = home.expanduser().resolve()
        self.binaries = binaries
        self.throwaway = throwaway

    @property
    def url(self) -> str:
        """The URL of the warehouse's database; it stays the same over restarts."""
        place = self._place()
        if place is None:
            raise TargetError(f"there is no local server below {self.home} yet", remedy="run `cauri db start`")
        return place.url

    def is_running(self) -> bool:
        """Whether the server accepts connections."""
        place = self._place()
        return place is not None and accepts(place)

    def start(self, *, timeout: float = _START_SECONDS) -> str:
        """Make sure that the server runs, making its data folder on the first call; return its URL."""
        try:
            place = self._place()
        except ConfigurationError:
            if not os.access(self.home, os.W_OK):
                raise
            place = None  # another start may be making it just now: under the lock it is looked at again
        if place is not None and place.data.exists():
            check_version(place, self.binaries)
            if accepts(place):
                return place.url
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise unusable_home(self.home, exc) from None
        with exclusive(self._lock, timeout=timeout):
            place = self._place() or self._make_place()
            place.make()
            if not comes_back(place, timeout=timeout):
                self._start(place, timeout)
        return place.url

    def stop(self, *, timeout: float = _STOP_SECONDS) -> None:
        """Stop the server, ending all sessions; a server that does not run is stopped already."""
        place = self._place()
        if place is None:
            return
        with exclusive(self._lock, timeout=timeout):
            if not server_processes(place):
                return
            command = [self._usable(place).program("pg_ctl"), "stop", "--mode", "fast", "--silent"]
            command += ["--pgdata", str(place.data), "--timeout", f"{timeout:.0f}"]
            done = place.account.run(command, timeout=timeout + _GRACE_SECONDS)
            if done.returncode != 0 and comes_back(place, timeout=timeout):
                raise TransientTargetError(
                    f"the server in {place.data} did not stop within {timeout:.0f} s", remedy="call again"
                )

    def psql_command(self) -> list[str]:
        """The command that opens psql on the warehouse."""
        return [self.binaries.program("psql"), self.url]

    @property
    def _lock(self) -> Path:
        return self.home / "postgres.lock"

    def _place(self) -> ServerHome | None:
        root = find_root(self.home)
        if root is None:
            return None
        place = ServerHome(root, server_account(root))
        place.check()
        return place

    def _make_place(self) -> ServerHome:
        account = server_account()
        return ServerHome(make_root(self.home, account), account)

    def _usable(self, place: ServerHome) -> Binaries:
        if place.account.reaches(self.binaries.bindir / "postgres"):
            return self.binaries
        return copy_binaries(self.binaries, place.binaries)

    def _start(self, place: ServerHome, timeout: float) -> None:
        binaries = self._usable(place)
        if not place.data.exists():
            make_data(place, binaries, throwaway=self.throwaway)
        check_version(place, binaries)
        write_settings(place, self._settings(place))
        startup_log = place.log / "startup.log"
        startup_log.unlink(missing_ok=True)
        command = [binaries.program("pg_ctl"), "start", "--wait", "--silent", "--log", str(startup_log)]
        command += ["--pgdata", str(place.data), "--timeout", f"{timeout:.0f}"]
        began = time.time()
        done = place.account.run(command, timeout=timeout + _GRACE_SECONDS)
        if done.returncode != 0:
            raise _start_error(place, last_words(place.log, since=began) or done.stderr.strip())

    def _settings(self, place: ServerHome) -> str:
        settings = server_settings(this_machine(), major=self.binaries.major, throwaway=self.throwaway)
        settings |= place.settings()
        return as_text(settings if self.throwaway else settings | log_settings(str(place.log)))


def _start_error(place: ServerHome, words: str) -> TargetError | TransientTargetError:
    if server_processes(place):
        return TransientTargetError(
            f"the server in {place.data} is still starting",
            remedy=f"read {place.log}; it may be replaying its log after a crash: call again later",
        )
    return TargetError(
        f"the server in {place.data} did not start:\n{words}",
        remedy=f"mend what the log names; all of it is in {place.log}",
        path=str(place.data),
    )
