"""The local server's folders, `<home>/postgres/{data,socket,log}`: private, and somewhere its account can reach.

Where the server's account cannot enter `home` (a root's checkout below a 0700 folder), `<home>/postgres` is a link to
a private folder that it can. No rights change on folders that were not made here.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import quote

from warehouse.errors import ConfigurationError, TargetError
from warehouse.server_account import Account

PORT = 5432
DATABASE = USER = "cauri"
_ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108
# sockaddr_un.sun_path without its NUL: 107 bytes on Linux, 103 on macOS.
_LONGEST_SOCKET_PATH = 103


@dataclass(frozen=True)
class ServerHome:
    root: Path
    account: Account

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def binaries(self) -> Path:
        return self.root / "binaries"

    @property
    def socket(self) -> Path:
        below = self.root / "socket"
        if len(os.fsencode(below / f".s.PGSQL.{PORT}")) <= _LONGEST_SOCKET_PATH:
            return below
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path(f"/tmp/cauri-{self.account.uid}-{digest}")  # noqa: S108

    @property
    def url(self) -> str:
        # The port is named although it is the default: PGPORT would override a default.
        return f"postgresql:///{DATABASE}?host={quote(str(self.socket), safe='/')}&port={PORT}&user={USER}"

    def settings(self) -> dict[str, str]:
        # A list: quoted as one item, for a comma in the path.
        return {"port": str(PORT), "unix_socket_directories": f'"{self.socket}"'}

    def make(self) -> None:
        """Make the folders that are missing, and refuse those that are not ours alone."""
        if unfit := set(str(self.root)) & set('"$`\\\n'):
            raise ConfigurationError(
                f"the path {self.root} holds {' '.join(sorted(unfit))!r}, which pg_ctl hands to a shell",
                remedy="set CAURI_HOME to a folder without quotes, dollar signs and backslashes in its path",
            )
        for folder in (self.log, self.binaries, self.socket):
            _make_private(folder, self.account)

    def check(self) -> None:
        """Refuse folders that another account could have put there."""
        for folder in (self.root, self.socket):
            if os.path.lexists(folder):
                _check_private(folder, self.account)


def link(home: Path) -> Path:
    return home / "postgres"


def find_root(home: Path) -> Path | None:
    """The server's folder, None before the first start."""
    path = link(home)
    if path.is_symlink() and not path.exists():
        raise TargetError(
            f"{path} points to {path.readlink()}, which is gone",
            remedy=f"restore that folder, or remove {path} to start with an empty warehouse",
            path=str(path),
        )
    return path.resolve() if path.exists() else None


def make_root(home: Path, account: Account) -> Path:
    """Make the server's folder, private to its account."""
    path = link(home)
    if account.reaches(home):
        _make_private(path, account)
        return path.resolve()
    # Unpredictable on purpose: in /var/tmp anybody could have made a predictable name before us.
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:8]
    parent = next((folder for folder in _ELSEWHERE if os.access(folder, os.W_OK) and account.reaches(folder)), None)
    if parent is None:
        raise ConfigurationError(
            f"uid {account.uid}, which runs the server, can enter neither {home} nor "
            + " nor ".join(map(str, _ELSEWHERE)),
            remedy="set CAURI_HOME to a folder that all may enter, such as /srv/cauri",
            uid=account.uid,
        )
    folder = Path(mkdtemp(prefix=f"cauri-{digest}-", dir=parent))
    account.own(folder)
    path.symlink_to(folder)
    return folder


def _make_private(folder: Path, account: Account) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        _check_private(folder, account)
    else:
        account.own(folder)


def _check_private(folder: Path, account: Account) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        found = "not a folder"
    elif status.st_uid != account.uid:
        found = f"owned by uid {status.st_uid}"
    elif status.st_mode & 0o077:
        found = f"open to others (mode {stat.S_IMODE(status.st_mode):04o})"
    else:
        return
    raise ConfigurationError(
        f"{folder} is {found}; expected a folder of uid {account.uid} with mode 0700",
        remedy="remove it or correct its owner and mode, or set CAURI_HOME to another folder",
        path=str(folder),
        found=found,
    )
