"""The other end of an answer that nobody waits for."""

from __future__ import annotations

import asyncio

import pytest

from proxy.jobs.collector import TOO_LARGE, Collector

HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"x-sluicegate-target", b"a/b"), (b"set-cookie", b"c=1")],
}


def _part(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def test_an_answer_is_put_together() -> None:
    """Its pieces in order, and of its headers those that may be kept."""
    collector = Collector(10)
    assert collector.response() is None
    for message in (HEAD, _part(b"ab"), _part(b""), {"type": "http.response.body", "body": b"c"}):
        await collector.send(message)
    response = collector.response()
    assert response is not None
    assert (response.status, response.body) == (200, b"abc")
    assert response.headers == [(b"content-type", b"text/plain"), (b"x-sluicegate-target", b"a/b")]


async def test_too_much_ends_it() -> None:
    """As a client does that goes away."""
    collector = Collector(3)
    await collector.send(HEAD)
    await collector.send(_part(b"abc"))
    with pytest.raises(asyncio.CancelledError, match=TOO_LARGE):
        await collector.send(_part(b"d"))
    assert collector.too_large
