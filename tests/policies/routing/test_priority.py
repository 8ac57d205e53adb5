"""Priority uses the first tier with enough usable targets, and marks what a lower one answers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from policies.routing.priority import Priority, PriorityConfig
from proxy.choosing.capability import Needs, Reach
from proxy.errors import ContentRefused, ContextTooLong, Overloaded, RateLimited, Unavailable
from proxy.policy import Node
from proxy.units import Percent


class _All(Node):
    """Equals of which the first is asked: what a tier of several looks like to its parent."""

    async def send(self, x: Any) -> Any:
        return await self.children[0].send(x)

    def explain(self, x: Any) -> Any:
        return self.children[0].explain(x)


def _tiers(context: Any, *tiers: Any, threshold: float = 0.0) -> Any:
    context.targets = {str(at): tier for at, tier in enumerate(tiers)}
    config = PriorityConfig(of=tuple(context.targets), threshold=Percent(threshold))
    return Priority.compile(config, context)


def _several(context: Any, *targets: Any) -> _All:
    return _All(targets, context.needs)


async def test_the_first_tier_answers(context: Any, exchange: Any, scripted: Any) -> None:
    """Nothing is degraded, and the second is not asked."""
    a, b = scripted("a"), scripted("b")
    x = exchange()
    assert (await _tiers(context, a, b).send(x)).target == "a"
    assert (b.sent, x.degraded, "priority" in x.notes) == (0, "", False)


async def test_overflow_goes_to_the_next_tier_and_is_marked(context: Any, exchange: Any, scripted: Any) -> None:
    """A failure leads on."""
    a, b = scripted("a", Overloaded("busy")), scripted("b")
    x = exchange()
    assert (await _tiers(context, a, b).send(x)).target == "b"
    assert x.degraded == "overloaded"
    assert x.notes["priority"] == "tier 2: b"


async def test_a_tier_that_is_unusable_is_not_asked(context: Any, exchange: Any, scripted: Any) -> None:
    """It is known ahead; the reason is that of the tier's state."""
    for spoil, reason in (("limited_until", "rate_limited"), ("drained_until", "unavailable")):
        a, b = scripted("a"), scripted("b")
        setattr(a.health, spoil, time.monotonic() + 30)
        x = exchange()
        assert (await _tiers(context, a, b).send(x)).target == "b"
        assert (a.sent, x.degraded) == (0, reason)


@pytest.mark.parametrize(("threshold", "answers"), [(0.0, "a"), (0.5, "a"), (0.51, "c")])
async def test_the_threshold_is_a_share_of_the_tier(
    threshold: float, answers: str, context: Any, exchange: Any, scripted: Any
) -> None:
    """One of two usable is half of it."""
    a, b, c = scripted("a"), scripted("b"), scripted("c")
    b.health.eject(time.monotonic() + 30)
    node = _tiers(context, _several(context, a, b), c, threshold=threshold)
    assert (await node.send(exchange())).target == answers


async def test_a_tier_that_was_passed_over_is_better_than_a_refusal(context: Any, exchange: Any, scripted: Any) -> None:
    """The second fails: what is left of the first answers, and that is no second choice."""
    a, b, c = scripted("a"), scripted("b"), scripted("c", Unavailable("down"))
    b.health.eject(time.monotonic() + 30)
    x = exchange()
    assert (await _tiers(context, _several(context, a, b), c, threshold=1.0).send(x)).target == "a"
    assert (c.sent, x.degraded) == (1, "")


async def test_what_would_fail_in_every_tier_does_not_lead_on(context: Any, exchange: Any, scripted: Any) -> None:
    """A refusal for content is the answer."""
    b = scripted("b")
    with pytest.raises(ContentRefused):
        await _tiers(context, scripted("a", ContentRefused("no")), b).send(exchange())
    assert b.sent == 0


async def test_a_larger_model_is_not_second_best(context: Any, exchange: Any, scripted: Any) -> None:
    """It is the first that can hold the conversation."""
    x = exchange()
    assert (await _tiers(context, scripted("a", ContextTooLong("long")), scripted("b")).send(x)).target == "b"
    assert x.degraded == ""


async def test_a_tier_that_cannot_do_it_is_left_out(context: Any, exchange: Any, scripted: Any) -> None:
    """Then the next is the first choice."""
    a, b = scripted("a"), scripted("b")
    a.reach = Reach(context=10)
    x = exchange()
    x.needs = Needs(input_tokens=100)
    assert (await _tiers(context, a, b).send(x)).target == "b"
    assert (a.sent, x.degraded) == (0, "")


async def test_the_decisive_failure_is_the_answer(context: Any, exchange: Any, scripted: Any) -> None:
    """When all tiers have failed, the last that was asked."""
    last = RateLimited("slow")
    with pytest.raises(RateLimited) as caught:
        await _tiers(context, scripted("a", Unavailable("x")), scripted("b", last)).send(exchange())
    assert caught.value is last


def test_pruned_tiers_vanish(context: Any, scripted: Any) -> None:
    """One left: the tier itself; none left: nothing."""
    only = scripted("b")
    assert _tiers(context, None, only) is only
    assert _tiers(context, None, None) is None


def test_a_list_is_a_tier_of_equals() -> None:
    """It is compiled as ``balance`` with the ``by`` of the node."""
    asked = []

    class Compiling:
        needs = None

        def target(self, value: Any, at: str) -> None:
            asked.append((value, at))

    config = PriorityConfig(of=(["a/m", "b/m"], "c/m"), by="least_busy")
    assert Priority.compile(config, Compiling()) is None  # type: ignore[arg-type]
    assert asked == [({"balance": {"by": "least_busy", "of": ["a/m", "b/m"]}}, "of[0]"), ("c/m", "of[1]")]


def test_explain_tells_shares_and_reasons(context: Any, exchange: Any, scripted: Any) -> None:
    """Which tier answers, and why not the others."""
    a, b, c = scripted("a"), scripted("b"), scripted("c")
    a.health.eject(time.monotonic() + 30)
    choice = _tiers(context, a, b, c).explain(exchange())
    assert [child.chosen for child in choice.children] == [False, True, False]
    why = [child.why for child in choice.children]
    assert why[0].startswith("passed over: 0 of 1 usable, none")
    assert why[1].startswith("the first tier with enough targets: 1 of 1 usable")
    assert why[2].startswith("if those before it fail")
