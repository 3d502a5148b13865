"""The last words of the local server, fit for an error message."""

import re
from pathlib import Path

_LAST_LINES = 12
_LONGEST_LINE = 300
_SECRET = re.compile(r"(?i)\b(password|passwd|pwd|secret|token|key)(\s*[=:]\s*|\s+)('[^']*'|\S+)")
_DSN_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]+@")
# What a client sent, or the row it was about.
_CLIENTS_WORDS = re.compile(r"\b(STATEMENT|DETAIL|CONTEXT|QUERY):")


def last_words(folder: Path, *, since: float = 0.0) -> str:
    """The last lines that the files in `folder` got after `since`, oldest file first."""
    files = sorted((file for file in folder.glob("*.log")), key=lambda file: file.stat().st_mtime)
    return without_secrets(
        "\n".join(file.read_text(errors="replace") for file in files if file.stat().st_mtime >= since)
    )


def without_secrets(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not _CLIENTS_WORDS.search(line)]
    return "\n".join(_masked(line)[:_LONGEST_LINE] for line in lines[-_LAST_LINES:])


def _masked(line: str) -> str:
    return _DSN_PASSWORD.sub(r"\1***@", _SECRET.sub(r"\1\2***", line))
