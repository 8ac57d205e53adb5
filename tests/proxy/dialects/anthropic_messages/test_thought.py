"""How much to think is said as the model takes it, and what cannot be beside it gives way."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.chat import Chat, Losses, Message, Text, Thinking
from proxy.choosing.capability import Capabilities, ThinkingStyle
from proxy.dialects.anthropic_messages.thought import Plan, plan, restrain
from proxy.dialects.dialect import Aim

USER: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
CALLED: list[dict[str, Any]] = [*USER, {"role": "assistant", "content": [{"type": "tool_use"}]}, *USER]
PREFILL: list[dict[str, Any]] = [*USER, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}]


def _plan(
    thinking: Thinking | None,
    style: ThinkingStyle = "budget",
    messages: list[dict[str, Any]] = USER,
    *,
    max_tokens: int | None = None,
    most: int | None = None,
    forced: bool = False,
    always: bool = False,
) -> tuple[Plan, list[str]]:
    losses = Losses()
    chat = Chat(model="m", messages=[Message("user", [Text("hi")])], thinking=thinking, max_tokens=max_tokens)
    aim = Aim(model="m", capabilities=Capabilities(thinking=style, max_output=most, always_thinks=always))
    return plan(chat, aim, messages, losses, forced=forced), list(losses.names)


@pytest.mark.parametrize(("given", "most", "planned"), [(7, 9, 7), (None, 9, 9), (None, None, 4096), (0, 9, 0)])
def test_a_request_always_has_a_limit(given: int | None, most: int | None, planned: int) -> None:
    assert _plan(None, max_tokens=given, most=most) == (Plan(planned), [])


def test_a_budget_stays_below_the_limit() -> None:
    found, lost = _plan(Thinking(budget=5000), max_tokens=8000)
    assert (found.thinking, found.max_tokens, found.on, lost) == (
        {"type": "enabled", "budget_tokens": 5000},
        8000,
        True,
        [],
    )
    found, lost = _plan(Thinking(budget=9000), max_tokens=8000)
    assert (found.thinking, lost) == ({"type": "enabled", "budget_tokens": 6000}, ["thinking.budget"])
    found, lost = _plan(Thinking(effort="high"), max_tokens=8000)
    assert (found.thinking, lost) == ({"type": "enabled", "budget_tokens": 6000}, [])


def test_without_a_limit_of_the_caller_the_budget_comes_on_top() -> None:
    assert _plan(Thinking(budget=5000))[0].max_tokens == 4096 + 5000
    found, _ = _plan(Thinking(budget=5000), most=64000)
    assert (found.max_tokens, found.thinking) == (64000, {"type": "enabled", "budget_tokens": 5000})


def test_a_limit_too_small_for_any_thought_switches_it_off() -> None:
    found, lost = _plan(Thinking(effort="low"), max_tokens=1024)
    assert (found.thinking, found.on, lost) == (None, False, ["thinking"])


@pytest.mark.parametrize(
    ("wish", "budget"), [(Thinking(budget=-1), 8192), (Thinking(budget=100), 1024), (Thinking(effort="minimal"), 1024)]
)
def test_budgets_are_numbers_that_the_api_takes(wish: Thinking, budget: int) -> None:
    assert _plan(wish)[0].thinking == {"type": "enabled", "budget_tokens": budget}


@pytest.mark.parametrize("wish", [Thinking(effort="none"), Thinking(budget=0), Thinking(visible=True)])
def test_no_wish_to_think_says_nothing(wish: Thinking) -> None:
    assert _plan(wish) == (Plan(4096), [])


@pytest.mark.parametrize(
    ("wish", "thinking", "effort"),
    [
        (Thinking(effort="minimal"), {"type": "adaptive"}, "low"),
        (Thinking(effort="max", visible=True), {"type": "adaptive", "display": "summarized"}, "max"),
        (Thinking(budget=8192, visible=False), {"type": "adaptive", "display": "omitted"}, "medium"),
        (Thinking(budget=-1), {"type": "adaptive"}, None),
        (Thinking(effort="none"), {"type": "disabled"}, None),
    ],
)
def test_models_that_decide_themselves_take_a_word(wish: Thinking, thinking: Any, effort: str | None) -> None:
    found, lost = _plan(wish, "adaptive")
    assert (found.thinking, found.effort, lost) == (thinking, effort, [])
    assert found.on is (thinking["type"] == "adaptive")


def test_models_that_cannot_but_think_are_not_told_otherwise() -> None:
    found, lost = _plan(Thinking(effort="none"), "adaptive", always=True)
    assert (found.thinking, lost) == (None, ["thinking"])


def test_others_take_the_word_alone() -> None:
    found, lost = _plan(Thinking(budget=2000), "effort")
    assert (found.thinking, found.effort, found.on, lost) == (None, "low", False, [])
    assert _plan(Thinking(effort="none"), "effort")[1] == ["thinking"]


def test_thinking_is_off_where_the_api_would_refuse_it() -> None:
    wish = Thinking(effort="low")
    for found, lost in (
        _plan(wish, messages=CALLED),
        _plan(wish, messages=PREFILL),
        _plan(wish, "adaptive", PREFILL),
        _plan(wish, forced=True),
    ):
        assert (found.on, found.thinking, lost) == (False, None, ["thinking"])
    assert _plan(wish, "adaptive", CALLED)[0].on


def test_what_cannot_be_beside_thinking_gives_way() -> None:
    losses = Losses()
    chat = Chat(model="m", messages=[], temperature=0.2, top_k=5, top_p=0.5)
    body: dict[str, Any] = {
        "temperature": 0.2,
        "top_k": 5,
        "top_p": 0.5,
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    }
    restrain(chat, body, losses)
    assert body == {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    assert list(losses.names) == ["temperature", "top_k", "top_p", "tool_choice"]


def test_what_can_be_beside_thinking_stays() -> None:
    losses = Losses()
    body: dict[str, Any] = {"temperature": 1.0, "top_p": 0.97, "tool_choice": {"type": "none"}}
    restrain(Chat(model="m", messages=[]), body, losses)
    assert body == {"top_p": 0.97, "tool_choice": {"type": "none"}}
    assert not losses
