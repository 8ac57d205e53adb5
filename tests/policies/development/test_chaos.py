"""The policy `chaos`: which requests are met, in what order faults act, what is told. The wire is in ``tests/e2e``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from policies.development.chaos import Chaos, ChaosConfig, FaultConfig, Name, ScheduleConfig
from proxy.chat import Completion
from proxy.exchange import RESET, Attempt, Exchange, Reply
from proxy.policy import Answer, CompileContext
from proxy.translation.answers import completion_of, reply_of
from proxy.units import Duration, Percent
from tests.policies.conftest import Context

MakeExchange = Callable[..., Exchange]
BODY = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}'


class Telling(Context):
    """Writes down what is told; replies are real."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, dict[str, Any]]] = []

    def tell(self, event: str, **fields: Any) -> None:
        self.told.append((event, fields))

    def reply(self, x: Exchange, completion: Completion, *, stream: bool) -> Reply | None:
        return reply_of(x, completion, stream=stream)

    def completion(self, x: Exchange, body: bytes, *, is_sse: bool) -> Completion | None:
        return completion_of(x, body, is_sse=is_sse)


@pytest.fixture
def telling() -> Telling:
    """A context of this test."""
    return Telling()


def _chaos(context: Context, *faults: FaultConfig, seed: int = 0) -> Chaos:
    made = Chaos.compile(ChaosConfig(faults=faults, seed=seed), cast(CompileContext, context))
    assert not context.problems
    return made


def _fault(name: Name, share: float = 1.0, **more: Any) -> FaultConfig:
    return FaultConfig(fault=name, probability=Percent(share), **more)


async def _ask(policy: Chaos, exchange: MakeExchange, *ids: bytes) -> list[int]:
    """Statuses of as many requests; 0: it has passed."""
    found = []
    for one in ids:
        x = exchange([(b"x-request-id", one)] if one else [], body=BODY)
        x.state = [None] * 9
        reply = await policy.on_request(x)
        found.append(0 if reply is None else reply.status)
    return found


async def test_the_same_seed_gives_the_same_faults(telling: Telling, exchange: MakeExchange) -> None:
    """By the order of requests; with another seed, in other places; about as often as was said."""
    nobody = [b""] * 200
    faults = (_fault("status", 0.1), _fault("rate_limited", 0.1))
    first = await _ask(_chaos(telling, *faults, seed=7), exchange, *nobody)
    assert await _ask(_chaos(telling, *faults, seed=7), exchange, *nobody) == first
    assert await _ask(_chaos(telling, *faults, seed=8), exchange, *nobody) != first
    assert 8 <= first.count(503) <= 35
    assert 8 <= first.count(429) <= 35


async def test_a_request_with_an_id_meets_the_same_in_any_order(telling: Telling, exchange: MakeExchange) -> None:
    policy = _chaos(telling, _fault("status", 0.3))
    ids = [b"job-%d" % number for number in range(50)]
    first = await _ask(policy, exchange, *ids)
    assert await _ask(policy, exchange, *reversed(ids)) == first[::-1]
    assert set(first) == {0, 503}


async def test_a_fault_added_last_leaves_the_others_where_they_were(telling: Telling, exchange: MakeExchange) -> None:
    one = await _ask(_chaos(telling, _fault("status", 0.2)), exchange, *[b""] * 100)
    two = await _ask(_chaos(telling, _fault("status", 0.2), _fault("reset", 0.0)), exchange, *[b""] * 100)
    assert one == two


async def test_first_all_waits_then_the_first_answer(telling: Telling, exchange: MakeExchange) -> None:
    policy = _chaos(
        telling,
        _fault("rate_limited", retry_after=Duration(90)),
        _fault("latency", delay="20ms..30ms"),
        _fault("status"),
        _fault("latency", delay="10ms"),
    )
    x, began = exchange(body=BODY), time.monotonic()
    reply = await policy.on_request(x)
    took = time.monotonic() - began
    assert reply is not None
    assert (reply.status, reply.code, dict(reply.headers)[b"retry-after"]) == (429, "rate_limited", b"90")
    assert took >= 0.03
    assert took * 1.01 >= x.upstream_wait >= 0.03
    assert x.notes["chaos"] == "latency, rate_limited"
    assert [fields["fault"] for _, fields in telling.told] == ["latency", "rate_limited"]
    assert {event for event, _ in telling.told} == {"chaos.fault"}


