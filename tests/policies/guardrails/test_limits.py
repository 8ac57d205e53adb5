"""The policy `limits`: what is set anew, what is refused, what is said of it. The wire is in ``tests/e2e``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from policies.guardrails.limits import Bounds, Limits, LimitsConfig
from proxy.dialects.splice import read_envelope
from proxy.exchange import Exchange
from proxy.policy import Answer, CompileContext
from tests.policies.conftest import Context

MakeExchange = Callable[..., Exchange]
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
PICTURE = {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}


def _limits(context: Context, **settings: Any) -> Limits:
    made = Limits.compile(LimitsConfig(**settings), cast(CompileContext, context))
    assert not context.problems
    return made


def _asked(exchange: MakeExchange, **body: Any) -> Exchange:
    found = {"model": "gpt-4o", "messages": HELLO, **body}
    x = exchange(body=json.dumps(found).encode())
    x.maxima, x.state = read_envelope(x.body).maxima, [None] * 9
    return x


async def _refusal(policy: Limits, x: Exchange) -> dict[str, Any]:
    reply = await policy.on_request(x)
    assert reply is not None
    assert reply.status == 400
    error: dict[str, Any] = json.loads(reply.body)["error"]
    return error


async def test_parameters_are_clamped_and_said(context: Context, exchange: MakeExchange) -> None:
    policy = _limits(context, max_tokens=Bounds(max=1000, default=500), temperature=Bounds(min=0.2, max=1))
    x = _asked(exchange, max_tokens=4000, temperature=0)
    assert await policy.on_request(x) is None
    sent = json.loads(x.body)
    assert (sent["max_tokens"], sent["temperature"]) == (1000, 0.2)
    assert x.notes["limits"] == "max_tokens 4000 → 1000, temperature 0 → 0.2"
    assert policy.explain(x) == x.notes["limits"]
    answer = Answer(200, [], target="up/a")
    answer.dropped = ("top_k", "temperature")
    policy.on_response(x, answer)
    assert list(answer.dropped) == ["max_tokens", "temperature", "top_k"]
    assert context.reported == [
        ("limits.applied", {"route": "", "limit": "max_tokens", "action": "clamped"}),
        ("limits.applied", {"route": "", "limit": "temperature", "action": "clamped"}),
    ]


async def test_a_default_is_no_loss(context: Context, exchange: MakeExchange) -> None:
    policy = _limits(context, max_tokens=Bounds(max=1000, default=500), n=Bounds(default=1))
    x = _asked(exchange)
    assert await policy.on_request(x) is None
    assert json.loads(x.body)["max_completion_tokens"] == 500
    answer = Answer(200, [], target="up/a")
    policy.on_response(x, answer)
    assert (answer.dropped, context.reported) == ((), [])
    assert x.notes["limits"] == "max_tokens 500 as default, n 1 as default"


async def test_a_maximum_holds_for_who_names_none(context: Context, exchange: MakeExchange) -> None:
    x = _asked(exchange)
    await _limits(context, max_tokens=Bounds(max=700, over="refuse")).on_request(x)
    assert json.loads(x.body)["max_completion_tokens"] == 700


async def test_a_value_outside_may_be_refused(context: Context, exchange: MakeExchange) -> None:
    policy = _limits(context, temperature=Bounds(min=0.1, max=1, over="refuse"), n=Bounds(max=1))
    x = _asked(exchange, temperature=1.5, n=3)
    error = await _refusal(policy, x)
    assert (error["code"], error["param"]) == ("limit_exceeded", "temperature")
    assert error["message"] == "temperature is 1.5, and must be at least 0.1 and at most 1 here."
    assert context.reported[-1][1] == {"route": "", "limit": "temperature", "action": "refused"}
    assert x.notes["limits"] == "refused: temperature"


@pytest.mark.parametrize(
    ("settings", "body", "said"),
    [
        ({"max_messages": 2}, {"messages": HELLO * 3}, "The request has 3 messages, and may have 2 here."),
        ({"max_tools": 0}, {"tools": [{"type": "function", "function": {"name": "f"}}]}, "has 1 tools"),
        ({"max_images": 1}, {"messages": [{"role": "user", "content": [PICTURE, PICTURE]}]}, "has 2 images"),
    ],
)
async def test_numbers_of_things(context: Context, exchange: MakeExchange, settings: Any, body: Any, said: str) -> None:
    error = await _refusal(_limits(context, **settings), _asked(exchange, **body))
    assert said in error["message"]
    assert error["code"] == "limit_exceeded"


async def test_as_many_as_are_allowed_pass(context: Context, exchange: MakeExchange) -> None:
    policy = _limits(context, max_messages=1, max_tools=1, max_images=2, max_input_tokens=2500)
    message = {"role": "user", "content": [PICTURE, PICTURE]}
    x = _asked(exchange, messages=[message], tools=[{"type": "function", "function": {"name": "f"}}])
    body = x.body
    assert await policy.on_request(x) is None
    assert x.body is body
    assert policy.explain(x) == "within its limits"


async def test_tokens_are_counted_only_where_bytes_leave_a_doubt(context: Context, exchange: MakeExchange) -> None:
    policy = _limits(context, max_input_tokens=300)
    counted: list[Exchange] = []
    real = context.count_input

    class Counting(Context):
        async def count_input(self, x: Exchange) -> int:
            counted.append(x)
            return await real(x)

    policy = _limits(Counting(), max_input_tokens=300)
    assert await policy.on_request(_asked(exchange)) is None
    assert not counted
    assert await policy.on_request(_asked(exchange, messages=[{"role": "user", "content": "word " * 200}])) is None
    assert len(counted) == 1
    error = await _refusal(policy, _asked(exchange, messages=[{"role": "user", "content": "word " * 400}]))
    assert error["code"] == "context_length_exceeded"
    assert error["message"].startswith("prompt is too long: 40")
    assert error["message"].endswith(" tokens > 300 maximum")


async def test_what_is_no_text_passes(context: Context, exchange: MakeExchange) -> None:
    policy = _limits(context, max_input_tokens=1, max_tokens=Bounds(max=1), max_messages=1)
    x = _asked(exchange)
    x.method = "WEBSOCKET"
    assert await policy.on_request(x) is None


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        ({}, ""),
        ({"n": Bounds(over="refuse")}, "n"),
        ({"temperature": Bounds(min=1, default=0.5)}, "temperature"),
        ({"max_tokens": Bounds(max=1.5)}, "max_tokens"),
    ],
)
def test_what_makes_no_sense(context: Context, settings: Any, at: str) -> None:
    Limits.compile(LimitsConfig(**settings), cast(CompileContext, context))
    assert [place for place, _ in context.problems] == [at]
