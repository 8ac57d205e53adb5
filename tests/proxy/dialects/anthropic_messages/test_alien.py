"""Thoughts of other providers are cut out of requests that pass, and nothing else is touched."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Losses, seal
from proxy.dialects.anthropic_messages.alien import without_aliens

USER = {"role": "user", "content": "hi"}
OURS = {"type": "thinking", "thinking": "hm", "signature": seal("openai", "X")}
UNSIGNED = {"type": "thinking", "thinking": "hm", "signature": ""}
HIDDEN = {"type": "redacted_thinking", "data": seal("gemini@next", "X")}
OWN = {"type": "thinking", "thinking": "hm", "signature": "EqQBCg"}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {"signature": "", "note": "sg.x.y"}}


def _cut(*content: Any, **more: Any) -> tuple[dict[str, Any], list[str], bool]:
    body = msgspec.json.encode(
        {"model": "m", "messages": [USER, {"role": "assistant", "content": content}, USER], **more}
    )
    losses = Losses()
    left = without_aliens(body, losses)
    return msgspec.json.decode(left), list(losses.names), left is body


@pytest.mark.parametrize("alien", [OURS, UNSIGNED, HIDDEN])
def test_a_thought_of_another_is_cut_out(alien: dict[str, Any]) -> None:
    body, lost, same = _cut(alien, OWN, CALL, container="c")
    assert body["messages"][1]["content"] == [OWN, CALL]
    assert (body["container"], lost, same) == ("c", ["messages.reasoning"], False)


def test_requests_without_such_thoughts_are_the_same_bytes() -> None:
    for content in ([OWN, CALL], [CALL], [{"type": "text", "text": "sg.openai.X"}]):
        assert _cut(*content)[1:] == ([], True)


def test_what_is_left_is_byte_for_byte_what_it_was() -> None:
    body = (
        b'{"zz":[1e400],"messages":[{"role":"user","content":"\\u00e9" },{"content":[{"type":"thinking",'
        b'"thinking":"","signature":""},{ "type":"text", "text":"a" }],"role":"assistant"}],"model":"m"}'
    )
    assert without_aliens(body, Losses()) == (
        b'{"zz":[1e400],"messages":[{"role":"user","content":"\\u00e9" },{"content":['
        b'{ "type":"text", "text":"a" }],"role":"assistant"}],"model":"m"}'
    )


def test_a_turn_of_nothing_else_vanishes() -> None:
    assert _cut(OURS)[0]["messages"] == [USER, USER]


def test_thinking_is_off_where_its_thought_is_gone() -> None:
    enabled = {"type": "enabled", "budget_tokens": 1024}
    body, lost, _ = _cut(OURS, CALL, thinking=enabled)
    assert "thinking" not in body
    assert lost == ["messages.reasoning", "thinking"]
    for content, thinking in (
        ([OURS, OWN, CALL], enabled),
        ([OURS, {"type": "text", "text": "a"}], enabled),
        ([OURS, CALL], {"type": "adaptive"}),
    ):
        assert _cut(*content, thinking=thinking)[0]["thinking"] == thinking


@pytest.mark.parametrize(
    "body", [b'"sg.x"', b'{"signature":""}', b'{"messages":["sg.x"]}', b'{"messages":[{"content":["sg.x"]}]}', b'{"sg.']
)
def test_what_cannot_be_read_passes(body: bytes) -> None:
    assert without_aliens(body, Losses()) is body
