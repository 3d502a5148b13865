"""Identity: in the vault, encrypted with a key of each client's own, and nowhere else."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.vault import unseal
from tests.integration.test_load import dumped
from tests.loading import KEYRING, client, load, rows_of, write_feed

EARLY, LATE = "2024-01-01T00:00:00Z", "2024-06-01T00:00:00Z"


def identities(url: str) -> list[dict[str, Any]]:
    """What the vault's owner can read."""
    wrapper = AESGCM(KEYRING.vault_bytes("wrap"))
    found = []
    for ref, wrapped, identity in rows_of(url, "SELECT client_ref, wrapped_key, identity FROM vault.client_identity"):
        own = AESGCM(unseal(wrapper, bytes(wrapped), bytes(ref)))
        found.append(json.loads(unseal(own, bytes(identity), bytes(ref))))
    return sorted(found, key=lambda each: each["client_id"])


def deliver(url: str, folder: Path, *rows: dict[str, Any]) -> None:
    write_feed(folder, "clients", rows)
    load(folder, url)


def test_an_identity_can_be_read_with_the_key_and_only_there(database_url: str, tmp_path: Path) -> None:
    names = {"company_name": "Boutique Kouamé & fils 🐚", "msisdn": "+2250701020304", "email": "a@example.com"}
    deliver(database_url, tmp_path, client("SECRET-C1", EARLY, **names))
    assert identities(database_url) == [{"client_id": "SECRET-C1", **names}]
    words = ("SECRET-C1", "Boutique", "+225", "example.com")
    assert not any(word in text for text in dumped(database_url) for word in words)


def test_each_client_has_a_key_of_its_own(database_url: str, tmp_path: Path) -> None:
    deliver(database_url, tmp_path, client("C1", EARLY), client("C2", EARLY))
    (one, other) = rows_of(database_url, "SELECT client_ref, wrapped_key, identity FROM vault.client_identity")
    wrapper = AESGCM(KEYRING.vault_bytes("wrap"))
    with pytest.raises(InvalidTag):
        unseal(wrapper, bytes(one[1]), bytes(other[0]))
    own = AESGCM(unseal(wrapper, bytes(one[1]), bytes(one[0])))
    with pytest.raises(InvalidTag):
        unseal(own, bytes(other[2]), bytes(other[0]))


@pytest.mark.parametrize("order", [(EARLY, LATE), (LATE, EARLY)], ids=["in order", "out of order"])
def test_the_latest_identity_stays(database_url: str, tmp_path: Path, order: tuple[str, str]) -> None:
    for moment in order:
        deliver(database_url, tmp_path / moment[:7], client("C1", moment, company_name=f"Name of {moment[:7]}"))
    assert [each["company_name"] for each in identities(database_url)] == ["Name of 2024-06"]


def test_the_latest_identity_of_one_file_stays(database_url: str, tmp_path: Path) -> None:
    deliver(database_url, tmp_path, client("C1", LATE, company_name="new"), client("C1", EARLY, company_name="old"))
    assert [each["company_name"] for each in identities(database_url)] == ["new"]


def test_of_one_moment_the_later_row_stays(database_url: str, tmp_path: Path) -> None:
    rows = [client(f"C{n:03}", EARLY, company_name=f"row {turn}") for turn in range(20) for n in range(100)]
    deliver(database_url, tmp_path, *rows)
    assert {each["company_name"] for each in identities(database_url)} == {"row 19"}


def test_a_correction_of_the_same_moment_stays(database_url: str, tmp_path: Path) -> None:
    """As the attributes of that moment do."""
    deliver(database_url, tmp_path / "1", client("C1", EARLY, company_name="wrong"))
    deliver(database_url, tmp_path / "2", client("C1", EARLY, company_name="right"))
    assert [each["company_name"] for each in identities(database_url)] == ["right"]
