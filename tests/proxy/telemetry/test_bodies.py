"""Texts: bounded, passed on as they are, kept without secrets."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.telemetry.bodies import MOST, Copy, credentials, kept, shown, spelled, without, without_lookalikes
from proxy.telemetry.receipt import Text
from tests.support.compiled import make_exchange


async def test_an_answer_passes_and_its_beginning_stays() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    copy = Copy(send)
    messages: list[dict[str, Any]] = [
        {"type": "http.response.start", "status": 200},
        {"type": "http.response.body", "body": b"ab", "more_body": True},
        {"type": "http.response.body", "body": b"c" * 2 * MOST, "more_body": True},
        {"type": "http.response.body", "body": b"later", "more_body": True},
        {"type": "http.response.body"},
    ]
    for message in messages:
        await copy.send(message)
    assert sent == messages
    assert copy.taken.startswith(b"abccc")
    assert MOST < len(copy.taken) < 2 * MOST


@pytest.mark.parametrize(
    ("headers", "query", "found"),
    [
        ([(b"authorization", b"Bearer key-of-somebody")], b"", [b"key-of-somebody"]),
        ([(b"authorization", b"basic dXNlcjpwYXNz")], b"", [b"dXNlcjpwYXNz"]),
        ([(b"x-api-key", b"a-key-of-mine"), (b"accept", b"application/json")], b"", [b"a-key-of-mine"]),
        ([], b"alt=sse&key=a-key-of-mine", [b"a-key-of-mine"]),
        ([(b"x-goog-api-key", b"short")], b"", []),
        ([(b"x-api-key", b"one-key!"), (b"cookie", b"one-key!-and-more")], b"", [b"one-key!-and-more", b"one-key!"]),
    ],
)
def test_credentials_of_a_request(headers: Any, query: bytes, found: list[bytes]) -> None:
    assert credentials(headers, query) == found


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-0123456789abcdefghij",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA-0123456789_0123456789_012345678",
        "ghp_0123456789abcdefghijABCDEFGHIJ0123",
        "xoxb-0123456789-abc",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.abc-_123",
        "Bearer 0123456789abcdefghij==",
        "BEARER 0123456789abcdefghij",
    ],
)
def test_what_looks_like_a_key(secret: str) -> None:
    assert without_lookalikes(f'{{"a": "{secret}"}}'.encode()) == b'{"a": "***"}'


def test_words_are_no_keys() -> None:
    text = b"the bearer of this asks about sk-8 boards, ghosts and AKIA in task-0123456789012345"
    assert without_lookalikes(text).startswith(b"the bearer of this asks about sk-8 boards, ghosts and AKIA")


def test_private_keys() -> None:
    """Also one whose end was cut off."""
    for end in ("-----END RSA PRIVATE KEY-----", ""):
        text = f"-----BEGIN RSA PRIVATE KEY-----\\nMIIE{'x' * 50}\\n{end}"
        assert "MIIE" not in shown(Text(text.encode(), False), ()).text


def test_a_secret_in_json() -> None:
    assert spelled("plain") == (b"plain",)
    assert without(b'{"a": "x\\"y"}', spelled('x"y')) == b'{"a": "***"}'


@pytest.mark.parametrize("before", [MOST - 5, MOST + 1024 - 5, 0])
def test_a_secret_at_the_cut_is_not_cut_but_hidden(before: int) -> None:
    """Wherever the text ends, no beginning of the secret is left."""
    x = make_exchange()
    x.body = b"." * before + b"key-of-the-caller" * 200 + b"." * MOST
    text, answer = kept(x, [b"key-of-the-caller"])
    assert text is not None
    assert answer is None
    body = shown(text, ())
    assert "k" not in body.text
    assert (len(body.text) <= MOST, body.cut) == (True, True)


def test_what_is_no_text_is_shown_somehow() -> None:
    assert shown(Text(b"\xff\xfea", False), ()).text == "\ufffd\ufffda"
