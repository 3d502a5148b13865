"""An alert by webhook: a JSON document, signed, so that the receiver knows from whom and when it is."""

import hashlib
import hmac
import json
import logging
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tenacity import RetryError, retry, retry_if_exception, stop_after_attempt, wait_exponential

TIMESTAMP_HEADER = "X-Cauri-Timestamp"
SIGNATURE_HEADER = "X-Cauri-Signature"
TIMEOUT_SECONDS = 5
ATTEMPTS = 4
TOO_MANY_REQUESTS = 429
SERVER_ERRORS = 500

log = logging.getLogger("cauri.alert")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=` and the HMAC-SHA256, in hexadecimal, of timestamp, a full stop and the body."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


@dataclass(frozen=True)
class Webhook:
    """Where alerts go, and the secret that sender and receiver share."""

    url: str
    secret: str
    attempts: int = ATTEMPTS
    pause_seconds: float = 0.5

    def send(self, document: dict[str, Any]) -> bool:
        """Send a document; whether it was taken. An alert that cannot be sent is logged and makes nothing fail."""
        if urlsplit(self.url).scheme not in ("http", "https"):
            log.error("alert not sent: CAURI_ALERT_URL is no http address")
            return False
        body = json.dumps(document, separators=(",", ":"), default=str).encode()
        again = retry(
            stop=stop_after_attempt(self.attempts),
            wait=wait_exponential(multiplier=self.pause_seconds, max=5),
            retry=retry_if_exception(_is_temporary),
        )
        try:
            again(self._post)(body)
        except (RetryError, OSError, HTTPException, ValueError) as exc:
            log.error("alert not sent", extra={"error": _cause(exc), "attempts": self.attempts})
            return False
        return True

    def _post(self, body: bytes) -> None:
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: signature(self.secret, timestamp, body),
        }
        request = Request(self.url, body, headers, method="POST")  # noqa: S310 - the scheme was looked at
        try:
            with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS):
                return
        except HTTPError as exc:
            exc.close()  # it is the answer, too, and holds its socket
            raise


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would turn the alert into a GET, and send it to somebody who was not named."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _is_temporary(exc: BaseException) -> bool:
    if isinstance(exc, HTTPError):
        return exc.code == TOO_MANY_REQUESTS or exc.code >= SERVER_ERRORS
    return isinstance(exc, OSError | HTTPException)


def _cause(exc: BaseException) -> str:
    inner = exc.last_attempt.exception() if isinstance(exc, RetryError) else exc
    return f"{type(inner).__name__}: {inner}"
