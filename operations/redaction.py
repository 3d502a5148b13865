"""What must not stand in a log line or an alert is replaced by `***`: phone numbers, passwords, keys, identifiers.

Messages are written without row values to begin with; this is the second wall, for what a driver or a library says.
"""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

MASK = "***"

# Fields whose values are never shown, whatever they look like.
SECRET_FIELDS = re.compile(
    r"password|passwd|pwd|secret|token|api_?key|(pseudonym|vault|master|private)_key|dsn|database_url|msisdn|phone|email"
    r"|company_name|client_id|client_ref|beneficiary(_id|_ref)?$",
    re.IGNORECASE,
)

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Up to the last @ of the word: a password may hold one, too.
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s'\"]*@", re.IGNORECASE), rf"\1{MASK}@"),
    (
        re.compile(
            r"(?i)([\"']?\b\w*(?:password|passwd|pwd|secret|token|api_?key|pseudonym_key|vault_key)[\"']?\s*[=:]\s*)"
            r"('[^']*'|\"[^\"]*\"|[^\s,;&}]+)"
        ),
        rf"\1{MASK}",
    ),
    # What PostgreSQL says of a row: DETAIL and CONTEXT.
    (re.compile(r"(Key \([^)]*\)=\().*?(\)(?= |\.|$))"), rf"\1{MASK}\2"),
    (re.compile(r"(Failing row contains \().*(\))"), rf"\1{MASK}\2"),
    (re.compile(r"(COPY \S+, line \d+(?:, column \S+)?: )\"[^\n]*\""), rf"\1{MASK}"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), MASK),
    # 32 bytes in base64: a key. A digest in hexadecimal is no secret.
    (re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{43}="), MASK),
    (re.compile(r"\b(?:CLI|CLT|CUST|MRC|BEN)[-_]?\d[\w-]*", re.IGNORECASE), MASK),
    # Phone numbers: nine digits or more, in groups or not; moments, days and control totals are none.
    (
        re.compile(r"(?<![\w.,:+-])(?<!_minor=)(?!\d{4}-\d\d-\d\d)(?:\+|00)?\(?\d(?:[ .()-]{0,2}\d){8,14}(?![\w-])"),
        MASK,
    ),
)


class Redactor:
    """Redacts texts and whole log events; `secrets` are values that are known and replaced literally."""

    def __init__(self, secrets: Iterable[str] = (), pattern: str | None = None) -> None:
        self._secrets = sorted({one for one in secrets if len(one) >= 4}, key=len, reverse=True)
        self._own = re.compile(pattern) if pattern else None

    def text(self, value: str) -> str:
        """The text without what must not be told."""
        for secret in self._secrets:
            value = value.replace(secret, MASK)
        for rule, instead in _RULES:
            value = rule.sub(instead, value)
        return self._own.sub(MASK, value) if self._own else value

    def value(self, value: Any) -> Any:
        """The same for what an event or a document may hold."""
        if isinstance(value, bool | int | float) or value is None:
            return value
        if isinstance(value, Mapping):
            return {key: MASK if SECRET_FIELDS.search(str(key)) else self.value(one) for key, one in value.items()}
        if isinstance(value, list | tuple | set):
            return [self.value(one) for one in value]
        return self.text(str(value))

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """As a processor of structlog."""
        kept = {name: event.pop(name) for name in ("timestamp",) if name in event}
        redacted: dict[str, Any] = self.value(event)
        return {**kept, **redacted}
