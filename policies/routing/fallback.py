"""Try targets in turn until one answers."""

from __future__ import annotations

import time
from typing import Any, ClassVar, Literal

from msgspec.structs import replace

from proxy.errors import UpstreamError
from proxy.exchange import Exchange
from proxy.policy import Answer, Choice, CompileContext, Config, Target

# A request that the provider itself found wrong, or that it refuses to answer, would fail elsewhere too.
On = Literal[
    "rate_limited",
    "overloaded",
    "unavailable",
    "timeout",
    "bad_answer",
    "bad_credential",
    "context_too_long",
    "content_refused",
    "model_not_found",
    "unsupported",
]
DEFAULT_ON: tuple[On, ...] = (
    "rate_limited",
    "overloaded",
    "unavailable",
    "timeout",
    "bad_answer",
    "bad_credential",
    "context_too_long",
    "model_not_found",
    "unsupported",
)


class FallbackConfig(Config, frozen=True):
    """``of``: targets in order; ``on``: meanings of failure after which the next one is tried.

    A plain list stands for ``of``.
    """

    of: tuple[Any, ...]
    on: tuple[On, ...] = DEFAULT_ON


class Fallback(Target):
    """Children in turn; the last failure is the answer when all have failed or the time is used up."""

    __slots__ = ("_children", "_on")

    Config = FallbackConfig
    shorthand: ClassVar[str] = "of"

    def __init__(self, children: tuple[Target, ...], on: frozenset[str]) -> None:
        self._children = children
        self._on = on

    @classmethod
    def compile(cls, config: FallbackConfig, context: CompileContext) -> Target | None:
        found = [context.target(value, f"of[{at}]") for at, value in enumerate(config.of)]
        children = tuple(child for child in found if child is not None)
        if len(children) < 2:  # one child needs no fallback; none is no target
            return children[0] if children else None
        return cls(children, frozenset(config.on))

    async def send(self, x: Exchange) -> Answer:
        last = self._children[-1]
        for child in self._children:
            try:
                return await child.send(x)
            except UpstreamError as error:
                if child is last or error.meaning not in self._on or time.monotonic() >= x.deadline:
                    raise
                x.notes["fallback"] = f"{', '.join(child.leaves())}: {error.meaning}"
        raise AssertionError("a fallback has at least two children")

    def explain(self, x: Exchange) -> Choice:
        first, *rest = (child.explain(x) for child in self._children)
        later = (replace(choice, chosen=False, why=f"if those before it fail; {choice.why}") for choice in rest)
        why = f"the first that answers; next on {', '.join(sorted(self._on))}"
        return Choice("fallback", True, why, (first, *later))

    def leaves(self) -> tuple[str, ...]:
        return tuple(leaf for child in self._children for leaf in child.leaves())
