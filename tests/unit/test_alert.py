"""Alerts arrive signed, are sent again if the receiver is in trouble, and hurt nobody if it stays so."""

import hashlib
import hmac
import time

import pytest

from operations.alert import Webhook, signature
from tests.webhook import receiving


def webhook(url: str) -> Webhook:
    return Webhook(url, "shared", attempts=3, pause_seconds=0.01)


def test_the_signature_covers_moment_and_body() -> None:
    with receiving() as receiver:
        assert webhook(receiver.url).send({"event": "failed"})
    ((headers, body),) = receiver.received
    stamp = headers["X-Cauri-Timestamp"]
    expected = hmac.new(b"shared", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Cauri-Signature"] == f"sha256={expected}"
    assert body == b'{"event":"failed"}'
    assert abs(int(stamp) - time.time()) < 60
    assert signature("shared", str(int(stamp) + 1), body) != f"sha256={expected}"


@pytest.mark.parametrize("codes", [(503, 200), (500, 429, 200)])
def test_a_receiver_in_trouble_is_asked_again(codes: tuple[int, ...]) -> None:
    with receiving(*codes) as receiver:
        assert webhook(receiver.url).send({})
    assert len(receiver.received) == len(codes)


@pytest.mark.parametrize(("code", "sent"), [(503, 3), (400, 1), (404, 1), (302, 1)])
def test_a_receiver_that_refuses_is_left_alone(code: int, sent: int) -> None:
    with receiving(code) as receiver:
        assert not webhook(receiver.url).send({})
    assert len(receiver.received) == sent


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "ftp://x/", "file:///etc/passwd", "http://", "nonsense"])
def test_no_receiver_is_no_error(url: str) -> None:
    assert not webhook(url).send({})
