"""Between the two ways to say how much a model should think: a word, and a number of tokens."""

from __future__ import annotations

from proxy.chat import Effort, Thinking

BUDGETS: dict[Effort, int] = {
    "none": 0,
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 24576,
    "xhigh": 49152,
    "max": 65536,
}


def budget_of(thinking: Thinking) -> int | None:
    """Tokens that a wish amounts to; -1 for as many as the model likes, 0 for none; None if it says nothing of it."""
    if thinking.budget is not None:
        return thinking.budget
    return None if thinking.effort is None else BUDGETS[thinking.effort]


def effort_of(thinking: Thinking) -> Effort | None:
    """The word that a wish amounts to: the smallest whose budget suffices; None if it says nothing of it, or leaves it
    to the model."""
    if thinking.effort is not None:
        return thinking.effort
    budget = thinking.budget
    if budget is None or budget < 0:
        return None
    return next((word for word, most in BUDGETS.items() if budget <= most), "max")
