"""The two secrets: the key of the pseudonyms and the key of the vault. Neither ever enters the database or a log."""

import base64
import binascii
import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import SecretStr

from warehouse.connection import Connection
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings

KEY_BYTES = 32


@dataclass(frozen=True)
class Keyring:
    """Both keys. `repr` shows neither."""

    pseudonym: SecretStr
    vault: SecretStr

    @property
    def key_ids(self) -> dict[str, str]:
        """Fingerprints by which the warehouse remembers which keys its rows were made with."""
        return {
            "pseudonym_key_id": _fingerprint("pseudonym", self.pseudonym),
            "vault_key_id": _fingerprint("vault", self.vault),
        }

    def vault_bytes(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, derived from the vault key."""
        material = base64.b64decode(self.vault.get_secret_value())
        return hashlib.blake2b(purpose.encode(), key=material[:64], digest_size=KEY_BYTES).digest()


def _fingerprint(purpose: str, key: SecretStr) -> str:
    return hashlib.blake2b(
        f"cauri {purpose} key id".encode(), key=key.get_secret_value().encode()[:64], digest_size=8
    ).hexdigest()


def open_keyring(settings: Settings) -> Keyring:
    """The keys of this installation. Local mode makes them at first use, readable by their owner only.

    Raises:
        ConfigurationError: a key is missing (outside local mode) or is not 32 bytes in base64.
    """
    return Keyring(
        pseudonym=_key(settings, "pseudonym", settings.pseudonym_key),
        vault=_key(settings, "vault", settings.vault_key),
    )


def _key(settings: Settings, name: str, configured: SecretStr | None) -> SecretStr:
    variable = f"CAURI_{name.upper()}_KEY"
    given = configured.get_secret_value().strip() if configured else ""
    if not given and not settings.is_local:
        raise ConfigurationError(
            f"{variable} is not set, and CAURI_DATABASE_URL points at a shared warehouse",
            remedy="set it to 32 random bytes in base64, kept outside the database: openssl rand -base64 32",
        )
    text = given or _local_key(settings.home_path / "keys" / f"{name}.key").strip()
    try:
        material = base64.b64decode(text, validate=True)
    except binascii.Error:
        material = b""
    if len(material) < KEY_BYTES:
        raise ConfigurationError(
            f"{variable} is not base64 of at least {KEY_BYTES} bytes", remedy="make one: openssl rand -base64 32"
        )
    return SecretStr(text)


def _local_key(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.stem}.") as draft:  # only its owner may read it
            draft.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
            draft.flush()
            os.fsync(draft.fileno())  # rows made with a key that a power cut took could never be matched again
            with suppress(FileExistsError):
                os.link(draft.name, path)  # unlike a rename, this cannot replace a key that another has just made
    return path.read_text(encoding="ascii")


def bind(connection: Connection, settings: Settings, keyring: Keyring) -> None:
    """Remember keys and time zone with the first use; refuse others afterwards: stored rows depend on them.

    Raises:
        ConfigurationError: the warehouse was filled with other keys or in another time zone.
    """
    wanted = {**keyring.key_ids, "business_timezone": settings.business_timezone}
    for name, value in wanted.items():
        connection.execute("INSERT INTO ops.setting VALUES (%s, %s) ON CONFLICT (name) DO NOTHING", (name, value))
    stored = dict(connection.execute("SELECT name, value FROM ops.setting").fetchall())
    wrong = [name for name, value in wanted.items() if stored[name] != value]
    if wrong:
        found = ", ".join(f"{name} is {stored[name]} there and {wanted[name]} here" for name in wrong)
        raise ConfigurationError(
            f"this warehouse was filled under other settings: {found}",
            remedy="use the keys and the CAURI_BUSINESS_TIMEZONE it was made with; others would double every client",
        )
