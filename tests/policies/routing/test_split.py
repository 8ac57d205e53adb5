"""Split divides by weight, and steadily where it is told to."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from policies.routing.split import Branch, Split, SplitConfig


def _branches(**weights: float) -> tuple[Branch, ...]:
    return tuple(Branch(weight=weight, target=name) for name, weight in weights.items())


def _compile(context: Any, scripted: Any, sticky: str | None = None, **weights: float) -> Any:
    context.targets = {name: scripted(name) for name in weights}
    context.tags = frozenset({"user"})
    return Split.compile(SplitConfig(of=_branches(**weights), sticky=sticky), context)


async def _who(split: Any, exchange: Any, user: str) -> str:
    x = exchange()
    x.tags = {"user": user}
    target: str = (await split.send(x)).target
    return target


async def test_random_shares_follow_the_weights(context: Any, exchange: Any, scripted: Any) -> None:
    """20,000 seeded draws within four standard deviations."""
    children = tuple(scripted(name) for name in "abc")
    split = Split(children, (70, 20, 10), None, context.needs, pick=random.Random(7).random)
    for _ in range(20_000):
        await split.send(exchange())
    assert abs(children[0].sent - 14_000) < 4 * 65
    assert abs(children[1].sent - 4_000) < 4 * 57
    assert abs(children[2].sent - 2_000) < 4 * 43


async def test_a_sticky_caller_keeps_its_branch(context: Any, exchange: Any, scripted: Any) -> None:
    """In this process and in any other: the shares and these very assignments are pinned."""
    split = _compile(context, scripted, "user", a=90, b=10)
    found = {user: await _who(split, exchange, user) for user in map(str, range(5_000))}
    assert found == {user: await _who(split, exchange, user) for user in found}
    shares = Counter(found.values())
    assert abs(shares["b"] - 500) < 4 * 22
    assert [user for user in found if found[user] == "b"][:5] == ["1", "18", "25", "40", "80"]


async def test_a_changed_weight_moves_as_few_as_it_must(context: Any, exchange: Any, scripted: Any) -> None:
    """From 90:10 to 80:20 moves 10 % of callers, all to the branch that grew; the order in the file moves nobody."""
    before = _compile(context, scripted, "user", a=90, b=10)
    after = _compile(context, scripted, "user", b=20, a=80)
    moved = 0
    for user in map(str, range(5_000)):
        old, new = await _who(before, exchange, user), await _who(after, exchange, user)
        assert old == new or (old, new) == ("a", "b")
        moved += old != new
    assert abs(moved - 500) < 4 * 22


async def test_without_the_tag_the_choice_is_random(context: Any, exchange: Any, scripted: Any) -> None:
    """Nobody is refused for a missing tag."""
    x = exchange()
    await _compile(context, scripted, "user", a=1, b=1).send(x)
    assert x.notes["split"].endswith("at random")


def test_explain_says_where_a_caller_falls(context: Any, exchange: Any, scripted: Any) -> None:
    """One chosen branch for a known caller, shares for an unknown one."""
    split = _compile(context, scripted, "user", a=3, b=1)
    assert [child.why for child in split.explain(exchange()).children] == [
        "75.0% of requests, at random; scripted",
        "25.0% of requests, at random; scripted",
    ]
    x = exchange()
    x.tags = {"user": "ada"}
    assert sum(child.chosen for child in split.explain(x).children) == 1


def test_a_tag_that_nobody_sets_is_a_problem(context: Any, scripted: Any) -> None:
    """Else the split would silently be random."""
    context.targets = {"a": scripted("a")}
    Split.compile(SplitConfig(of=_branches(a=1), sticky="user"), context)
    assert [at for at, _ in context.problems] == ["sticky"]


@pytest.mark.parametrize("weights", [{"a": 0.0, "b": 0.0}, {"a": 0.0}])
def test_no_weight_is_no_target(weights: dict[str, float], context: Any, scripted: Any) -> None:
    """Branches of weight zero take nothing."""
    assert _compile(context, scripted, None, **weights) is None
