"""Answers that are given again: what is new about them, and what is not."""

from __future__ import annotations

import json

import pytest

from proxy.caching.entry import Entry
from proxy.caching.replay import AtOnce, Paced, Renewed, body_of, identity_of, new_id, tells_usage
from tests.support.caching import STREAM, asked, entry, flow, said

NOW = 1_800_000_123.0


@pytest.mark.parametrize(
    ("body", "is_sse", "expected"),
    [
        (said(), False, ("chatcmpl-1", 1)),
        (b"".join(STREAM), True, ("chatcmpl-1", 1)),
        (b'{"id": "msg_1", "content": []}', False, ("msg_1", 0)),
        (b'event: message_start\ndata: {"type": "message_start", "message": {"id": "msg_1"}}\n\n', True, ("msg_1", 0)),
        (b'data: {"response": {"id": "resp_1", "created_at": 5}}\n\n', True, ("resp_1", 5)),
        (b'{"responseId": "abc", "candidates": []}', False, ("abc", 0)),
        (b'{"id": 5, "created": "x"}', False, ("", 0)),
        (b"no JSON", False, ("", 0)),
        (b": comment\n\n", True, ("", 0)),
    ],
)
def test_id_and_time_are_found(body: bytes, is_sse: bool, expected: tuple[str, int]) -> None:
    assert identity_of(body, is_sse=is_sse) == expected


def test_they_are_new_and_nothing_else_is() -> None:
    """A text that speaks of them is left alone."""
    text = 'The "id" is "chatcmpl-1", "created":1'
    x = asked()
    found = json.loads(body_of(x, entry(said(text)), NOW))
    before = json.loads(said(text))
    assert found["id"] == new_id(x, "chatcmpl-1") != before["id"]
    assert found["id"].startswith("chatcmpl-")
    assert found["created"] == int(NOW)
    assert found["choices"] == before["choices"]
    assert found["usage"] == before["usage"]


def test_without_an_id_nothing_is_new() -> None:
    assert body_of(asked(), entry(b'{"data": []}', id="", created=0), NOW) == b'{"data": []}'
    assert new_id(asked(), "0123").isalnum()


async def test_a_stream_that_flows_is_renewed() -> None:
    x = asked()
    found = b"".join([chunk async for chunk in Renewed(x, flow(*STREAM), NOW)])
    assert found == body_of(x, entry(b"".join(STREAM)), NOW) != b"".join(STREAM)


async def test_at_once_and_paced_are_the_same() -> None:
    body = b"".join(STREAM)
    assert [chunk async for chunk in AtOnce(body)] == [body]
    assert [chunk async for chunk in Paced(body, 0.01)] == STREAM
    assert [chunk async for chunk in AtOnce(b"")] == []


def test_usage_is_seen() -> None:
    assert tells_usage(b'data: {"usage": {"a": 1}}')
    assert not tells_usage(b'data: {"usage": null, "text": "\\"usage\\":{"}')
    assert Entry(stored=0, ttl=0, content_type=b"", body=b"").tells_usage is False
