"""A Metabase that remembers what it is told, as far as its documented API goes; and statements with values put in."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dashboards.statements import Statement

ADMINISTRATOR = {"email": "admin@example.com", "password": "Cauri-0123456789"}


def with_values(statement: Statement, values: Mapping[str, str]) -> str:
    """The statement as Metabase sends it: what is in [[ ]] falls away where a variable has no value."""

    def optional(match: re.Match[str]) -> str:
        names = re.findall(r"\{\{(\w+)\}\}", match[1])
        return match[1] if all(name in values for name in names) else ""

    text = re.sub(r"\[\[(.*?)\]\]", optional, statement.text)
    return re.sub(r"\{\{(\w+)\}\}", lambda match: f"'{values[match[1]]}'", text)


@dataclass
class State:
    """Everything in it, by kind and number."""

    is_set_up: bool = False
    kept: dict[str, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in ("database", "collection", "card", "dashboard")}
    )
    calls: list[tuple[str, str]] = field(default_factory=list)

    def new(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        number = 1 + sum(map(len, self.kept.values()))
        self.kept[kind][number] = {"id": number, "dashcards": [], **document}
        return self.kept[kind][number]


class Handler(BaseHTTPRequestHandler):
    state: State

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the name is the base class's

    def _answer(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        path = self.path.removeprefix("/api/")
        self.state.calls.append((method, path))
        code, document = self._found(method, path, body)
        text = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _found(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        state = self.state
        if path == "session/properties":
            return 200, {"has-user-setup": state.is_set_up, "setup-token": None if state.is_set_up else "token"}
        if path == "setup":
            if state.is_set_up or body["token"] != "token":
                return 403, {}
            state.is_set_up = True
            return 200, {"id": "session"}
        if path == "session":
            right = body == {"username": ADMINISTRATOR["email"], "password": ADMINISTRATOR["password"]}
            return (
                (200, {"id": "session"}) if right else (401, {"errors": {"password": "did not match stored password"}})
            )
        if self.headers.get("X-Metabase-Session") != "session":
            return 401, {}
        return self._kept(method, path, body)

    def _kept(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        kind, _, rest = path.partition("/")
        things = self.state.kept[kind]
        if method == "POST":
            if kind == "collection":
                body["location"] = "/" if body["parent_id"] is None else f"/{body['parent_id']}/"
            return 200, self.state.new(kind, body)
        if not rest:
            return 200, {"data": list(things.values())} if kind == "database" else list(things.values())
        if items := re.fullmatch(r"(\d+)/items\?models=(\w+)&.*", rest):
            inside = self.state.kept[items[2]].values()
            return 200, {"data": [one for one in inside if one["collection_id"] == int(items[1])]}
        thing = things[int(rest)]
        if method == "PUT":
            for place, one in enumerate(body.get("dashcards", [])):
                one["id"] = one["id"] if one["id"] > 0 else 1000 + place
            thing.update(body)
        return 200, thing


@contextmanager
def metabase() -> Iterator[tuple[str, State]]:
    """Its address, and what it holds."""
    state = State()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"state": state}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
