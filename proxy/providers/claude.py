"""What the models of Anthropic can do, by their names: at Anthropic itself, and wherever else they are offered."""

from __future__ import annotations

import re

from proxy.capability import Capabilities
from proxy.dialects.anthropic_messages.body import SCHEMA_BY_TOOL
from proxy.dialects.anthropic_messages.content import SYSTEM_ANYWHERE
from proxy.dialects.anthropic_messages.thought import ALWAYS_THINKS

# claude-opus-4-5-20251101, claude-sonnet-5, claude-fable-5-1 … and claude-3-5-haiku-20241022.
_NAME = re.compile(r"claude-(?P<family>[a-z]+)-(?P<major>\d{1,2})(?:-(?P<minor>\d{1,2}))?(?!\d)")
_OLD_NAME = re.compile(r"claude-(?P<major>\d)(?:-(?P<minor>\d))?-(?P<family>[a-z]+)")
_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
_ALWAYS = frozenset({"fable", "mythos"})
# A model of another maker behind the same API: what all of them take.
UNKNOWN = (
    Capabilities(prompt_cache="marks", count_tokens=True, thinking="budget"),
    frozenset({SCHEMA_BY_TOOL}),
)


def claude(model: str) -> tuple[Capabilities, frozenset[str]]:
    """Capabilities and quirks of a model."""
    found = _NAME.search(model) or _OLD_NAME.search(model)
    if found is None:
        return UNKNOWN
    family, version = found["family"], (int(found["major"]), int(found["minor"] or 0))
    if version >= (4, 6):
        return _adaptive(family, version)
    if version < (3, 7):
        most = 8192 if version >= (3, 5) else 4096
        return Capabilities(prompt_cache="marks", count_tokens=True, max_output=most, context=200_000), frozenset(
            {SCHEMA_BY_TOOL}
        )
    most = 32_000 if family == "opus" and version < (4, 5) else 64_000
    can = Capabilities(prompt_cache="marks", count_tokens=True, thinking="budget", max_output=most, context=200_000)
    return can, frozenset() if version >= (4, 5) else frozenset({SCHEMA_BY_TOOL})


def _adaptive(family: str, version: tuple[int, int]) -> tuple[Capabilities, frozenset[str]]:
    """From 4.6 on models decide themselves how much to think; from 4.7 on they take no sampling parameters."""
    can = Capabilities(
        prompt_cache="marks",
        count_tokens=True,
        thinking="adaptive",
        max_output=64_000 if (family, version) == ("sonnet", (4, 6)) else 128_000,
        context=1_000_000,
        refuses=_SAMPLING if version >= (4, 7) else frozenset(),
    )
    quirks: set[str] = set()
    if version >= (4, 8):
        quirks.add(SYSTEM_ANYWHERE)
    if family in _ALWAYS or (family == "opus" and version >= (5, 5)):
        quirks.add(ALWAYS_THINKS)
    return can, frozenset(quirks)
