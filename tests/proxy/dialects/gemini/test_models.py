"""What differs between models: signatures, and how they are told how much to think."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.chat import Losses, Thinking
from proxy.choosing.capability import Capabilities
from proxy.dialects.dialect import Aim
from proxy.dialects.gemini.models import is_current, write_thinking


@pytest.mark.parametrize(
    ("model", "current"),
    [
        ("gemini-3-pro-preview", True),
        ("models/gemini-3.1-flash", True),
        ("gemini-flash-latest", True),
        ("gemini-12-x", True),
        ("gemini-2.5-flash", False),
        ("models/gemini-1.5-pro", False),
        ("gemma-3-27b-it", False),
    ],
)
def test_models_from_the_third_generation_on_are_current(model: str, current: bool) -> None:
    assert is_current(model) is current


BUDGET = Capabilities(thinking="budget")
PRO = Capabilities(thinking="budget", always_thinks=True)
LEVEL = Capabilities(thinking="level", always_thinks=True)


@pytest.mark.parametrize(
    ("model", "capabilities", "wanted", "config", "lost"),
    [
        ("gemini-2.5-flash", BUDGET, Thinking(effort="low"), {"thinkingBudget": 2048}, []),
        ("gemini-2.5-flash", BUDGET, Thinking(effort="max"), {"thinkingBudget": 24576}, []),
        ("gemini-2.5-flash", BUDGET, Thinking(budget=30000), {"thinkingBudget": 24576}, ["thinking.budget"]),
        ("gemini-2.5-flash", BUDGET, Thinking(effort="none"), {"thinkingBudget": 0}, []),
        (
            "gemini-2.5-flash",
            BUDGET,
            Thinking(budget=-1, visible=True),
            {"thinkingBudget": -1, "includeThoughts": True},
            [],
        ),
        ("gemini-2.5-flash-lite", BUDGET, Thinking(budget=100), {"thinkingBudget": 512}, ["thinking.budget"]),
        ("gemini-2.5-pro", PRO, Thinking(effort="none"), {"thinkingBudget": 128}, ["thinking"]),
        ("gemini-2.5-pro", PRO, Thinking(budget=32768), {"thinkingBudget": 32768}, []),
        ("gemini-3-flash", LEVEL, Thinking(effort="minimal"), {"thinkingLevel": "MINIMAL"}, []),
        ("gemini-3-flash", LEVEL, Thinking(budget=8000), {"thinkingLevel": "MEDIUM"}, []),
        ("gemini-3-flash", LEVEL, Thinking(effort="xhigh"), {"thinkingLevel": "HIGH"}, []),
        ("gemini-3-flash", LEVEL, Thinking(effort="none"), {"thinkingLevel": "MINIMAL"}, ["thinking"]),
        ("gemini-3-flash", LEVEL, Thinking(budget=-1), {}, []),
        ("gemini-3-pro-preview", LEVEL, Thinking(effort="medium"), {"thinkingLevel": "HIGH"}, []),
        ("gemini-3.1-pro", LEVEL, Thinking(effort="minimal"), {"thinkingLevel": "LOW"}, []),
        ("gemini-3.1-pro", LEVEL, Thinking(visible=False), {"includeThoughts": False}, []),
    ],
)
def test_a_wish_to_think_is_said_as_the_model_takes_it(
    model: str, capabilities: Capabilities, wanted: Thinking, config: dict[str, Any], lost: list[str]
) -> None:
    losses = Losses()
    assert write_thinking(wanted, Aim(model=model, capabilities=capabilities), losses) == config
    assert list(losses.names) == lost
