"""What differs between Google's models, by their names."""

from __future__ import annotations

import re

from proxy.chat import Effort, Losses, Thinking
from proxy.dialects.dialect import Aim
from proxy.dialects.thinking import budget_of, effort_of

_OLDER = re.compile(r"(?:.*/)?(?:gemini-(?:[12](?:\D|$)|pro$|pro-vision)|gemma|learnlm|palm|text-)")
_LEVELS: dict[Effort, str] = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}
_MOST = 24576
_MOST_PRO = 32768
_LEAST_PRO = 128
_LEAST_LITE = 512


def is_current(model: str) -> bool:
    """Whether a model is of the third generation or later: it checks signatures, and takes images from tools."""
    return _OLDER.match(model) is None


def write_thinking(wanted: Thinking, aim: Aim, losses: Losses) -> dict[str, object]:
    """``thinkingConfig``; empty where nothing is to be said."""
    config: dict[str, object] = {}
    if wanted.visible is not None:
        config["includeThoughts"] = wanted.visible
    if aim.capabilities.thinking == "level":
        level = _level(wanted, aim, losses)
        if level is not None:
            config["thinkingLevel"] = level
    else:
        budget = _budget(wanted, aim, losses)
        if budget is not None:
            config["thinkingBudget"] = budget
    return config


def _level(wanted: Thinking, aim: Aim, losses: Losses) -> str | None:
    effort = effort_of(wanted)
    if effort is None:
        return None
    if effort == "none" and aim.capabilities.always_thinks:
        losses.add("thinking")
    if "pro" in aim.model:
        if effort in ("none", "minimal"):
            return "LOW"
        if effort == "medium" and "gemini-3-pro" in aim.model:
            return "HIGH"
    return _LEVELS[effort]


def _budget(wanted: Thinking, aim: Aim, losses: Losses) -> int | None:
    budget, always = budget_of(wanted), aim.capabilities.always_thinks
    if budget is None or budget < 0 or (budget == 0 and not always):
        return budget
    if budget == 0:
        losses.add("thinking")
    least = _LEAST_PRO if always else _LEAST_LITE if "lite" in aim.model else 1
    taken = min(max(budget, least), _MOST_PRO if always else _MOST)
    if taken != budget and wanted.budget:
        losses.add("thinking.budget")
    return taken
