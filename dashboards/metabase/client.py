"""Metabase's API: a session, and what is kept in it by name."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from warehouse.errors import ConfigurationError, TargetError, TransientTargetError

_SECONDS = 60
_AWAY = (502, 503, 504)
_REFUSED = (401, 403)


@dataclass(frozen=True)
class Administrator:
    """Who logs in; at first start, who is made."""

    email: str
    password: str


@dataclass(frozen=True)
class Metabase:
    """A session of an administrator. What it keeps it finds again by name: doing it twice is doing it once."""

    url: str
    session: str | None = None

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What the API answers.

        Raises:
            TransientTargetError: Metabase is away or starting.
            ConfigurationError: it refuses the login.
            TargetError: it refuses what it was told.
        """
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's
            f"{self.url.rstrip('/')}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        request.add_header("Content-Type", "application/json")
        if self.session is not None:
            request.add_header("X-Metabase-Session", self.session)
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                text = answer.read()
        except urllib.error.HTTPError as exc:
            raise _refusal(method, path, exc) from None
        except (OSError, TimeoutError) as exc:
            raise TransientTargetError(
                f"Metabase at {self.url} does not answer: {exc}", remedy="call again later"
            ) from None
        return json.loads(text) if text else None

    def keep(self, kind: str, known: Mapping[str, int], name: str, document: Mapping[str, Any]) -> int:
        """Make or change what has a name; return its number."""
        if name in known:
            self.call("PUT", f"{kind}/{known[name]}", document)
            return known[name]
        made: int = self.call("POST", kind, document)["id"]
        return made


def log_in(url: str, administrator: Administrator, language: str) -> Metabase:
    """A session; a Metabase that was never set up is set up, with this administrator.

    Raises:
        ConfigurationError, TargetError, TransientTargetError: see `Metabase.call`.
    """
    stranger = Metabase(url)
    state = stranger.call("GET", "session/properties")
    if state.get("has-user-setup"):
        login = {"username": administrator.email, "password": administrator.password}
        return Metabase(url, stranger.call("POST", "session", login)["id"])
    person = {"first_name": "Cauri", "last_name": "Administrator", "site_name": "Cauri"}
    setup = {
        "token": state["setup-token"],
        "user": person | {"email": administrator.email, "password": administrator.password},
        "prefs": {"site_name": "Cauri", "site_locale": language, "allow_tracking": False},
    }
    return Metabase(url, stranger.call("POST", "setup", setup)["id"])


def _refusal(method: str, path: str, exc: urllib.error.HTTPError) -> Exception:
    if exc.code in _AWAY:
        return TransientTargetError(f"Metabase answers {exc.code} to {method} {path}", remedy="call again later")
    if exc.code in _REFUSED or (path == "session" and exc.code == 400):
        return ConfigurationError(
            f"Metabase refuses {method} {path} ({exc.code})",
            remedy="check METABASE_EMAIL and METABASE_PASSWORD: an administrator of that Metabase",
        )
    # Its words may repeat what was sent, a password for instance: names of fields only.
    return TargetError(
        f"Metabase refuses {method} {path} ({exc.code}): {_fields(exc.read())}", remedy="compare its version"
    )


def _fields(answer: bytes) -> str:
    try:
        document = json.loads(answer)
    except ValueError:
        return "no reason given"
    found = document.get("specific-errors") or document.get("errors") if isinstance(document, dict) else None
    return ", ".join(sorted(map(str, found))) if found else "no reason given"
