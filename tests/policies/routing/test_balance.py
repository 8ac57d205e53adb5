"""Balance asks one of several equals, leaves out those that cannot answer, and goes on to another when one fails."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import pytest

from policies.routing.balance import Balance, BalanceConfig
from proxy.choosing.capability import TOOLS, Needs, Reach
from proxy.choosing.health import Rules
from proxy.errors import NoTarget, Overloaded, RateLimited, Rejected, Unavailable, UpstreamError
from proxy.exchange import Exchange
from proxy.policy import Answer, Timeouts
from proxy.targets.leaf import Leaf
from tests.support.compiled import Canned

RULES = Rules(failures=2, eject=30.0)


def _leaf(name: str, failure: UpstreamError | None = None) -> Leaf:
    """A leaf whose provider answers, or fails until ``provider.answer`` is changed."""

    def answer(x: Exchange, model: str | None) -> Answer:
        if failure is not None:
            raise failure
        return Answer(200, [], body=name.encode())

    return Leaf(f"{name}/m", Canned(answer), "gpt-4o", Timeouts(), None, RULES)


def _pool(context: Any, *targets: Any, by: Any = "round_robin", items: Any = None, **config: Any) -> Any:
    context.targets = {str(at): target for at, target in enumerate(targets)}
    of = tuple(context.targets) if items is None else items
    made = BalanceConfig(of=of, by=by, **config)
    return Balance.compile(made, context, random.Random(7).random)


def _asked(leaf: Leaf) -> int:
    return len(leaf.provider.asked)  # type: ignore[attr-defined]


async def _answers(pool: Any, exchange: Any, count: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for _ in range(count):
        answer = await pool.send(exchange())
        found[answer.target] += 1
        answer.attempt.end() if answer.attempt else None
    return found


async def test_each_in_its_turn(context: Any, exchange: Any) -> None:
    """Round robin is even, and says so in the receipt."""
    pool = _pool(context, _leaf("a"), _leaf("b"), _leaf("c"))
    assert await _answers(pool, exchange, 9) == {"a/m": 3, "b/m": 3, "c/m": 3}
    x = exchange()
    await pool.send(x)
    assert x.notes["balance"] == "a/m by round_robin"


async def test_weights_are_shares(context: Any, exchange: Any) -> None:
    """Three to one, evenly spread; a bare target weighs 1, one without weight takes nothing."""
    items = ({"weight": 3, "target": "0"}, "1", {"weight": 0, "target": "2"})
    pool = _pool(context, _leaf("a"), _leaf("b"), _leaf("c"), by="weighted", items=items)
    assert await _answers(pool, exchange, 4) == {"a/m": 3, "b/m": 1}
    assert await _answers(pool, exchange, 40) == {"a/m": 30, "b/m": 10}


@pytest.mark.parametrize("by", ["latency", "cost", "least_busy", "round_robin", "weighted", "headroom", "random"])
async def test_every_way_spreads_over_equals(by: Any, context: Any, exchange: Any) -> None:
    """Nothing is known of anybody: all get something."""
    leaves = [_leaf(name) for name in "abcd"]
    pool = _pool(context, *leaves, by=by)
    assert set(await _answers(pool, exchange, 100)) == {"a/m", "b/m", "c/m", "d/m"}


async def test_another_answers_for_one_that_fails(context: Any, exchange: Any) -> None:
    """The caller notices nothing, and no more is asked than needed."""
    a, b = _leaf("a", Unavailable("down")), _leaf("b")
    pool = _pool(context, a, b)
    x = exchange()
    assert (await pool.send(x)).target == "b/m"
    assert [attempt.target for attempt in x.attempts] == ["a/m", "b/m"]
    assert x.notes["balance"] == "b/m by round_robin, after unavailable"


async def test_at_most_three_are_asked_for_one_request(context: Any, exchange: Any) -> None:
    """An outage is not multiplied by the size of the pool."""
    leaves = [_leaf(name, Overloaded("busy")) for name in "abcdef"]
    x = exchange()
    with pytest.raises(Overloaded):
        await _pool(context, *leaves).send(x)
    assert len(x.attempts) == 3


@pytest.mark.parametrize("failure", [Rejected("bad request")])
async def test_a_wrong_request_is_not_tried_elsewhere(failure: UpstreamError, context: Any, exchange: Any) -> None:
    """Equals refuse alike."""
    a, b = _leaf("a", failure), _leaf("b")
    with pytest.raises(Rejected):
        await _pool(context, a, b).send(exchange())
    assert _asked(b) == 0


async def test_nobody_is_asked_after_the_deadline(context: Any, exchange: Any) -> None:
    """One deadline over all attempts."""
    a, b = _leaf("a", Unavailable("down")), _leaf("b")
    x = exchange()

    def slow(x: Exchange, model: str | None) -> Answer:
        x.deadline = time.monotonic()
        raise Unavailable("down")

    a.provider.answer = slow  # type: ignore[attr-defined]
    with pytest.raises(Unavailable):
        await _pool(context, a, b).send(x)
    assert _asked(b) == 0


async def test_a_limited_one_is_left_until_its_reset(context: Any, exchange: Any) -> None:
    """It is not asked again, and not taken for broken; the request says who was left out."""
    a, b = _leaf("a", RateLimited("slow down", retry_after=60)), _leaf("b")
    pool = _pool(context, a, b)
    assert await _answers(pool, exchange, 10) == {"b/m": 10}
    assert _asked(a) == 1
    assert a.health.state(time.monotonic()) == "limited"
    x = exchange()
    await pool.send(x)
    assert x.skipped == [("a/m", "limited")]


async def test_an_ejected_one_gets_nothing(context: Any, exchange: Any) -> None:
    """One of four is bad: after its ejection no request meets it, whatever way is chosen."""
    leaves = [_leaf("a", Unavailable("down")), *(_leaf(name) for name in "bcd")]
    pool = _pool(context, *leaves)
    await _answers(pool, exchange, 40)
    assert _asked(leaves[0]) == RULES.failures


async def test_more_than_half_ejected_are_tried_again_at_once(context: Any, exchange: Any) -> None:
    """Three of four are ejected and one works again: it comes back without the 30 s of its ejection."""
    leaves = [_leaf(name) for name in "abcd"]
    pool = _pool(context, *leaves)
    now = time.monotonic()
    for leaf in leaves[:3]:
        leaf.health.eject(now + 30)
    found = await _answers(pool, exchange, 40)
    assert set(found) == {"a/m", "d/m"}
    assert found["a/m"] == 20
    states = [leaf.health.state(time.monotonic()) for leaf in leaves]
    assert states == ["closed", "open", "open", "closed"], "half of them may be left out"


async def test_half_ejected_are_left_out(context: Any, exchange: Any) -> None:
    """Two of four: the rule of panic begins above the half."""
    leaves = [_leaf(name) for name in "abcd"]
    pool = _pool(context, *leaves)
    for leaf in leaves[:2]:
        leaf.health.eject(time.monotonic() + 30)
    assert set(await _answers(pool, exchange, 40)) == {"c/m", "d/m"}


async def test_panic_costs_one_try_a_second(context: Any, exchange: Any) -> None:
    """Three of four are broken for good: each is asked once in that second, and no caller notices."""
    leaves = [*(_leaf(name, Unavailable("down")) for name in "abc"), _leaf("d")]
    pool = _pool(context, *leaves)
    for leaf in leaves[:3]:
        leaf.health.eject(time.monotonic() + 30)
    assert await _answers(pool, exchange, 100) == {"d/m": 100}
    assert [_asked(leaf) for leaf in leaves[:3]] == [1, 1, 1]


async def test_limited_and_drained_are_no_reason_for_panic(context: Any, exchange: Any) -> None:
    """They are left alone, though they are more than half."""
    leaves = [_leaf(name) for name in "abcd"]
    for leaf in leaves[:3]:
        leaf.health.drained_until = time.monotonic() + 30
    assert await _answers(_pool(context, *leaves), exchange, 10) == {"d/m": 10}


async def test_when_nobody_is_left_the_refusal_says_when(context: Any, exchange: Any) -> None:
    """Nothing is sent; the answer tells the shortest wait."""
    leaves = [_leaf("a"), _leaf("b")]
    now = time.monotonic()
    leaves[0].health.limited_until = now + 20
    leaves[1].health.limited_until = now + 10
    with pytest.raises(RateLimited) as caught:
        await _pool(context, *leaves).send(exchange())
    assert caught.value.skipped
    assert caught.value.retry_after == pytest.approx(10, abs=0.5)


async def test_all_ejected_is_a_quick_refusal(context: Any, exchange: Any) -> None:
    """After each was tried once in this second."""
    leaves = [_leaf(name, Unavailable("down")) for name in "ab"]
    pool = _pool(context, *leaves)
    for leaf in leaves:
        leaf.health.eject(time.monotonic() + 30)
    with pytest.raises(Unavailable):
        await pool.send(exchange())
    with pytest.raises(NoTarget):
        await pool.send(exchange())
    assert [_asked(leaf) for leaf in leaves] == [1, 1]


async def test_those_that_cannot_do_it_are_left_out(context: Any, exchange: Any, scripted: Any) -> None:
    """Capabilities come before the choice, with the reason."""
    a, b = scripted("a"), scripted("b")
    a.reach = Reach(bits=0)
    x = exchange()
    x.needs = Needs(TOOLS)
    assert (await _pool(context, a, b).send(x)).target == "b"
    assert x.skipped == [("a", "no tools")]


def test_pruned_children_vanish(context: Any, scripted: Any) -> None:
    """One left: the child itself; none left: nothing."""
    only = scripted("b")
    assert _pool(context, None, only) is only
    assert _pool(context, None, None) is None


def test_explain_tells_figures_and_reasons(context: Any, exchange: Any) -> None:
    """Every child with its state, and why it is not the one."""
    a, b, c = _leaf("a"), _leaf("b"), _leaf("c")
    now = time.monotonic()
    a.health.limited_until = now + 12
    b.health.first_token.observe(0.8, now)
    c.health.first_token.observe(0.2, now)
    choice = _pool(context, a, b, c, by="latency").explain(exchange())
    assert [child.chosen for child in choice.children] == [False, False, True]
    why = [child.why for child in choice.children]
    assert "left out: limited for 12 s" in why[0]
    assert "slower" in why[1]
    assert "first token 800 ms, 0 in flight" in why[1]
    assert "first token 200 ms" in why[2]
    assert "two drawn at random" in choice.why


def test_explain_tells_of_panic(context: Any, exchange: Any) -> None:
    """More than half are ejected."""
    leaves = [_leaf(name) for name in "abc"]
    for leaf in leaves[:2]:
        leaf.health.eject(time.monotonic() + 30)
    assert "more than half are ejected" in _pool(context, *leaves).explain(exchange()).why
