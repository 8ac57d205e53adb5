"""How much a model shall think, in the words that a model of Anthropic takes, and what must give way to it."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Chat, Losses, Thinking
from proxy.dialects.anthropic_messages.content import is_prefill, leads_with_thought
from proxy.dialects.dialect import Aim
from proxy.dialects.thinking import budget_of, effort_of

MIN_BUDGET = 1024
DEFAULT_BUDGET = 8192  # for a wish to think as much as the model likes, where that has to be a number
DEFAULT_MAX_TOKENS = 4096
_MIN_TOP_P = 0.95


class Plan(msgspec.Struct):
    """What a request says of thinking, and its ``max_tokens``. ``on``: the model may think."""

    max_tokens: int
    thinking: dict[str, Any] | None = None
    effort: str | None = None
    on: bool = False


def plan(chat: Chat, aim: Aim, messages: list[dict[str, Any]], losses: Losses, *, forced: bool) -> Plan:
    """Decide; ``forced``: the answer has to come by a tool, which forbids thinking."""
    most = aim.capabilities.max_output
    planned = Plan(chat.max_tokens if chat.max_tokens is not None else most or DEFAULT_MAX_TOKENS)
    wish = chat.thinking
    if wish is None:
        return planned
    style = aim.capabilities.thinking
    if style == "budget":
        _by_budget(wish, chat, most, planned, losses)
    elif style == "adaptive":
        _adaptive(wish, aim, planned, losses)
    elif style != "none":
        planned.effort = _effort(wish, losses)
    if planned.on and (forced or is_prefill(messages) or (style == "budget" and not leads_with_thought(messages))):
        # Thinking would have the whole request refused.
        planned.on, planned.thinking = False, None
        losses.add("thinking")
    return planned


def restrain(chat: Chat, body: dict[str, Any], losses: Losses) -> None:
    """Take out what the API refuses beside thinking."""
    if body.get("temperature", 1) != 1:
        losses.add("temperature")
    body.pop("temperature", None)
    if chat.top_k is not None:
        losses.add("top_k")
        body.pop("top_k", None)
    if body.get("top_p", 1) < _MIN_TOP_P:
        losses.add("top_p")
        del body["top_p"]
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        losses.add("tool_choice")
        body["tool_choice"] = {**body["tool_choice"], "type": "auto"}
        body["tool_choice"].pop("name", None)


def _by_budget(wish: Thinking, chat: Chat, most: int | None, planned: Plan, losses: Losses) -> None:
    wanted = budget_of(wish)
    if not wanted:
        return
    budget = max(DEFAULT_BUDGET if wanted < 0 else wanted, MIN_BUDGET)
    if chat.max_tokens is None:
        planned.max_tokens = most or DEFAULT_MAX_TOKENS + budget
    if budget >= planned.max_tokens:
        # The answer needs room beside the thoughts.
        budget = max(planned.max_tokens * 3 // 4, MIN_BUDGET)
    if budget >= planned.max_tokens:
        losses.add("thinking")
        return
    if wish.budget is not None and 0 < wish.budget != budget:
        losses.add("thinking.budget")
    planned.thinking, planned.on = _shown({"type": "enabled", "budget_tokens": budget}, wish), True


def _adaptive(wish: Thinking, aim: Aim, planned: Plan, losses: Losses) -> None:
    if budget_of(wish) == 0:
        if aim.capabilities.always_thinks:
            losses.add("thinking")
        else:
            planned.thinking = {"type": "disabled"}
        return
    planned.effort = _effort(wish, losses)
    planned.thinking, planned.on = _shown({"type": "adaptive"}, wish), True


def _effort(wish: Thinking, losses: Losses) -> str | None:
    effort = effort_of(wish)
    if effort == "none":
        losses.add("thinking")
        return None
    return "low" if effort == "minimal" else effort


def _shown(thinking: dict[str, Any], wish: Thinking) -> dict[str, Any]:
    if wish.visible is not None:
        thinking["display"] = "summarized" if wish.visible else "omitted"
    return thinking
