"""Step 4, identity: who a client is goes to the vault, encrypted with a key of its own. Destroy it, and it is gone."""

import json
import secrets

import polars as pl
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
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
    identities = latest.select(IDENTITY).iter_rows(named=True)
    pairs = [_sealed(wrapper, ref, identity) for ref, identity in zip(latest["client_ref"], identities, strict=True)]
    keys, sealed = zip(*pairs, strict=True) if pairs else ((), ())
    incoming = latest.select(
        "client_ref",
        key_id=pl.lit(keyring.key_ids["vault_key_id"]),
        wrapped_key=pl.Series(keys, dtype=pl.Binary),
        identity=pl.Series(sealed, dtype=pl.Binary),
        as_of="effective_at",
    )
    connection.execute(query("vault/stage_identities"))
    copy_frame(connection, sql.Identifier("incoming_identity"), incoming)
    connection.execute(query("vault/merge_identities"))


def _sealed(wrapper: AESGCM, client_ref: bytes, identity: dict[str, str | None]) -> tuple[bytes, bytes]:
    """The client's own key, wrapped, and what it hides."""
    own_key = secrets.token_bytes(32)
    text = json.dumps(identity, ensure_ascii=False).encode()
    return seal(wrapper, own_key, client_ref), seal(AESGCM(own_key), text, client_ref)


def seal(cipher: AESGCM, content: bytes, bound_to: bytes) -> bytes:
    """Nonce and ciphertext; it opens only together with `bound_to`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, content, bound_to)


def unseal(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    """What `seal` hid."""
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
