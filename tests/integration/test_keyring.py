"""The two keys: made once, readable by their owner only, and bound to the warehouse they filled."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.loading import KEYRING, PSEUDONYM_KEY, VAULT_KEY, everything, load, rows_of, settings_for, write_feed
from tests.loading import client as client_row
from warehouse.connection import connect
from warehouse.errors import ConfigurationError
from warehouse.keyring import Keyring, bind, open_keyring
from warehouse.settings import Settings


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of local mode."""
    for name in ("CAURI_DATABASE_URL", "CAURI_PSEUDONYM_KEY", "CAURI_VAULT_KEY"):
        monkeypatch.delenv(name, raising=False)
    return Settings(home=tmp_path / "home")


def other_keys() -> Keyring:
    return Keyring(SecretStr(base64.b64encode(b"o" * 32).decode()), SecretStr(VAULT_KEY))


def test_local_mode_makes_keys_for_its_owner_only(local: Settings) -> None:
    first = open_keyring(local)
    keys = local.home_path / "keys"
    assert {path.name for path in keys.iterdir()} == {"pseudonym.key", "vault.key"}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}
    assert open_keyring(local) == first
    assert first.pseudonym != first.vault


def test_two_first_uses_at_once_agree(local: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: open_keyring(local).key_ids.values(), range(8)))
    assert len({tuple(ids) for ids in made}) == 1


def test_a_shared_warehouse_needs_its_keys_configured(database_url: str) -> None:
    settings = settings_for(database_url)
    with pytest.raises(ConfigurationError, match="CAURI_PSEUDONYM_KEY is not set") as caught:
        open_keyring(settings)
    assert "openssl rand -base64 32" in caught.value.remedy
    assert not (settings.home_path / "keys").exists()


@pytest.mark.parametrize("name", ["pseudonym_key", "vault_key"])
def test_an_empty_key_is_none(database_url: str, name: str) -> None:
    """As a compose file gives it for a variable that is not set."""
    keys = {"pseudonym_key": SecretStr(PSEUDONYM_KEY), "vault_key": SecretStr(VAULT_KEY), name: SecretStr(" ")}
    settings = settings_for(database_url, None, **keys)
    with pytest.raises(ConfigurationError, match=f"CAURI_{name.upper()} is not set"):
        open_keyring(settings)
    assert not settings.home_path.exists() or not list(settings.home_path.iterdir())


@pytest.mark.parametrize("text", ["short", "not base64!", base64.b64encode(b"x" * 31).decode()])
def test_a_key_that_is_none(database_url: str, text: str) -> None:
    settings = settings_for(database_url, pseudonym_key=SecretStr(text), vault_key=SecretStr(VAULT_KEY))
    with pytest.raises(ConfigurationError, match="CAURI_PSEUDONYM_KEY") as caught:
        open_keyring(settings)
    assert text not in caught.value.message


def test_a_configured_key_may_have_blanks_around(database_url: str) -> None:
    keys = {"pseudonym_key": SecretStr(f" {PSEUDONYM_KEY}\n"), "vault_key": SecretStr(VAULT_KEY)}
    assert open_keyring(settings_for(database_url, None, **keys)) == KEYRING


def test_keys_do_not_show_themselves() -> None:
    assert PSEUDONYM_KEY not in f"{KEYRING!r} {KEYRING}"
    assert VAULT_KEY not in f"{KEYRING!r} {KEYRING}"


def test_purposes_have_different_keys() -> None:
    assert len({KEYRING.vault_bytes("wrap"), KEYRING.vault_bytes("quarantine"), other_keys().vault_bytes("wrap")}) == 2
    assert len(KEYRING.vault_bytes("wrap")) == 32


def test_the_warehouse_remembers_fingerprints_only(database_url: str) -> None:
    settings = settings_for(database_url)
    with connect(database_url) as connection:
        bind(connection, settings, KEYRING)
        bind(connection, settings, KEYRING)
    stored: dict[str, str] = dict(rows_of(database_url, "SELECT name, value FROM ops.setting"))
    assert stored["business_timezone"] == "Africa/Abidjan"
    assert stored.items() >= KEYRING.key_ids.items()
    assert not {PSEUDONYM_KEY, VAULT_KEY} & set(stored.values())


@pytest.mark.parametrize(
    ("changes", "keyring", "word"),
    [
        ({"business_timezone": "Africa/Nairobi"}, KEYRING, "business_timezone"),
        ({}, other_keys(), "pseudonym_key_id"),
        ({}, Keyring(KEYRING.pseudonym, other_keys().pseudonym), "vault_key_id"),
    ],
    ids=["zone", "pseudonym key", "vault key"],
)
def test_other_settings_are_refused_before_anything_is_written(
    database_url: str, tmp_path: Path, changes: dict[str, str], keyring: Keyring, word: str
) -> None:
    write_feed(tmp_path / "1", "clients", [client_row("C1", "2024-01-01T00:00:00Z")])
    write_feed(tmp_path / "2", "clients", [client_row("C2", "2024-01-01T00:00:00Z")])
    load(tmp_path / "1", database_url)
    before = everything(database_url)
    with pytest.raises(ConfigurationError, match=word) as caught:
        load(tmp_path / "2", database_url, settings=settings_for(database_url, None, **changes), keyring=keyring)
    assert caught.value.exit_code == 2
    assert everything(database_url) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_key_of_somebody_else(local: Settings) -> None:
    open_keyring(local)
    (local.home_path / "keys" / "vault.key").chmod(0o000)
    with pytest.raises(ConfigurationError):
        open_keyring(local)
