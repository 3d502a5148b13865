"""Step 4, identity: who a client is goes to the vault, encrypted with a key of its own. Destroy it, and it is gone."""

import json
import secrets
from datetime import datetime

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from warehouse.connection import Connection
from warehouse.keyring import Keyring
from warehouse.queries import query

NONCE_BYTES = 12
IDENTITY = ("client_id", "company_name", "msisdn", "email")


def store_identities(connection: Connection, clients: pl.DataFrame, keyring: Keyring) -> None:
    """Encrypt and store the latest identity of each client.

    Args:
        clients: `client_ref`, `effective_at`, `seq` and the columns of `IDENTITY`, one row an event.
    """
    latest = clients.sort("effective_at", "seq").group_by("client_ref", maintain_order=True).last()
    wrapper = AESGCM(keyring.vault_bytes("wrap"))
    key_id = keyring.key_ids["vault_key_id"]
    connection.execute(query("vault/stage_identities"))
    with connection.cursor() as cursor, cursor.copy(query("vault/copy_identities")) as copy:
        for row in latest.select("client_ref", "effective_at", *IDENTITY).iter_rows():
            copy.write_row(_sealed(wrapper, key_id, row[0], row[1], dict(zip(IDENTITY, row[2:], strict=True))))
    connection.execute(query("vault/merge_identities"))


def _sealed(
    wrapper: AESGCM, key_id: str, client_ref: bytes, as_of: datetime, identity: dict[str, str | None]
) -> tuple[object, ...]:
    own_key = secrets.token_bytes(32)
    text = json.dumps(identity, ensure_ascii=False).encode()
    return client_ref, key_id, seal(wrapper, own_key, client_ref), seal(AESGCM(own_key), text, client_ref), as_of


def seal(cipher: AESGCM, content: bytes, bound_to: bytes) -> bytes:
    """Nonce and ciphertext; it opens only together with `bound_to`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, content, bound_to)


def unseal(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    """What `seal` hid."""
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
