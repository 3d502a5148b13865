"""The account that runs the server: one's own, or an unprivileged one where PostgreSQL would refuse, as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import ConfigurationError, TransientTargetError

_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    @property
    def is_own(self) -> bool:
        return self.uid == os.geteuid()

    def run(
        self, command: Sequence[str], *, timeout: float, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this account; its exit code is the caller's to read."""
        other = {} if self.is_own else {"user": self.uid, "group": self.gid, "extra_groups": list[int]()}
        try:
            return subprocess.run(  # type: ignore[call-overload, no-any-return]  # noqa: S603
                command,
                **other,
                input=stdin or "",
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
                cwd="/",
                umask=0o077,
                env=_environment(),
                # Ctrl-C goes to the terminal's foreground group: the server must not be part of it.
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as exc:
            raise TransientTargetError(
                f"{Path(command[0]).name} did not finish within {timeout:.0f} s", remedy="call again"
            ) from exc
        except OSError as exc:
            raise ConfigurationError(
                f"uid {os.geteuid()} cannot run {command[0]} as uid {self.uid}: {exc.strerror}",
                remedy="run as an ordinary user, or set CAURI_DATABASE_URL to a server that runs already",
                uid=self.uid,
            ) from exc

    def own(self, path: Path) -> None:
        """Hand over something that we have just made."""
        if not self.is_own:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def reaches(self, path: Path) -> bool:
        """Whether this account can enter the folder or execute the file, all folders above included."""
        return self.is_own or self.run(["test", "-x", str(path)], timeout=30).returncode == 0


def server_account(owned: Path | None = None) -> Account:
    """The account for a server whose folder is `owned`, if it exists yet."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if owned is not None and owned.exists() and (status := owned.stat()).st_uid != 0:
        # Made by an ordinary user, or before the account `postgres` came to exist: keep its owner.
        return Account(status.st_uid, status.st_gid)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(_UNPRIVILEGED)} exists",
        remedy="run as an ordinary user, or set CAURI_DATABASE_URL to a server that runs already",
    )


def _environment() -> dict[str, str]:
    # Nothing inherited but these: PGPORT, PGDATA and LC_* would change what the server does, and CAURI_*_KEY would
    # be readable in the server's /proc entry for as long as it lives.
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath} | kept | {"LC_ALL": "C", "TZ": "UTC"}
