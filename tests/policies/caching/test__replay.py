"""Kept answers in the place of a target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policies.caching._asked import Whole
from policies.caching._replay import Followed, Replayed
from proxy.caching.broadcast import Broadcast
from proxy.caching.savings import Kind, Saved
from proxy.exchange import Exchange
from proxy.policy import Answer
from tests.support.caching import EVENTS, JSON, STREAM, House, asked, entry, flow, said


class Savings:
    """A ledger that remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, Saved]] = []

    def saved(self, x: Exchange, kind: Kind, target: str, saved: Saved) -> None:
        self.heard.append((kind, target, saved))


@pytest.fixture
def context(tmp_path: Path) -> Any:
    return House(tmp_path).policy._context


async def read(answer: Answer) -> bytes:
    """All of it."""
    if answer.body is not None:
        return answer.body
    assert answer.chunks is not None
    return b"".join([chunk async for chunk in answer.chunks])


async def test_its_own_form_is_its_own_bytes(context: Any) -> None:
    """But for id and time."""
    x = asked()
    found = json.loads(await read(await Replayed(entry(), context, context.savings()).send(x)))
    assert {**found, "id": "chatcmpl-1", "created": 1} == json.loads(said())


async def test_usage_is_made_up_where_it_was_not_told(context: Any) -> None:
    """Of what the first one's charge knows."""
    kept = entry(b"".join(STREAM), is_sse=True, input_tokens=7, output_tokens=4)
    body = await read(
        await Replayed(kept, context, context.savings(), wants_usage=True).send(
            asked(stream=True, stream_options={"include_usage": True})
        )
    )
    assert json.loads(body.split(b"\n\n")[-3].removeprefix(b"data: "))["usage"]["total_tokens"] == 11
    assert (
        json.loads(await read(await Replayed(kept, context, context.savings()).send(asked())))["usage"]["prompt_tokens"]
        == 7
    )


async def test_what_was_lost_is_lost_again(context: Any) -> None:
    assert (await Replayed(entry(dropped=("seed",)), context, context.savings()).send(asked())).dropped == ("seed",)


@pytest.mark.parametrize("status", [200, 503])
async def test_a_whole_answer_is_followed(status: int, context: Any) -> None:
    """A failure is handed on as it is."""
    whole = Whole(Answer(status, list(JSON), body=said(), code=None if status == 200 else "overloaded"), [])
    answer = await Followed(whole, None, context, context.savings()).send(asked())
    assert (answer.status, answer.code) == (status, whole.code)
    assert (await read(answer) == said()) is (status == 503)


async def test_a_stream_is_followed(context: Any) -> None:
    """From its beginning, with an id of its own."""
    flowing = Broadcast(asked(), Whole(Answer(200, list(EVENTS)), []), flow(*STREAM), None, 1000)
    mine = flowing.reader()
    answer = await Followed(flowing.head, flowing.reader(), context, context.savings()).send(asked(stream=True))
    body = await read(answer)
    assert answer.is_sse
    assert body.endswith(b"data: [DONE]\n\n")
    assert b"chatcmpl-1" not in body
    assert len([chunk async for chunk in mine]) >= 1
    assert answer.close is not None
    answer.close()


async def test_what_is_given_again_is_told_once_it_is_sent(context: Any) -> None:
    """Not when it is only found: somebody may still refuse the request."""
    savings, kept = Savings(), entry(cost=7, input_tokens=3, output_tokens=2)
    made = Replayed(kept, context, savings, kind="semantic")
    assert savings.heard == []
    await made.send(asked())
    assert savings.heard == [("semantic", "up/m", (7, 3, 2))]


async def test_who_follows_a_stream_to_its_end_has_saved_what_it_cost(context: Any) -> None:
    """That is known with the end. Who leaves before is no row."""
    first, head = asked(), Whole(Answer(200, list(EVENTS), target="up/m"), [])
    flowing = Broadcast(first, head, flow(*STREAM), None, 10_000)
    savings = Savings()
    answers = [await Followed(head, flowing.reader(), context, savings).send(asked(stream=True)) for _ in range(2)]
    left, stays = answers
    assert left.chunks is not None
    assert left.close is not None
    assert await anext(left.chunks)
    left.close()
    await read(stays)
    assert savings.heard == [("shared", "up/m", (0, 0, 0))]


@pytest.mark.parametrize(("status", "expected"), [(200, [("shared", "up/m", (0, 0, 0))]), (503, [])])
async def test_a_failure_that_is_shared_saves_nothing(status: int, expected: list[Any], context: Any) -> None:
    savings = Savings()
    whole = Whole(Answer(status, list(JSON), body=said(), target="up/m"), [])
    await Followed(whole, None, context, savings).send(asked())
    assert savings.heard == expected
