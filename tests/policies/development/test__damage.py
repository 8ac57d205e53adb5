"""Streams that are slowed down, cut, and garbled: event by event."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from policies.development._damage import Damaged, Garbled, garble, half
from proxy.chat import Choice, Completion, Part, Text, ToolCall
from proxy.dialects.paths import endpoint_for
from proxy.errors import HungUp
from proxy.exchange import Exchange
from proxy.translation.answers import Taken
from tests.support.compiled import make_exchange

ASKED = b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": true}'


def _asked() -> Exchange:
    x = make_exchange()
    x.endpoint = endpoint_for("POST", x.path)
    x.body, x.model, x.stream = ASKED, "m", True
    return x


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: %b\n\n" % json.dumps(chunk).encode()


WORDS = [_event({"content": word}) for word in ("one ", "two ", "three")]
END = [_event({}, "stop"), b"data: [DONE]\n\n"]


async def _from(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class Seen:
    """What came out, and what was told."""

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.slowed = self.hung_up = self.calls = 0

    def slow(self) -> None:
        self.slowed += 1

    def hang_up(self) -> None:
        self.hung_up += 1

    def call(self) -> None:
        self.calls += 1

    async def read(self, chunks: AsyncIterator[bytes]) -> str | None:
        """All of it; the code with which it was cut."""
        try:
            async for chunk in chunks:
                self.out.append(chunk)
        except HungUp as cut:
            return cut.code
        return None


@pytest.mark.parametrize("joined", [False, True], ids=["apart", "joined"])
@pytest.mark.parametrize(("after", "words"), [(0, 0), (1, 1), (2, 2), (3, 3), (9, 3)])
async def test_it_is_cut_after_so_many_tokens(after: int, words: int, joined: bool) -> None:
    """Whatever the pieces in which they come; never with its end."""
    chunks = [_event({"role": "assistant"}), *WORDS, *END]
    seen = Seen()
    source = _from(b"".join(chunks)) if joined else _from(*chunks)
    assert await seen.read(Damaged(source, Taken(_asked()), None, after, seen.slow, seen.hang_up)) == "chaos_cut"
    assert seen.out == chunks[: 1 + words]
    assert (seen.hung_up, seen.slowed) == (1, 0)


async def test_what_is_no_conversation_is_cut_by_the_chunk() -> None:
    seen = Seen()
    stream = Damaged(_from(b"a", b"b", b"c"), None, None, 2, seen.slow, seen.hang_up)
    assert (await seen.read(stream), seen.out) == ("chaos_cut", [b"a", b"b"])
    seen = Seen()
    stream = Damaged(_from(b"a"), None, None, 2, seen.slow, seen.hang_up)
    assert (await seen.read(stream), seen.out) == ("chaos_cut", [b"a"])


async def test_it_is_slow_before_each_word_and_says_the_same() -> None:
    chunks = [_event({"role": "assistant"}), *WORDS, *END]
    seen, began = Seen(), time.monotonic()
    stream = Damaged(_from(b"".join(chunks)), Taken(_asked()), 0.02, None, seen.slow, seen.hang_up)
    assert await seen.read(stream) is None
    assert time.monotonic() - began >= 0.06
    assert (seen.out, seen.slowed, seen.hung_up) == (chunks, 1, 0)


async def test_half_an_answer() -> None:
    seen = Seen()
    assert await seen.read(half(b"12345678", seen.hang_up)) == "chaos_cut"
    assert (seen.out, seen.hung_up) == ([b"1234"], 1)


async def test_arguments_never_end() -> None:
    """The rest says what it said."""
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "find", "arguments": ""}}
    pieces = ['{"at": {"x"', ": 1}", "}"]
    chunks = [_event({"role": "assistant", "content": "Look"}), _event({"tool_calls": [call]})]
    chunks += [_event({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in pieces]
    chunks += [_event({}, "tool_calls"), b"data: [DONE]\n\n"]
    seen = Seen()
    assert await seen.read(Garbled(_from(*chunks), Taken(_asked()), seen.call)) is None
    found = Taken(_asked())
    events = [event for chunk in seen.out for piece in found.split(chunk) for event in found.read(piece)]
    said = "".join(getattr(event, "text", "") for event in events if getattr(event, "kind", "") == "arguments")
    assert said == '{"at": {"x": 1'
    assert seen.calls == 2
    assert b"Look" in b"".join(seen.out)
    assert seen.out[-1].endswith(b"data: [DONE]\n\n")


def test_a_whole_answer_is_garbled_only_if_it_calls_a_tool() -> None:
    def said(*parts: Part) -> Completion:
        return Completion(id="i", model="m", choices=[Choice(parts=list(parts))])

    text = said(Text("{}"))
    assert not garble(text)
    assert text.choices[0].parts == [Text("{}")]
    call = said(ToolCall(id="1", name="f", arguments='{"a": 1}'))
    assert garble(call)
    assert call.choices[0].parts == [ToolCall(id="1", name="f", arguments='{"a": 1')]
