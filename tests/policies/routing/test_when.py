"""When chooses the first branch whose condition holds, and says what cannot be reached."""

from __future__ import annotations

from typing import Any

import pytest

from policies.routing.fallback import Fallback
from policies.routing.when import Branch, When, WhenConfig
from proxy.choosing.capability import TOOLS, Needs
from proxy.config.model import convert
from proxy.errors import NoBranch, Unavailable


def _compile(context: Any, scripted: Any, *branches: dict[str, str]) -> Any:
    names = [branch.get("else", branch.get("target", "")) for branch in branches]
    context.targets = {name: scripted(name) for name in names} | context.targets
    return When.compile(convert({"of": list(branches)}, WhenConfig), context)


def _sizes(context: Any, scripted: Any) -> Any:
    return _compile(
        context,
        scripted,
        {"if": "input_tokens > 100k", "target": "large"},
        {"if": "has_tools or model like 'tool*'", "target": "tools"},
        {"else": "small"},
    )


@pytest.mark.parametrize(
    ("needs", "model", "target"),
    [
        (Needs(0, 100_001), "gpt", "large"),
        (Needs(TOOLS, 200_000), "gpt", "large"),
        (Needs(TOOLS, 100_000), "gpt", "tools"),
        (Needs(), "tool-user", "tools"),
        (Needs(), "gpt", "small"),
    ],
)
async def test_the_first_branch_that_matches_takes_it(
    needs: Needs, model: str, target: str, context: Any, scripted: Any, exchange: Any
) -> None:
    """In the order of the file, the rest to ``else``; a note tells which condition it was."""
    when = _sizes(context, scripted)
    x = exchange(model=model)
    x.needs = needs
    assert (await when.send(x)).target == target
    conditions = {"large": "input_tokens > 100k", "tools": "has_tools or model like 'tool*'", "small": "else"}
    assert x.notes["when"] == conditions[target]
    assert sum(child.sent for child in context.targets.values()) == 1


async def test_a_branch_that_fails_is_the_end(context: Any, scripted: Any, exchange: Any) -> None:
    """No other branch is tried."""
    context.targets = {"a": scripted("a", Unavailable("down"))}
    when = _compile(context, scripted, {"if": "model == 'gpt-4o'", "target": "a"}, {"else": "b"})
    with pytest.raises(Unavailable, match="down"):
        await when.send(exchange())
    assert context.targets["b"].sent == 0


async def test_no_branch_is_a_refusal_of_its_own(context: Any, scripted: Any, exchange: Any) -> None:
    """400 no_branch_matches, with nothing sent."""
    when = _compile(context, scripted, {"if": "stream", "target": "a"}, {"if": "has_tools", "target": "b"})
    with pytest.raises(NoBranch) as caught:
        await when.send(exchange())
    assert (caught.value.http_status, caught.value.error_code) == (400, "no_branch_matches")
    assert "400 no_branch_matches" in when.explain(exchange()).why


async def test_without_a_branch_a_fallback_goes_on(context: Any, scripted: Any, exchange: Any) -> None:
    """Within a fallback it is a target that cannot take the request."""
    when = _compile(context, scripted, {"if": "stream", "target": "a"})
    other = scripted("other")
    assert (await Fallback((when, other), frozenset({"unavailable"}), context.needs).send(exchange())).target == "other"


async def test_a_branch_that_was_left_out_passes_its_requests_on(context: Any, scripted: Any, exchange: Any) -> None:
    """As with any optional provider; alone the other is the target itself."""
    context.targets = {"a": None}
    when = _compile(context, scripted, {"if": "model == 'gpt-4o'", "target": "a"}, {"if": "not stream", "target": "b"})
    assert (await when.send(exchange())).target == "b"
    assert _compile(context, scripted, {"if": "stream", "target": "a"}) is None
    only_else = _compile(context, scripted, {"if": "stream", "target": "a"}, {"else": "b"})
    assert only_else is context.targets["b"]


def test_explain_shows_every_condition(context: Any, scripted: Any, exchange: Any) -> None:
    """With what it looked at, whether it holds, and why it was not chosen."""
    x = exchange(model="tool-user")
    x.needs = Needs(0, 7)
    choice = _sizes(context, scripted).explain(x)
    assert [(child.chosen, child.why) for child in choice.children] == [
        (False, "`input_tokens > 100k` does not hold (input_tokens = 7); scripted"),
        (True, "`has_tools or model like 'tool*'` holds (has_tools = false, model = 'tool-user'); scripted"),
        (False, "else: a branch before it was chosen; scripted"),
    ]
    x.needs = Needs(0, 100_001)
    assert "holds, but a branch before it was chosen" in _sizes(context, scripted).explain(x).children[1].why


@pytest.mark.parametrize(
    ("branches", "at", "says"),
    [
        ([{"if": "stream", "target": "a"}, {"if": "stream", "target": "b"}], "of[1].if", "no request gets here"),
        (
            [{"if": "input_tokens > 5k", "target": "a"}, {"if": "input_tokens > 10k", "target": "b"}],
            "of[1].if",
            "no request gets here",
        ),
        (
            [{"if": "stream", "target": "a"}, {"if": "not stream", "target": "b"}, {"else": "c"}],
            "of[2].else",
            "the branches before take all",
        ),
        ([{"else": "a"}, {"if": "stream", "target": "b"}], "of[0]", "it stands last"),
        ([{"if": "stream"}, {"else": "a"}], "of[0]", "`target` is missing"),
        ([{"target": "a"}, {"else": "b"}], "of[0]", "`if` is missing"),
        ([{"if": "stream", "target": "a", "else": "b"}], "of[0]", "stands alone"),
        ([{"if": "steam", "target": "a"}], "of[0].if", "did you mean `stream`?"),
        ([{"if": "tags.team == 'a'", "target": "a"}], "of[0].if", "no `tags` policy of this route sets"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(
    branches: list[dict[str, str]], at: str, says: str, context: Any, scripted: Any
) -> None:
    """Each once."""
    _compile(context, scripted, *branches)
    assert [(place, says in message) for place, message in context.problems] == [(at, True)]


@pytest.mark.parametrize(
    "branches",
    [
        [{"if": "input_tokens > 10k", "target": "a"}, {"if": "input_tokens > 5k", "target": "b"}, {"else": "c"}],
        [
            {"if": "stream and has_tools", "target": "a"},
            {"if": "stream", "target": "b"},
            {"if": "has_tools", "target": "c"},
        ],
    ],
)
def test_branches_that_can_be_reached_are_no_problem(
    branches: list[dict[str, str]], context: Any, scripted: Any
) -> None:
    """Overlaps are what an order is for."""
    _compile(context, scripted, *branches)
    assert context.problems == []


def test_a_branch_is_read_by_its_names() -> None:
    """``if`` and ``else`` are words of Python, not of the file."""
    assert convert({"if": "stream", "target": "a"}, Branch) == Branch(if_="stream", target="a")
