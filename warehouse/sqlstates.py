"""What an SQLSTATE means to the caller: an error of Cauri, and what to do about it."""

from dataclasses import dataclass

from warehouse.errors import CauriError, ConfigurationError, LockBusyError, TargetError, TransientTargetError


@dataclass(frozen=True)
class _Meaning:
    """States by their beginnings, the error that they are, and the words before those of the server."""

    states: tuple[str, ...]
    error: type[CauriError]
    words: str
    remedy: str


_LOGIN = _Meaning(
    ("28", "3D000"),
    ConfigurationError,
    "the database refused the login",
    "check user, password and database in CAURI_DATABASE_URL",
)
_FULL = _Meaning(
    ("53100",),
    TransientTargetError,
    "the database server's disk is full",
    "free space on the server, then run the same command again: what was committed is skipped",
)
_AWAY = _Meaning(
    ("08", "40", "53", "57P01", "57P02", "57P03", "57014", "58030"),
    TransientTargetError,
    "the database is away or busy",
    "see that it runs and can be reached, then run the same command again: what is committed is skipped",
)
# The first that fits.
_MEANINGS = (
    _LOGIN,
    _FULL,
    _Meaning(
        ("55P03", "40P01"),
        LockBusyError,
        "a lock was not had in time",
        "see who holds it (pg_stat_activity, pg_locks), then run the same command again: what is committed is skipped",
    ),
    _Meaning(("25006",), TargetError, "the database is read-only", "connect to the primary, as a role that may write"),
    _Meaning(
        ("42501",),
        TargetError,
        "a right is missing",
        "let the role of CAURI_DATABASE_URL own the warehouse, or give it that right",
    ),
    _Meaning(("42P06",), TargetError, "something else is there", "give Cauri a database of its own"),
    _AWAY,
)


def error_of(state: str, text: str, *, is_away: bool, kind: str) -> CauriError:
    """The error of an SQLSTATE; without one, `is_away` tells a lost connection, `kind` what else it was."""
    meaning = _meaning(state, text, is_away=is_away)
    if meaning is None:
        return TargetError(f"PostgreSQL refused ({state or kind}): {text}", sqlstate=state)
    return meaning.error(f"{meaning.words}: {text}", remedy=meaning.remedy, sqlstate=state)


def _meaning(state: str, text: str, *, is_away: bool) -> _Meaning | None:
    if _is_refused_login(text):
        return _LOGIN
    # Some files the server writes itself report what the system said, as an error of input and output.
    if "No space left on device" in text:
        return _FULL
    if not state and is_away:
        return _AWAY
    return next((meaning for meaning in _MEANINGS if state.startswith(meaning.states)), None)


def _is_refused_login(text: str) -> bool:
    # A failed connection carries no SQLSTATE, only the server's words.
    return "authentication failed" in text or ("FATAL" in text and "does not exist" in text) or "no password" in text
