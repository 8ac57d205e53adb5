"""A question of the gateway's own to a model."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from proxy.asking import ask
from proxy.errors import Unavailable
from proxy.exchange import Exchange
from proxy.policy import Answer, Timeouts
from proxy.targets.leaf import Leaf
from tests.support.compiled import Canned, make_exchange


def _leaf(answer: Any) -> tuple[Leaf, Canned]:
    provider = Canned(answer)
    return Leaf("up/judge", provider, "judge", Timeouts()), provider


def _says(body: bytes, status: int = 200) -> Any:
    return lambda x, model: Answer(status, [], body=body)


def _request() -> Exchange:
    x = make_exchange()
    x.model, x.deadline = "gpt-4o", x.received + 60
    return x


async def test_the_answer_is_the_text() -> None:
    """One short question in OpenAI's words, for the target's own model; the attempt is noted on the request."""
    leaf, provider = _leaf(_says(b'{"choices":[{"message":{"role":"assistant","content":"code"}}]}'))
    x = _request()
    assert await ask(leaf, x, "Which task?", 1.0) == "code"
    ((path, model, body),) = provider.asked
    assert (path, model) == ("/v1/chat/completions", "judge")
    assert json.loads(body)["messages"] == [{"role": "user", "content": "Which task?"}]
    assert json.loads(body)["max_tokens"] <= 16
    assert [(attempt.target, attempt.outcome) for attempt in x.attempts] == [("up/judge", "ok")]
    assert leaf.health.in_flight == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"choices":[]}', b'{"choices":[{"message":{"content":null}}]}', b"x" * 100_000],
    ids=["empty", "html", "list", "none", "null", "huge"],
)
async def test_any_other_answer_is_none(body: bytes) -> None:
    """It is a question on the side: nothing of it reaches the caller."""
    leaf, _ = _leaf(_says(body))
    assert await ask(leaf, _request(), "?", 1.0) is None
    assert leaf.health.in_flight == 0


async def test_a_failure_is_none() -> None:
    """And is noted as an attempt that failed."""

    def fail(x: Exchange, model: str | None) -> Answer:
        raise Unavailable("down")

    leaf, _ = _leaf(fail)
    x = _request()
    assert await ask(leaf, x, "?", 1.0) is None
    assert [attempt.outcome for attempt in x.attempts] == ["error"]


async def test_a_slow_answer_is_none() -> None:
    """It is given up, and its connection is closed."""
    closed = []

    async def never() -> Any:
        await asyncio.Event().wait()
        yield b""

    def flows(x: Exchange, model: str | None) -> Answer:
        return Answer(200, [], chunks=never(), close=lambda: closed.append(True))

    leaf, _ = _leaf(flows)
    assert await ask(leaf, _request(), "?", 0.01) is None
    assert closed
    assert leaf.health.in_flight == 0
