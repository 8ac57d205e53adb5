"""Fallback tries its children in turn, and only after failures that another target may not share."""

from __future__ import annotations

from typing import Any

import pytest

from policies.routing.fallback import Fallback, FallbackConfig
from proxy.errors import ContentRefused, ContextTooLong, Overloaded, RateLimited, Rejected, Unavailable, UpstreamError


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
