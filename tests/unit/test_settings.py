"""The environment: what is misspelt, what is empty, and a home that cannot be one."""

import re
from pathlib import Path

import pytest

from engine.work_folder import work_folder
from tests.loading import settings_for
from warehouse.binaries import find_binaries
from warehouse.errors import ConfigurationError
from warehouse.server import LocalServer
from warehouse.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
EXPLAINED = sorted(set(re.findall(r"CAURI_[A-Z_]+", (ROOT / ".env.example").read_text())))
USED = sorted({name for path in ROOT.glob("deploy/compose/*") if path.is_file() for name in
               re.findall(r"CAURI_[A-Z_]+", path.read_text())})  # fmt: skip


@pytest.mark.parametrize(
    ("name", "meant"),
    [("CAURI_WROKERS", "CAURI_WORKERS"), ("CAURI_HOEM", "CAURI_HOME"), ("CAURI_PSEUDONYM_KEYS", "CAURI_PSEUDONYM_KEY")],
)
def test_a_misspelt_variable_is_told(name: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "2")
    with pytest.raises(ConfigurationError, match=f"{name} is no setting") as caught:
        read_settings()
    assert caught.value.remedy.startswith(f"{meant} is one")


def test_variables_of_commands_and_containers_are_not_misspelt(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {f"CAURI_{field.upper()}" for field in Settings.model_fields}
    assert {*EXPLAINED, *USED} > settings
    for name in {*EXPLAINED, *USED, "CAURI_TEST_DATABASE_URL"} - settings:
        monkeypatch.setenv(name, "1")
    read_settings()


def test_what_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields:
        monkeypatch.setenv(f"CAURI_{field.upper()}", "")
    settings = read_settings()
    assert (settings.home, settings.database_url, settings.pseudonym_key) == (Path(".cauri"), None, None)


@pytest.mark.parametrize(
    ("given", "codes"), [("ci, SN,", ("CI", "SN")), ("none", ()), ("", ("CI", "SN", "GH", "KE", "MA"))]
)
def test_countries_of_holidays(given: str, codes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAURI_HOLIDAY_COUNTRIES", given)
    assert read_settings().holiday_codes == codes


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://etl:hunter%202@db/warehouse",
        "postgresql://etl@db/warehouse?password=hunter%202",
        "host=db user=etl password='hunter 2' dbname=warehouse",
        "host=db sslpassword='hunter 2'",
    ],
)
def test_a_password_is_known_wherever_it_stands(address: str) -> None:
    assert "hunter 2" in settings_for(address).secrets()


def test_an_address_that_is_none_has_no_password() -> None:
    assert settings_for("http://[").secrets() == ["http://["]


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_home_that_is_a_file(below: str, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    home = tmp_path / "home" / below
    settings = settings_for("postgresql:///nowhere", home=home)
    with pytest.raises(ConfigurationError, match=r"CAURI_HOME cannot be used: .*home"), work_folder(settings):
        pass
    with pytest.raises(ConfigurationError, match=r"CAURI_HOME cannot be used: .*home") as caught:
        LocalServer(home, find_binaries(settings)).start()
    assert "may write" in caught.value.remedy