async def test_nobody_waits_beyond_his_deadline(telling: Telling, exchange: MakeExchange) -> None:
    x, began = exchange(body=BODY), time.monotonic()
    x.deadline, x.state = began + 0.02, [None]
    assert await _chaos(telling, _fault("latency", delay="5m")).on_request(x) is None
    assert time.monotonic() - began < 60


async def test_a_reset_has_no_words(telling: Telling, exchange: MakeExchange) -> None:
    reply = await _chaos(telling, _fault("reset")).on_request(exchange(body=BODY))
    assert reply is not None
    assert (reply.status, reply.body, reply.code) == (RESET, b"", "connection_reset")


async def test_only_what_says_something_can_decline(telling: Telling, exchange: MakeExchange) -> None:
    """Embeddings go on."""
    policy = _chaos(telling, _fault("refusal"), _fault("empty"))
    x = exchange(body=BODY)
    reply = await policy.on_request(x)
    assert reply is not None
    message = msgspec.json.decode(reply.body)["choices"][0]["message"]
    assert message["refusal"].startswith("I'm sorry")
    x = exchange(body=BODY)
    x.endpoint = None
    x.state = [None]
    assert await policy.on_request(x) is None
    assert "chaos" not in x.notes


async def test_sockets_meet_what_they_can_show(telling: Telling, exchange: MakeExchange) -> None:
    x = exchange()
    x.method, x.state = "WEBSOCKET", [None]
    assert await _chaos(telling, _fault("reset"), _fault("cut")).on_request(x) is None
    assert x.state == [[]]
    reply = await _chaos(telling, _fault("status", status=500)).on_request(x)
    assert reply is not None
    assert reply.status == 500


async def test_the_clock_decides(telling: Telling, exchange: MakeExchange) -> None:
    policy = _chaos(telling, _fault("status", schedule=ScheduleConfig(every=Duration(60), for_=Duration(10))))
    telling.clock = 600.0
    assert await _ask(policy, exchange, b"") == [503]
    telling.clock = 611.0
    assert await _ask(policy, exchange, b"") == [0]


async def test_a_cut_blames_nobody(telling: Telling, exchange: MakeExchange) -> None:
    """The attempt was left, and has not failed."""
    x = exchange(body=BODY)
    x.state = [None]
    policy = _chaos(telling, _fault("cut"))
    await policy.on_request(x)
    failures: list[str | None] = []
    attempt = Attempt("up/m")
    attempt.ends = failures.append
    attempt.outcome = "ok"
    x.attempts.append(attempt)
    answer = Answer(200, [], body=b"12345678")
    await policy.on_response(x, answer)
    assert answer.body is None
    assert answer.chunks is not None
    with pytest.raises(Exception, match="chaos_cut"):
        [chunk async for chunk in answer.chunks]
    assert (attempt.outcome, attempt.reason, failures) == ("cancelled", "chaos", [None])
    assert x.notes["chaos"] == "cut"


async def test_refusals_are_left_alone(telling: Telling, exchange: MakeExchange) -> None:
    x = exchange(body=BODY)
    x.state = [None]
    policy = _chaos(telling, _fault("cut"), _fault("malformed_tool_arguments"))
    await policy.on_request(x)
    answer = Answer(429, [], body=b"no", code="rate_limited")
    await policy.on_response(x, answer)
    assert answer.body == b"no"


@pytest.mark.parametrize(
    ("fault", "at"),
    [
        (FaultConfig(fault="reset", delay="2s"), "faults[0].delay"),
        (FaultConfig(fault="latency", status=500), "faults[0].status"),
        (FaultConfig(fault="latency", delay="5s..2s"), "faults[0].delay"),
        (FaultConfig(fault="latency", delay="11m"), "faults[0].delay"),
        (FaultConfig(fault="cut", every=Duration(1)), "faults[0].every"),
        (
            FaultConfig(fault="cut", schedule=ScheduleConfig(every=Duration(1), for_=Duration(1))),
            "faults[0].schedule.for",
        ),
    ],
)
def test_what_makes_no_sense_is_said(fault: FaultConfig, at: str, context: Context) -> None:
    Chaos.compile(ChaosConfig(faults=(fault,)), cast(CompileContext, context))
    assert [place for place, _ in context.problems] == [at]


def test_what_it_says_of_itself(telling: Telling, exchange: MakeExchange) -> None:
    policy = _chaos(telling, _fault("cut", 0.25), _fault("reset", header={"X-Chaos": "reset"}))
    said = "cut for 25% of requests; reset for 100% of requests with x-chaos: reset"
    assert policy.explain(exchange()) == said
