"""A race: who begins first wins; copies are few, late, and only where they do no harm."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from policies.routing.race import BURST, SAMPLES, Allowance, RaceConfig
from policies.routing.race import Race as Node
from proxy.errors import BadRequest, NoTarget, Overloaded, Rejected, Unavailable
from proxy.exchange import Attempt
from proxy.policy import Answer
from proxy.units import Duration, Percent

BODY = b'{"model": "m", "messages": []}'


class _Gate:
    """What a scripted target waits for, and what became of it."""

    def __init__(self, target: Any, *, ok: bool = True) -> None:
        self.open = asyncio.Event()
        self.asked = asyncio.Event()
        self.cancelled = False
        self.discarded = 0
        inner = target.send

        async def send(x: Any) -> Answer:
            attempt = Attempt(target.name, time.monotonic())
            x.attempts.append(attempt)
            self.asked.set()
            try:
                await self.open.wait()
            except asyncio.CancelledError:
                self.cancelled, attempt.outcome = True, "cancelled"
                raise
            attempt.outcome = "ok"
            answer: Answer = await inner(x)
            answer.attempt, answer.close = attempt, self._close
            return answer

        target.send = send

    def _close(self) -> None:
        self.discarded += 1


def _compile(context: Any, targets: dict[str, Any], **config: Any) -> Any:
    context.targets = targets
    config.setdefault("after", "1ms")
    config.setdefault("max_extra", Percent(1.0))
    return Node.compile(RaceConfig(of=tuple(targets), **config), context)


async def test_the_first_to_answer_wins_and_the_other_is_broken_off(context: Any, exchange: Any, scripted: Any) -> None:
    """Both are attempts of the request, and what the loser noted is not in the way."""
    a, b = scripted("a"), scripted("b")
    slow, quick = _Gate(a), _Gate(b)
    quick.open.set()
    x = exchange(body=BODY)
    answer = await _compile(context, {"a": a, "b": b}).send(x)
    assert answer.target == "b"
    assert slow.cancelled
    assert [(attempt.target, attempt.outcome) for attempt in x.attempts] == [("a", "cancelled"), ("b", "ok")]
    assert x.notes["race"].startswith("b was first")
    assert len(asyncio.all_tasks()) == 1


async def test_waiting_side_by_side_counts_once(context: Any, exchange: Any, scripted: Any) -> None:
    """The gateway's own share is what is left of the request's time."""
    a, b = scripted("a"), scripted("b")
    _Gate(a)
    _Gate(b).open.set()
    x = exchange(body=BODY)
    began = time.monotonic()
    await _compile(context, {"a": a, "b": b}, after="20ms").send(x)
    assert 0.02 <= x.upstream_wait <= time.monotonic() - began


async def test_both_through_in_the_same_moment(context: Any, exchange: Any, scripted: Any) -> None:
    """The first one's answer is taken, the other's is broken off."""
    a, b = scripted("a"), scripted("b")
    one, other = _Gate(a), _Gate(b)
    sending = asyncio.create_task(_compile(context, {"a": a, "b": b}).send(exchange(body=BODY)))
    await asyncio.wait_for(other.asked.wait(), 5)
    one.open.set()
    other.open.set()
    assert (await sending).target == "a"
    assert (one.discarded, other.discarded) == (0, 1)


async def test_a_failure_leads_on_without_waiting(context: Any, exchange: Any, scripted: Any) -> None:
    """And costs nothing of the share; when all fail, the last that was asked is the answer."""
    targets = {"a": scripted("a", Overloaded("busy")), "b": scripted("b")}
    node = _compile(context, targets, after="10m", max_extra=Percent(0))
    assert (await asyncio.wait_for(node.send(exchange(body=BODY)), 5)).target == "b"
    last = Unavailable("gone")
    targets = {"a": scripted("a", last), "b": scripted("b", NoTarget("ejected", retry_after=9))}
    with pytest.raises(Unavailable) as caught:
        await _compile(context, targets, after="10m").send(exchange(body=BODY))
    assert caught.value is last


@pytest.mark.parametrize("failure", [Rejected("bad"), BadRequest("bad")])
async def test_what_would_fail_there_too_is_not_asked_again(
    failure: Any, context: Any, exchange: Any, scripted: Any
) -> None:
    """A wrong request stays wrong."""
    b = scripted("b")
    with pytest.raises(type(failure)):
        await _compile(context, {"a": scripted("a", failure), "b": b}, after="10m").send(exchange(body=BODY))
    assert b.sent == 0


async def test_a_copy_that_fails_leaves_the_first_to_answer(context: Any, exchange: Any, scripted: Any) -> None:
    """The race goes on with whoever is left."""
    a, b = scripted("a"), scripted("b", Overloaded("busy"))
    first, copy = _Gate(a), _Gate(b)
    copy.open.set()
    sending = asyncio.create_task(_compile(context, {"a": a, "b": b}).send(exchange(body=BODY)))
    await asyncio.wait_for(copy.asked.wait(), 5)
    first.open.set()
    assert (await sending).target == "a"


async def test_who_is_cancelled_cancels_all(context: Any, exchange: Any, scripted: Any) -> None:
    """Nothing is left running, and the reason goes on as it was."""
    a, b = scripted("a"), scripted("b")
    one, other = _Gate(a), _Gate(b)
    x = exchange(body=BODY)
    sending = asyncio.create_task(_compile(context, {"a": a, "b": b}).send(x))
    await asyncio.wait_for(other.asked.wait(), 5)
    sending.cancel("draining")
    with pytest.raises(asyncio.CancelledError) as caught:
        await sending
    assert caught.value.args == ("draining",)
    assert one.cancelled
    assert other.cancelled
    assert [attempt.outcome for attempt in x.attempts] == ["cancelled", "cancelled"]
    assert len(asyncio.all_tasks()) == 1


async def test_who_is_left_alone_gets_no_copy(context: Any, exchange: Any, scripted: Any) -> None:
    """And is not the first to be asked either."""
    a, b, c = scripted("a"), scripted("b"), scripted("c")
    first = _Gate(b)
    a.health.limited_until = c.health.drained_until = time.monotonic() + 60
    sending = asyncio.create_task(_compile(context, {"a": a, "b": b, "c": c}).send(exchange(body=BODY)))
    await asyncio.wait_for(first.asked.wait(), 5)
    await asyncio.sleep(0.01)  # longer than `after`
    first.open.set()
    assert (await sending).target == "b"
    assert (a.sent, c.sent) == (0, 0)


def test_copies_are_a_share_of_requests_and_a_few() -> None:
    """What is not used is not saved up beyond that."""
    allowance = Allowance()
    assert sum(allowance.spend() for _ in range(100)) == BURST
    sent = 0
    for _ in range(1000):
        allowance.earn(0.05)
        sent += allowance.spend()
    assert sent == pytest.approx(50, abs=1)
    for _ in range(10_000):
        allowance.earn(0.05)
    assert sum(allowance.spend() for _ in range(100)) == BURST


async def test_without_a_share_there_is_no_copy(context: Any, exchange: Any, scripted: Any) -> None:
    """The request waits for the first."""
    a, b = scripted("a"), scripted("b")
    first = _Gate(a)
    node = _compile(context, {"a": a, "b": b}, max_extra=Percent(0))
    x = exchange(body=BODY)
    sending = asyncio.create_task(node.send(x))
    await asyncio.wait_for(first.asked.wait(), 5)
    await asyncio.sleep(0.01)  # longer than `after`
    first.open.set()
    assert (await sending).target == "a"
    assert b.sent == 0
    assert "used up" in x.notes["race"]


def test_late_is_what_the_target_itself_seldom_takes(context: Any, scripted: Any) -> None:
    """Of its recent answers, once there are enough of them; until then as the file says."""
    a, b = scripted("a"), scripted("b")
    node = _compile(context, {"a": a, "b": b}, after="p90", fallback_after=Duration(3))
    now = time.monotonic()
    for number in range(SAMPLES - 1):
        a.health.outlasted(now, (number + 1) / 100)
    assert node.delay(a, now) == 3
    a.health.outlasted(now, SAMPLES / 100)
    assert node.delay(a, now + 1) == pytest.approx(0.19)
    assert node.delay(b, now + 1) == 3


async def test_who_was_too_slow_is_remembered_as_slow(context: Any, exchange: Any, scripted: Any) -> None:
    """Else only the quick answers would be known, and what is late would come ever sooner."""
    a, b = scripted("a"), scripted("b")
    _Gate(a)
    _Gate(b).open.set()
    await _compile(context, {"a": a, "b": b}, after="20ms").send(exchange(body=BODY))
    assert a.health.quantile(0.5) >= 0.02
    assert b.health.quantile(0.5) is None  # its own answer is the leaf's to tell


@pytest.mark.parametrize("after", ["0ms", "11m", "p5", "soon", "5"])
def test_what_is_no_time_is_a_problem(after: str, context: Any, scripted: Any) -> None:
    """Said where it stands."""
    _compile(context, {"a": scripted("a"), "b": scripted("b")}, after=after)
    assert [at for at, _ in context.problems] == ["after"]


def test_one_cannot_race(context: Any, scripted: Any) -> None:
    """It is the target itself; without any there is none."""
    a = scripted("a")
    assert _compile(context, {"a": a}) is a
    assert _compile(context, {"a": None}) is None


def test_explain_tells_when_a_copy_would_go(context: Any, exchange: Any, scripted: Any) -> None:
    """To whom, and how many there may be."""
    node = _compile(context, {"a": scripted("a"), "b": scripted("b")}, after="800ms", max_extra=Percent(0.05))
    choice = node.explain(exchange())
    assert choice.chosen
    assert "5% of" in choice.why
    assert [child.chosen for child in choice.children] == [True, False]
    assert "after 800 ms" in choice.children[1].why
