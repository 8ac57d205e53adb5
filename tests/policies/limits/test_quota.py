"""The policy `quota`: what is reserved, what happens over a limit, and what is settled."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from policies.limits.quota import Quota, QuotaConfig
from proxy.choosing.capability import AS_IT_IS, Growth
from proxy.config.limits import rules_of
from proxy.dialects.splice import Maxima
from proxy.exchange import Attempt, Exchange, Identity, Reply
from proxy.limits.limit import Amounts, Downgrade, Gauge, Held, LimitConfig, Over, Unavailable
from proxy.limits.memory import MemoryCounters
from proxy.policy import Answer
from proxy.units import Duration
from tests.support.limits import Limits, Priced, Spent, Waits

MakeExchange = Callable[..., Exchange]


@pytest.fixture
def context() -> Limits:
    return Limits()


@pytest.fixture
def ask(exchange: MakeExchange) -> MakeExchange:
    """An exchange with a slot, and an id of its own."""
    count = iter(range(1_000_000))

    def make(name: str = "", **more: Any) -> Exchange:
        x = exchange(**more)
        x.request_id, x.state, x.route = name or f"req_{next(count)}", [None] * 9, "chat"
        return x

    return make


def made(context: Limits, *limits: str | LimitConfig, **more: Any) -> Quota:
    handed: Any = context
    quota = Quota.compile(QuotaConfig(limits=limits, **more), handed)
    assert context.problems == []
    return quota


async def used(context: Limits, quota: Quota, x: Exchange) -> list[int]:
    gauges = quota.gauges(x.identity, x.model, x.tags)
    return [level.used for level in await context.counted.look(gauges)]


def refused(reply: Reply | None) -> tuple[int, str | None, str, dict[str, str]]:
    assert reply is not None
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    return reply.status, reply.code, json.loads(reply.body)["error"]["message"], headers


def over(quota: Quota, x: Exchange, status: int = 200, *charges: Spent) -> None:
    """The request is at its end."""
    quota.on_response(x, Answer(status, []))
    for charge in charges:
        attempt = Attempt("sim/dear")
        attempt.charge = charge
        x.attempts.append(attempt)
    quota.on_close(x)


# What is reserved


async def test_a_request_counts_in_all_limits_of_its_caller_and_of_the_route(
    context: Limits, ask: MakeExchange
) -> None:
    """By the model, and for each value of a tag; or in none, and then nothing is said."""
    mine = rules_of(
        [LimitConfig(limit="9/min", per="user"), LimitConfig(limit="8/h", models=("o1",))], "key", "k", "UTC"
    )
    who = Identity("acme", "red", "k", rules=mine)
    context.known = {b"k" * 32: who}
    quota = made(context, "7/day")
    assert [rule.limit.text for rule in quota.all_rules()] == ["7/day", "9/min", "8/h"]
    x = ask(model="o1")
    x.identity, x.tags = who, {"user": "zoe"}
    assert await quota.on_request(x) is None
    assert [gauge.key for gauge in quota.gauges(who, "o1", {"user": "zoe"})] == [
        "key k requests/minute per user zoe",
        "key k requests/hour of o1",
        "route chat requests/day",
    ]
    assert await used(context, quota, x) == [1, 1, 1]
    x.tags = {"user": "max"}
    assert await used(context, quota, x) == [0, 1, 1]
    assert len(quota.gauges(who, "gpt-4o", {})) == 2
    assert context.counts == 0, "requests alone need no tokens"


async def test_without_limits_nothing_is_done(context: Limits, ask: MakeExchange) -> None:
    quota, x = made(context), ask()
    assert await quota.on_request(x) is None
    over(quota, x)
    assert (quota.gauges(None, "m", {}), x.reply_headers, x.bound) == ((), [], None)
    assert quota.explain(x) == "no limit applies"


async def test_tokens_are_bounded_first_and_counted_where_that_does_not_fit(context: Limits, ask: MakeExchange) -> None:
    """Or where more than half of a limit is used; the answer is what the request says, or else the default."""
    quota = made(context, "1000 tokens/h", output_tokens=50)
    first, second, third, last = (ask() for _ in range(4))
    assert await quota.on_request(first) is None
    assert (context.counts, await used(context, quota, first), first.bound) == (0, [150], (100, 50))
    context.output = 500
    assert await quota.on_request(second) is None
    assert (context.counts, await used(context, quota, second)) == (0, [750])
    context.output = 40
    assert await quota.on_request(third) is None
    assert (context.counts, await used(context, quota, third), third.bound) == (1, [800], (10, 40))
    context.exact = 200
    assert refused(await quota.on_request(last))[1] == "rate_limited"
    assert (context.counts, await used(context, quota, last)) == (2, [800])


class Longer(Priced):
    """One to which requests grow."""

    def growths(self) -> frozenset[Growth]:
        return frozenset({AS_IT_IS, Growth(5, 70)})


async def test_what_targets_add_is_reserved(context: Limits, ask: MakeExchange) -> None:
    """The most that any of them may be asked for; the size of the request stays what its caller has sent."""
    context.tree, context.output = Longer("sim/dear"), 50
    quota = made(context, "1000 tokens/h", "$1/h")
    x = ask()
    x.maxima = Maxima(n=2)
    assert await quota.on_request(x) is None
    assert (await used(context, quota, x), x.bound) == ([105 + 140, 105_000 + 280_000], (100, 50))


async def test_a_default_makes_room_for_what_targets_add(context: Limits, ask: MakeExchange) -> None:
    """Else a small limit would never admit a request that says nothing of its length."""

    class Prompted(Priced):
        def growths(self) -> frozenset[Growth]:
            return frozenset({Growth(20)})

    context.tree, context.exact = Prompted("sim/dear"), 30
    quota = made(context, "100 tokens/h")
    assert await quota.on_request(x := ask()) is None
    assert await used(context, quota, x) == [100]


async def test_what_is_counted_is_not_bounded_by_what_did_not_fit(context: Limits, ask: MakeExchange) -> None:
    """The answer may fill what the limit holds beside the input, by its count."""
    quota, x = made(context, "90 tokens/h"), ask()
    assert await quota.on_request(x) is None
    assert (context.counts, x.bound, await used(context, quota, x)) == (1, (10, 80), [90])


async def test_money_is_that_of_the_dearest_target(context: Limits, ask: MakeExchange) -> None:
    quota, x = made(context, "$1/day", output_tokens=50), ask()
    assert await quota.on_request(x) is None
    assert await used(context, quota, x) == [100 * 1000 + 50 * 2000]
    assert quota.explain(x) == (
        "reserves 1 request in 1 limits, at most 100 + 50 tokens, at most $0.0002: $1/day (route)"
    )


async def test_a_price_that_nobody_knows(context: Limits, ask: MakeExchange) -> None:
    """Is refused under a budget, unless the file says that it counts as nothing."""
    context.tree.price = None
    quota = made(context, "$1/day")
    status, code, message, _ = refused(await quota.on_request(ask()))
    assert (status, code) == (403, "unknown_price")
    assert "'gpt-4o'" in message
    context.refuses_unknown_price = False
    x = ask()
    assert await quota.on_request(x) is None
    assert await used(context, quota, x) == [0]


# Over the limit


async def test_reject(context: Limits, ask: MakeExchange) -> None:
    """With the time to come back, and the limit that refused."""
    quota = made(context, "2/min", "100/h")
    for _ in range(2):
        assert await quota.on_request(ask()) is None
    x = ask()
    status, code, message, headers = refused(await quota.on_request(x))
    assert (status, code, message) == (429, "rate_limited", "Over the limit of 2/min of this route: 2 used.")
    assert 60 <= int(headers["retry-after"]) <= 61
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("2", "0")
    assert x.notes["quota"] == "over 2/min of route chat: rejected"
    event, fields = context.told[-1]
    assert (event, fields["action"], fields["scope"], fields["limit"]) == ("limit.over", "reject", "chat", "2/min")
    assert await used(context, quota, x) == [2, 2], "a refused request counts nowhere"
    context.clock_of_limits.now += int(headers["retry-after"])
    assert await quota.on_request(ask()) is None


@pytest.mark.parametrize(
    ("limit", "code", "ending", "again"),
    [
        ("$0.0001/day", "budget_exhausted", "The request is larger than it allows.", None),
        ("5 tokens/min", "rate_limited", "The request is larger than it allows.", None),
        ("$0.0001 total", "budget_exhausted", "Waiting will not help.", None),
    ],
)
async def test_what_never_fits_is_not_told_to_come_back(
    context: Limits, ask: MakeExchange, limit: str, code: str, ending: str, again: str | None
) -> None:
    context.exact = 200
    context.output = 10
    _, told, message, headers = refused(await made(context, limit).on_request(ask()))
    assert told == code
    assert message.endswith(ending)
    assert headers.get("retry-after") == again


async def test_places_are_free_again_at_the_end(context: Limits, ask: MakeExchange) -> None:
    """Whenever that is: come back in a second."""
    quota, first = made(context, "1 concurrent"), ask()
    assert await quota.on_request(first) is None
    assert refused(await quota.on_request(ask()))[3]["retry-after"] == "1"
    over(quota, first)
    assert await quota.on_request(ask()) is None


@pytest.mark.parametrize("action", ["warn", "shadow"])
async def test_what_only_warns_lets_it_pass(context: Limits, ask: MakeExchange, action: Any) -> None:
    quota = made(context, "1/min", over_limit=action)
    first, second = ask(), ask()
    assert await quota.on_request(first) is None
    assert await quota.on_request(second) is None
    assert ("quota" in first.notes, second.notes["quota"]) == (False, f"over 1/min of route chat: {action}")
    assert [fields["action"] for event, fields in context.told if event == "limit.over"] == [action]
    assert (second.detour, second.degraded, second.reply_headers) == (None, "", [])
    assert await used(context, quota, second) == [2]


async def test_downgrade_sends_it_elsewhere(context: Limits, ask: MakeExchange) -> None:
    """As the limit says, or else the route."""
    quota = made(
        context,
        LimitConfig(limit="1/min", over_limit=Downgrade(downgrade="tiny")),
        "5/h",
        over_limit=Downgrade(downgrade="small"),
    )
    assert context.detours == [("small", "over_limit.downgrade"), ("tiny", "limits[0].over_limit.downgrade")]
    first, second = ask(), ask()
    for x in (first, second):
        assert await quota.on_request(x) is None
    assert (first.detour, first.degraded) == (None, "")
    assert (second.detour, second.degraded) == (context.cheap, "over_limit")


async def test_a_store_that_cannot_be_asked(context: Limits, ask: MakeExchange) -> None:
    """Where a limit says that nothing passes then."""

    class Lost(MemoryCounters):
        async def reserve(self, id: str, gauges: Sequence[Gauge], amounts: Amounts) -> Held | Over:
            raise Unavailable

    context.counted = Lost()
    status, code, _, headers = refused(await made(context, "5/min").on_request(ask()))
    assert (status, code, headers["retry-after"]) == (503, "limits_unavailable", "1")


# In line


async def standing(meter: Waits, count: int) -> None:
    async with asyncio.timeout(5):
        while meter.line != count:
            await asyncio.sleep(0)


async def test_queue_is_first_come_first_served(context: Limits, ask: MakeExchange) -> None:
    """A place that is free goes to who has waited for longest, not to who comes at that moment."""
    quota, meter, order = made(context, "1 concurrent", over_limit="queue"), Waits(), list[str]()
    holder = ask()
    assert await quota.on_request(holder) is None

    async def enter(name: str) -> None:
        x = ask(name)
        x.meter = meter
        assert await quota.on_request(x) is None
        order.append(name)
        over(quota, x)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for at, name in enumerate("abc"):
            group.create_task(enter(name))
            await standing(meter, at + 1)
        over(quota, holder)
        await enter("late")
    assert order == ["a", "b", "c", "late"]
    assert (meter.line, meter.outcomes) == (0, ["sent"] * 4)


async def test_a_small_request_does_not_overtake_a_large_one(context: Limits, ask: MakeExchange) -> None:
    """That waits for the same tokens, although it would fit."""
    quota, meter = made(context, "100 tokens/h", over_limit="queue", output_tokens=10), Waits()
    context.output = 50
    holder, large, small = ask(), ask("large"), ask("small")
    for x in (large, small):
        x.meter = meter
    context.exact = 40
    assert await quota.on_request(holder) is None
    context.clock_of_limits.now += 3590  # so that there is something to wait for
    context.output = 20
    tasks = [asyncio.create_task(quota.on_request(large))]
    await standing(meter, 1)
    context.exact, context.output = 1, 1
    tasks.append(asyncio.create_task(quota.on_request(small)))
    await standing(meter, 2)
    charge = Spent(1, 1, 0)
    over(quota, holder, 200, charge)
    charge.settle("ok")
    assert await asyncio.wait_for(asyncio.gather(*tasks), 10) == [None, None]
    assert await used(context, quota, small) == [2 + 60 + 2]


async def test_queue_is_bounded(context: Limits, ask: MakeExchange) -> None:
    """Who would be one too many is refused at once."""
    quota, meter = made(context, "1 concurrent", over_limit="queue", max_waiting=1), Waits()
    holder, waits = ask(), ask()
    waits.meter = meter
    assert await quota.on_request(holder) is None
    task = asyncio.create_task(quota.on_request(waits))
    await standing(meter, 1)
    assert refused(await quota.on_request(ask()))[1] == "rate_limited"
    over(quota, holder)
    assert await asyncio.wait_for(task, 10) is None


async def test_queue_gives_up_in_time(context: Limits, ask: MakeExchange) -> None:
    """After ``max_wait``; at once where waiting takes longer than that, or never helps; by the deadline."""
    quota, meter = made(context, "1 concurrent", over_limit="queue", max_wait=Duration(0.05)), Waits()
    assert await quota.on_request(ask()) is None
    x = ask()
    x.meter = meter
    assert refused(await quota.on_request(x))[0] == 429
    assert x.upstream_wait >= 0.04
    assert meter.outcomes == ["refused_wait"]
    patient = made(context, "1/h", over_limit="queue")
    assert await patient.on_request(ask()) is None
    x = ask()
    x.meter = meter
    assert int(refused(await patient.on_request(x))[3]["retry-after"]) >= 3600
    assert (meter.outcomes, x.upstream_wait) == (["refused_wait"], 0.0), "an hour is too long to wait"
    slow = made(context, "1 concurrent", over_limit="queue")
    x = ask()
    x.deadline = time.monotonic() + 0.05
    assert refused(await slow.on_request(x))[0] == 429


async def test_who_waits_is_refused_at_once_by_a_limit_that_rejects(context: Limits, ask: MakeExchange) -> None:
    """It was used up meanwhile."""
    quota = made(context, "1 concurrent", LimitConfig(limit="2/h", over_limit="reject"), over_limit="queue")
    holder, waits, meter = ask(), ask(), Waits()
    waits.meter = meter
    assert await quota.on_request(holder) is None
    task = asyncio.create_task(quota.on_request(waits))
    await standing(meter, 1)
    (_, requests) = quota.gauges(None, "gpt-4o", {})
    assert isinstance(await context.counted.reserve("other", [requests], Amounts()), Held)
    over(quota, holder)
    assert int(refused(await asyncio.wait_for(task, 10))[3]["retry-after"]) >= 3600


# Afterwards


async def test_what_was_used_takes_the_place_of_what_was_reserved(context: Limits, ask: MakeExchange) -> None:
    """When the last attempt's cost is known, and not before."""
    quota, x = made(context, "10000 tokens/h", "$1/day", "9/h", output_tokens=50), ask()
    assert await quota.on_request(x) is None
    first, second = Spent(10, 1, 500), Spent(20, 2, 700)
    first.settle("error")
    over(quota, x, 200, first, second)
    assert await used(context, quota, x) == [150, 200_000, 1]
    second.settle("ok")
    assert await used(context, quota, x) == [33, 1200, 1]


