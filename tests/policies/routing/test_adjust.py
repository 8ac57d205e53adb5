"""The node `adjust`: its target sees another request, everybody else the caller's."""

from __future__ import annotations

from typing import Any

import pytest

from policies.routing.adjust import Adjust, AdjustConfig, ParametersConfig, SystemConfig
from policies.routing.fallback import Fallback, FallbackConfig
from proxy.around import Around
from proxy.choosing.capability import AS_IT_IS, Growth, Needs, Reach
from proxy.dialects.paths import EXACT
from proxy.errors import RateLimited, Unsupported

BODY = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'


class Seen(Around):
    """Remembers the bodies that came by."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.bodies: list[bytes] = []

    async def send(self, x: Any) -> Any:
        self.bodies.append(x.body)
        return await self.inner.send(x)


def _compile(context: Any, target: Any, **more: Any) -> Any:
    context.targets["below"] = target
    return Adjust.compile(AdjustConfig(target="below", **more), context)


async def test_only_its_target_sees_the_change(context: Any, exchange: Any, scripted: Any) -> None:
    """The one that is asked after it sees what the caller sent."""
    first, second = Seen(scripted("a", RateLimited("later"))), Seen(scripted("b"))
    node = _compile(
        context, first, parameters=ParametersConfig(temperature=0.2), system=SystemConfig(append="Be brief.")
    )
    context.targets |= {"first": node, "second": second}
    tree: Any = Fallback.compile(FallbackConfig(of=("first", "second")), context)
    x = exchange(body=BODY)
    assert (await tree.send(x)).target == "b"
    assert first.bodies == [
        b'{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],'
        b'"temperature":0.2}'
    ]
    assert second.bodies == [x.body] == [BODY]
    assert x.notes["adjust"] == "temperature 0.2, system prompt ends with 9 characters"


async def test_one_within_another(context: Any, exchange: Any, scripted: Any) -> None:
    """The inner one has the last word, and both are told of."""
    seen = Seen(scripted("a"))
    inner = _compile(context, seen, parameters=ParametersConfig(temperature=0.0))
    outer = _compile(context, inner, parameters=ParametersConfig(temperature=1.0), system="Be brief.")
    x = exchange(body=BODY)
    await outer.send(x)
    assert b'"temperature":0.0' in seen.bodies[0]
    assert b"Be brief." in seen.bodies[0]
    assert x.notes["adjust"] == "temperature 1.0, system prompt replaced by 9 characters; temperature 0.0"


async def test_what_cannot_be_said_is_named_or_refused(context: Any, exchange: Any, scripted: Any) -> None:
    node = _compile(context, scripted("a"), parameters=ParametersConfig(seed=7))
    x = exchange(body=b'{"model":"m","max_tokens":5,"messages":[]}')
    x.endpoint = EXACT["POST", "/v1/messages"]
    assert (await node.send(x)).dropped == ("seed",)
    assert node.explain(x).children[0].dropped == ("seed",)
    x.on_loss = "refuse"
    with pytest.raises(Unsupported, match="no word for seed"):
        await node.send(x)
    assert x.skipped == [("a", "unsupported")]


async def test_a_long_request_is_edited_off_the_loop(context: Any, exchange: Any, scripted: Any) -> None:
    seen = Seen(scripted("a"))
    node = _compile(context, seen, parameters=ParametersConfig(max_tokens=3))
    await node.send(exchange(body=b'{"model":"m","messages":[],"x":"%b"}' % (b"x" * 600_000)))
    assert seen.bodies[0].endswith(b'x","max_completion_tokens":3}')


def test_what_it_may_cost(context: Any, scripted: Any) -> None:
    """Limits reserve for the largest of what may be asked; the innermost maximum counts."""
    node = _compile(context, scripted("a"), parameters=ParametersConfig(max_tokens=300), system="Be brief.")
    assert node.growths() == {Growth(27, 300)}
    outer = _compile(context, node, parameters=ParametersConfig(max_tokens=9))
    assert outer.growths() == {Growth(27, 300)}
    context.targets |= {"first": outer, "second": scripted("b")}
    tree: Any = Fallback.compile(FallbackConfig(of=("first", "second")), context)
    assert tree.growths() == {Growth(27, 300), AS_IT_IS}


def test_what_it_cannot_do_is_its_targets(context: Any, scripted: Any) -> None:
    small = scripted("a")
    small.reach = Reach(context=10)
    node = _compile(context, small, parameters=ParametersConfig(max_tokens=3))
    assert node.lacks(Needs(input_tokens=11)) is not None
    assert node.lacks(Needs(input_tokens=9)) is None


def test_what_changes_nothing_is_a_problem(context: Any, scripted: Any) -> None:
    _compile(context, scripted("a"))
    assert context.problems == [("", "this changes nothing; set `parameters` or `system`, or write its target alone")]


def test_nothing_is_left_of_it_without_its_target(context: Any) -> None:
    assert _compile(context, None, system="Be brief.") is None


def test_explain_shows_it(context: Any, exchange: Any, scripted: Any) -> None:
    node = _compile(context, scripted("a"), system=SystemConfig(prepend="Be brief."))
    choice = node.explain(exchange(body=BODY))
    assert (choice.target, choice.chosen, choice.why) == ("adjust", True, "system prompt begins with 9 characters")
    assert [child.target for child in choice.children] == ["a"]
