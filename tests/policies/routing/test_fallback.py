"""Fallback tries its children in turn, and only after failures that another target may not share."""

from __future__ import annotations

from typing import Any

import pytest

from policies.routing.fallback import Fallback, FallbackConfig
from proxy.choosing.capability import TOOLS, VISION, Needs, Reach
from proxy.errors import (
    ContentRefused,
    ContextTooLong,
    NoTarget,
    Overloaded,
    RateLimited,
    Rejected,
    Unavailable,
    UpstreamError,
)


def _compile(context: Any, targets: dict[str, Any], **config: Any) -> Any:
    context.targets = targets
    return Fallback.compile(FallbackConfig(of=tuple(targets), **config), context)


async def test_the_first_that_answers_wins(context: Any, exchange: Any, scripted: Any) -> None:
    """Later ones are not asked."""
    a, b, c = scripted("a", Overloaded("busy")), scripted("b"), scripted("c")
    x = exchange()
    answer = await _compile(context, {"a": a, "b": b, "c": c}).send(x)
    assert (answer.target, a.sent, b.sent, c.sent) == ("b", 1, 1, 0)
    assert x.notes["fallback"] == "a: overloaded"


@pytest.mark.parametrize("failure", [Rejected("bad"), ContentRefused("no")])
async def test_what_would_fail_elsewhere_too_is_not_tried_again(
    failure: UpstreamError, context: Any, exchange: Any, scripted: Any
) -> None:
    """A wrong request stays wrong."""
    b = scripted("b")
    with pytest.raises(UpstreamError) as caught:
        await _compile(context, {"a": scripted("a", failure), "b": b}).send(exchange())
    assert caught.value is failure
    assert b.sent == 0


async def test_on_narrows_and_widens(context: Any, exchange: Any, scripted: Any) -> None:
    """The file says which meanings lead on."""
    targets = {"a": scripted("a", ContentRefused("no")), "b": scripted("b")}
    assert (await _compile(context, targets, on=("content_refused",)).send(exchange())).target == "b"
    targets = {"a": scripted("a", RateLimited("slow")), "b": scripted("b")}
    with pytest.raises(RateLimited):
        await _compile(context, targets, on=("content_refused",)).send(exchange())


async def test_the_last_failure_is_the_answer(context: Any, exchange: Any, scripted: Any) -> None:
    """When all have failed."""
    last = ContextTooLong("long")
    with pytest.raises(ContextTooLong) as caught:
        await _compile(context, {"a": scripted("a", Unavailable("x")), "b": scripted("b", last)}).send(exchange())
    assert caught.value is last


async def test_an_answer_of_another_target_is_marked(context: Any, exchange: Any, scripted: Any) -> None:
    """With the reason; not where the first choice was the wrong one for this request."""
    x = exchange()
    await _compile(context, {"a": scripted("a", Overloaded("busy")), "b": scripted("b")}).send(x)
    assert x.degraded == "overloaded"
    x = exchange()
    await _compile(context, {"a": scripted("a", ContextTooLong("long")), "b": scripted("b")}).send(x)
    assert x.degraded == ""


async def test_a_target_that_is_left_alone_leads_on_whatever_the_file_says(
    context: Any, exchange: Any, scripted: Any
) -> None:
    """`on` is about answers; this one was not asked."""
    targets = {"a": scripted("a", NoTarget("ejected", retry_after=9)), "b": scripted("b")}
    assert (await _compile(context, targets, on=("timeout",)).send(exchange())).target == "b"


async def test_a_failure_of_one_that_was_asked_is_told_before_others(
    context: Any, exchange: Any, scripted: Any
) -> None:
    """And of those that were not, the one that is back first."""
    asked = Unavailable("gone")
    targets = {"a": scripted("a", asked), "b": scripted("b", NoTarget("ejected", retry_after=9))}
    with pytest.raises(Unavailable) as caught:
        await _compile(context, targets).send(exchange())
    assert caught.value is asked
    soon = NoTarget("ejected", retry_after=2)
    targets = {"a": scripted("a", soon), "b": scripted("b", NoTarget("ejected", retry_after=9))}
    with pytest.raises(NoTarget) as skipped:
        await _compile(context, targets).send(exchange())
    assert skipped.value is soon


async def test_after_a_context_too_small_only_a_larger_one_is_tried(context: Any, exchange: Any, scripted: Any) -> None:
    """What is known to be no larger would refuse it too."""
    small, same, large = scripted("small", ContextTooLong("long")), scripted("same"), scripted("large")
    small.reach = same.reach = Reach(context=8000)
    large.reach = Reach(context=200_000)
    x = exchange()
    answer = await _compile(context, {"small": small, "same": same, "large": large}).send(x)
    assert (answer.target, same.sent) == ("large", 0)
    assert x.skipped == [("same", "its context is no larger")]


async def test_a_target_that_cannot_do_it_is_left_out(context: Any, exchange: Any, scripted: Any) -> None:
    """With the reason; where none can, the first is asked, and the route decides about what gets lost."""
    blind, seeing = scripted("blind"), scripted("seeing")
    blind.reach = Reach(bits=0)
    x = exchange()
    x.needs = Needs(VISION)
    fallback = _compile(context, {"blind": blind, "seeing": seeing})
    assert (await fallback.send(x)).target == "seeing"
    assert x.skipped == [("blind", "no images")]
    choice = fallback.explain(x)
    assert [(child.chosen, child.why.split(";")[0]) for child in choice.children] == [
        (False, "left out: no images"),
        (True, "scripted"),
    ]
    seeing.reach = Reach(bits=TOOLS)
    x = exchange()
    x.needs = Needs(VISION)
    fallback = _compile(context, {"blind": blind, "seeing": seeing})
    assert (await fallback.send(x)).target == "blind"


async def test_no_child_is_tried_after_the_deadline(context: Any, exchange: Any, scripted: Any) -> None:
    """One deadline over all attempts."""
    b = scripted("b")
    x = exchange()
    x.deadline = x.received - 1
    with pytest.raises(Unavailable):
        await _compile(context, {"a": scripted("a", Unavailable("x")), "b": b}).send(x)
    assert b.sent == 0


def test_pruned_children_vanish(context: Any, scripted: Any) -> None:
    """One left: the child itself; none left: nothing."""
    only = scripted("b")
    assert _compile(context, {"a": None, "b": only}) is only
    assert _compile(context, {"a": None, "b": None}) is None


def test_explain_names_the_order(context: Any, exchange: Any, scripted: Any) -> None:
    """The first is chosen; the others only if it fails."""
    choice = _compile(context, {"a": scripted("a"), "b": scripted("b")}).explain(exchange())
    assert [(child.target, child.chosen) for child in choice.children] == [("a", True), ("b", False)]