@pytest.mark.parametrize(("status", "left"), [(200, 1), (400, 1), (429, 0), (500, 0), (502, 0), (503, 0), (504, 0)])
async def test_a_request_that_failed_is_given_back(context: Limits, ask: MakeExchange, status: int, left: int) -> None:
    """What it has cost is not."""
    quota, x = made(context, "9/h", "900 tokens/h", output_tokens=50), ask()
    assert await quota.on_request(x) is None
    charge = Spent(7, 0, 0)
    charge.settle("error")
    over(quota, x, status, charge)
    assert await used(context, quota, x) == [left, 7]


async def test_headers_tell_what_is_left(context: Limits, ask: MakeExchange) -> None:
    quota, x = made(context, "10/min", "1000 tokens/min", output_tokens=50), ask()
    assert await quota.on_request(x) is None
    told = {name.decode(): value.decode() for name, value in x.reply_headers}
    assert (told["x-ratelimit-limit-requests"], told["x-ratelimit-remaining-requests"]) == ("10", "9")
    assert (told["x-ratelimit-limit-tokens"], told["x-ratelimit-remaining-tokens"]) == ("1000", "850")
    assert told["ratelimit-policy"] == '"requests";q=10;w=60, "tokens";q=1000;w=60'


async def test_operators_are_told_once_for_each_share(context: Limits, ask: MakeExchange) -> None:
    """And again after it was below."""
    quota = made(context, LimitConfig(limit="4/min", alerts=()), LimitConfig(limit="4/h"))

    async def shares(requests: int) -> list[float]:
        context.told.clear()
        for _ in range(requests):
            assert await quota.on_request(ask()) is None
            context.clock_of_limits.now += 61
        return [fields["share"] for event, fields in context.told if event == "limit.alert"]

    assert await shares(4) == [0.5, 1.0]
    event, fields = context.told[-1]
    assert (event, fields["scope"], fields["limit"], fields["used"]) == ("limit.alert", "chat", "4/h", "4")
    context.clock_of_limits.now += 3700
    assert await shares(1) == []
    assert await shares(1) == [0.5]


async def test_explain(context: Limits, ask: MakeExchange) -> None:
    quota, x = made(context, "10/min", "5 concurrent"), ask()
    assert await quota.on_request(x) is None
    assert quota.explain(x) == "reserves 1 request in 2 limits: 10/min (route), 5 concurrent (route)"
