"""Several blocks at once under one guard: each is a text of its own."""

from __future__ import annotations

from policies.guardrails._stream import GuardFilter
from policies.guardrails.keywords import Keywords, KeywordsConfig
from proxy.chat import Delta
from proxy.guarding.verdict import Verdict
from proxy.policy import Halt
from tests.support.guards import Guarded


async def test_blocks_and_choices_are_apart() -> None:
    guard = Guarded(Keywords, KeywordsConfig(deny={"a": ("secret",)}))
    x, _ = await guard.ask("Hello")
    filter_ = guard.guard.open_stream(x)
    assert isinstance(filter_, GuardFilter)
    assert filter_.feed(Delta(0, "text", "sec", 0)) == []
    assert filter_.feed(Delta(1, "text", "ret", 0)) == [Delta(1, "text", "ret", 0)]
    assert filter_.feed(Delta(0, "reasoning", "ret", 1)) == [Delta(0, "reasoning", "ret", 1)]
    assert filter_.close(0, 7) == []
    assert filter_.close(0, 0) == [Delta(0, "text", "sec", 0)]
    assert filter_.feed(Delta(2, "refusal", "a secret.", 0)) == [
        Delta(2, "refusal", "a ", 0),
        Halt("This was stopped by the guardrail 'keywords'."),
    ]


async def test_what_cannot_be_read_stops_an_answer_or_is_told() -> None:
    guard = Guarded(Keywords, KeywordsConfig(deny={"a": ("b",)}, on_error="open"))
    x, _ = await guard.ask("Hello")
    filter_ = guard.guard.open_stream(x)
    assert filter_ is not None
    assert filter_.unread("an answer") is None
    guard.guard.on_close(x)
    assert "output failed open (an answer is not looked into)" in x.notes["keywords"]
    assert Verdict("output").outcome == "clean"
