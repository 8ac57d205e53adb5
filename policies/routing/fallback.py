"""Try targets in turn until one answers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, ClassVar

from msgspec.structs import replace

from policies.routing._helpers import GO_ON, On
from proxy.choosing.capability import Needs
from proxy.errors import TargetOff, UpstreamError, decisive
from proxy.exchange import Exchange
from proxy.policy import Answer, Choice, CompileContext, Config, Node, Target

# A request that the provider itself found wrong, or that it refuses to answer, would fail elsewhere too.
# After these another target is not second best: it is the first that can do what was asked.
_NO_LESS = frozenset({"context_too_long", "unsupported", "content_refused"})


class FallbackConfig(Config, frozen=True):
    """``of``: targets in order; ``on``: meanings of failure after which the next one is tried.

    A plain list stands for ``of``.
    """

    of: tuple[Any, ...]
    on: tuple[On, ...] = GO_ON


class Fallback(Node):
    """Children in turn, those that can do what the request needs. What the caller is told when all have failed is the
    last failure of one that was asked."""

    __slots__ = ("_on",)

    Config = FallbackConfig
    shorthand: ClassVar[str] = "of"

    def __init__(self, children: tuple[Target, ...], on: frozenset[str], needs: Callable[[Exchange], Needs]) -> None:
        super().__init__(children, needs)
        self._on = on

    @classmethod
    def compile(cls, config: FallbackConfig, context: CompileContext) -> Target | None:
        found = [context.target(value, f"of[{at}]") for at, value in enumerate(config.of)]
        children = tuple(child for child in found if child is not None)
        if len(children) < 2:  # one child needs no fallback; none is no target
            return children[0] if children else None
        return cls(children, frozenset(config.on), context.needs)

    async def send(self, x: Exchange) -> Answer:
        failures: list[UpstreamError] = []
        too_small = 0  # tokens of the largest context that this conversation has been too long for
        for child in self.able(x):
            if too_small and _context(child) <= too_small:
                x.skipped.append((", ".join(child.leaves()), "its context is no larger"))
                continue
            try:
                answer = await child.send(x)
            except UpstreamError as error:
                failures.append(error)
                # One that was not even asked is none of those whose failure is the answer.
                if (error.meaning not in self._on and not error.skipped) or time.monotonic() >= x.deadline:
                    break
                x.notes["fallback"] = f"{', '.join(child.leaves())}: {error.meaning}"
                if error.meaning == "context_too_long" and (context := _context(child)) < math.inf:
                    too_small = max(too_small, int(context))
            else:
                degraded = next((failure.meaning for failure in failures if _is_worse(failure)), None)
                if degraded is not None:
                    x.degraded = degraded
                return answer
        raise decisive(failures)

    def explain(self, x: Exchange) -> Choice:
        lacking = self.lacking(x)
        choices: list[Choice] = []
        found = False
        for at, child in enumerate(self.children):
            choice = child.explain(x)
            if at in lacking:
                choice = replace(choice, chosen=False, why=f"left out: {lacking[at]}")
            elif found:
                choice = replace(choice, chosen=False, why=f"if those before it fail; {choice.why}")
            found = found or choice.chosen
            choices.append(choice)
        why = f"the first that answers; next on {', '.join(sorted(self._on))}"
        return Choice("fallback", found, why, tuple(choices))


def _is_worse(failure: UpstreamError) -> bool:
    """Whether the one that came next is second best. What is switched off is nobody's first choice."""
    return failure.meaning not in _NO_LESS and not isinstance(failure, TargetOff)


def _context(target: Target) -> float:
    """Tokens that the largest context below holds; infinite where one is unknown."""
    return max(math.inf if reach.context is None else reach.context for reach in target.reaches())
