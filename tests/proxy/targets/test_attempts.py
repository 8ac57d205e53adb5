"""Tries after the first: when, how often, and never more than an outage bears."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from proxy.choosing.capability import Reach
from proxy.choosing.health import QUOTA_REST, Health, Rules
from proxy.dialects.paths import EXACT
from proxy.errors import ContentRefused, NoTarget, RateLimited, TargetOff, Unavailable, UpstreamError, UpstreamTimeout
from proxy.exchange import Exchange
from proxy.policy import Answer, Choice, Target
from proxy.targets.attempts import Attempts, Load, RetryRules
from tests.support.compiled import make_exchange

QUICK = RetryRules(base=0.002, max_delay=0.05)
Script = Callable[[int, Exchange], UpstreamError | None]


class Told(Target):
    """Fails as the script says for the nth call, or answers."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.calls: list[float] = []
        self.trials: list[bool] = []

    async def send(self, x: Exchange) -> Answer:
        self.calls.append(time.monotonic())
        self.trials.append(x.trial)
        await asyncio.sleep(0)
        failure = self.script(len(self.calls), x)
        if failure is not None:
            raise failure
        return Answer(200, [], body=b"{}")

    def explain(self, x: Exchange) -> Choice:
        return Choice("up/m", True, "told")

    def leaves(self) -> tuple[str, ...]:
        return ("up/m",)

    def healths(self) -> tuple[Health, ...]:
        return ()

    def reaches(self) -> frozenset[Reach]:
        return frozenset()


def exchange(seconds: float = 30) -> Exchange:
    x = make_exchange()
    x.endpoint = EXACT["POST", "/v1/chat/completions"]
    x.deadline = time.monotonic() + seconds
    return x


async def outcome(target: Told, rules: RetryRules = QUICK, x: Exchange | None = None) -> str:
    """ "ok", or the code of the failure."""
    try:
        await Attempts(target, rules, Load(), lambda: 0.5).send(x or exchange())
    except UpstreamError as error:
        return error.error_code
    return "ok"


@pytest.mark.parametrize("fails", [0, 1, 2])
async def test_what_may_pass_is_tried_again(fails: int) -> None:
    """Twice at most."""
    target = Told(lambda number, x: Unavailable("gone") if number <= fails else None)
    assert (await outcome(target), len(target.calls)) == ("ok", fails + 1)


async def test_three_attempts_are_the_most() -> None:
    """The last failure is the answer."""
    target = Told(lambda number, x: Unavailable("gone"))
    assert (await outcome(target), len(target.calls)) == ("upstream_unavailable", 3)


@pytest.mark.parametrize("failure", [ContentRefused("no"), UpstreamTimeout("late")])
async def test_what_will_not_pass_is_not_tried_again(failure: UpstreamError) -> None:
    """Nor what has taken a whole timeout already."""
    target = Told(lambda number, x: failure)
    assert (await outcome(target), len(target.calls)) == (failure.error_code, 1)


async def test_a_provider_is_not_asked_before_it_wants_to_be() -> None:
    """`Retry-After` is waited for, and a little more, so that not all come back at once."""
    target = Told(lambda number, x: RateLimited("wait", retry_after=0.04) if number == 1 else None)
    assert await outcome(target) == "ok"
    assert target.calls[1] - target.calls[0] >= 0.04


async def test_a_longer_wait_than_allowed_is_not_waited_for() -> None:
    """The caller hears at once when to come back."""
    target = Told(lambda number, x: RateLimited("wait", retry_after=60))
    assert (await outcome(target), len(target.calls)) == ("rate_limited", 1)


async def test_no_wait_goes_beyond_the_deadline() -> None:
    """An answer that would come too late is not asked for."""
    target = Told(lambda number, x: RateLimited("wait", retry_after=0.04))
    assert (await outcome(target, x=exchange(0.02)), len(target.calls)) == ("rate_limited", 1)


async def test_where_requests_wait_in_line_a_limit_is_the_lines_business() -> None:
    """It knows when there is room again."""
    x = exchange()
    x.line = object()
    target = Told(lambda number, x: RateLimited("wait", retry_after=0.01))
    assert (await outcome(target, x=x), len(target.calls)) == ("rate_limited", 1)


async def test_retries_are_a_bounded_share_of_what_waits() -> None:
    """200 requests into a dead target: at most 20 % of those that wait are tried again."""
    target = Told(lambda number, x: Unavailable("gone"))
    attempts = Attempts(target, QUICK, Load(), lambda: 0.5)
    await asyncio.gather(*(attempts.send(exchange()) for _ in range(200)), return_exceptions=True)
    # 40 of 200, then 8 of those 40.
    assert 200 < len(target.calls) <= 200 + 40 + 8


async def test_the_smallest_budget_is_there_in_any_case() -> None:
    """A quiet route may retry too."""
    target = Told(lambda number, x: Unavailable("gone"))
    attempts = Attempts(target, QUICK, Load(), lambda: 0.5)
    await asyncio.gather(*(attempts.send(exchange()) for _ in range(4)), return_exceptions=True)
    assert len(target.calls) == 4 + 2 * 3


async def test_the_budget_is_given_back() -> None:
    """After a failure, an answer, and a caller who left in the middle of a pause."""
    load = Load()
    target = Told(lambda number, x: Unavailable("gone"))
    slow = Attempts(target, RetryRules(base=30, max_delay=30), load, lambda: 0.9)
    waiting = asyncio.create_task(slow.send(exchange(60)))
    while not load.retrying:
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (load.waiting, load.retrying) == (0, 0)


async def test_when_all_is_ejected_a_second_pass_may_try() -> None:
    """Once; and what is refused then is refused at once, without a pause."""
    target = Told(lambda number, x: None if x.trial else NoTarget("none", retry_after=9))
    x = exchange()
    assert await outcome(target, x=x) == "ok"
    assert target.trials == [False, True]
    assert not x.trial
    target = Told(lambda number, x: NoTarget("none", retry_after=9))
    assert await outcome(target) == "no_target_available"
    assert target.trials == [False, True]


async def test_what_is_switched_off_has_no_second_pass() -> None:
    """Nothing that may be tried is off."""
    target = Told(lambda number, x: TargetOff("chat"))
    assert await outcome(target) == "no_target_available"
    assert target.trials == [False]


async def test_a_quota_that_is_used_up_is_not_tried_again() -> None:
    """It will be no different in a second; the target is left for minutes."""

    def used_up(number: int, x: Exchange) -> UpstreamError:
        error = RateLimited("paid for and used up")
        error.error_code = RateLimited.quota_code
        return error

    target = Told(used_up)
    assert (await outcome(target), len(target.calls)) == ("upstream_quota_exhausted", 1)
    health = Health("up/m")
    health.failed(100, used_up(1, exchange()), Rules())
    assert health.wait(100) == QUOTA_REST


async def test_a_wait_that_an_overloaded_provider_asks_for_is_kept() -> None:
    """`Retry-After` stands at a 503 too."""
    error = Unavailable("gone")
    error.retry_after = 0.04
    target = Told(lambda number, x: error if number == 1 else None)
    assert await outcome(target) == "ok"
    assert target.calls[1] - target.calls[0] >= 0.04
