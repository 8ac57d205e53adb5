"""Tiers in order: the first in which enough targets are usable answers, the next takes what it cannot."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from msgspec.structs import replace

from policies.routing._helpers import GO_ON, By
from proxy.choosing.capability import Needs
from proxy.errors import UpstreamError, decisive
from proxy.exchange import Exchange
from proxy.policy import Answer, Choice, CompileContext, Config, Node, Target
from proxy.units import Percent

# After these a lower tier is not second best: it is the first that can do what was asked.
_NO_LESS = frozenset({"context_too_long", "unsupported"})


class PriorityConfig(Config, frozen=True):
    """``of``: tiers, each a target or a list of equals; ``by``: how those are chosen between; ``threshold``: the share
    of a tier's targets that must be usable (0: any one); ``affinity``: that of ``balance``, for tiers of equals.

    A plain list stands for ``of``.
    """

    of: tuple[Any, ...]
    by: By = "latency"
    threshold: Percent = Percent(0)
    affinity: Any = None


class Priority(Node):
    """Tiers from the first choice down. A tier with too few usable targets is passed over before it is asked, and
    comes back last, if no other tier answers: what little is left of it is better than a refusal."""

    __slots__ = ("_below", "_threshold")

    Config = PriorityConfig
    shorthand: ClassVar[str] = "of"

    def __init__(self, tiers: tuple[Target, ...], threshold: float, needs: Callable[[Exchange], Needs]) -> None:
        super().__init__(tiers, needs)
        self._threshold = threshold
        # By tier: what is known of its targets, and how many usable ones are enough; at least one.
        self._below = {id(tier): (tier.healths(), max(1.0, threshold * len(tier.healths()))) for tier in tiers}

    @classmethod
    def compile(cls, config: PriorityConfig, context: CompileContext) -> Target | None:
        tiers = []
        ways = {"by": config.by} | ({} if config.affinity is None else {"affinity": config.affinity})
        for at, item in enumerate(config.of):
            place = f"of[{at}]"
            value = {"balance": {**ways, "of": item}} if isinstance(item, list) else item
            tier = context.target(value, place)
            if tier is not None:
                tiers.append(tier)
        if len(tiers) < 2:  # one tier needs no order; none is no target
            return tiers[0] if tiers else None
        return cls(tuple(tiers), float(config.threshold), context.needs)

    async def send(self, x: Exchange) -> Answer:
        now = time.monotonic()
        tiers = self.able(x)
        chosen = [tier for tier in tiers if self._has_enough(tier, now)]
        first = tiers[0]
        reason = "" if chosen and chosen[0] is first else _passed_over(first, now)
        failures: list[UpstreamError] = []
        for tier in [*chosen, *[tier for tier in tiers if tier not in chosen]]:
            try:
                answer = await tier.send(x)
            except UpstreamError as error:
                failures.append(error)
                if error.meaning not in GO_ON or time.monotonic() >= x.deadline:
                    break
                if not reason and error.meaning not in _NO_LESS:
                    reason = error.meaning
            else:
                if tier is not first:
                    x.notes["priority"] = f"tier {self.children.index(tier) + 1}: {', '.join(tier.leaves())}"
                    x.degraded = reason or x.degraded
                return answer
        raise decisive(failures)

    def _has_enough(self, tier: Target, now: float) -> bool:
        healths, enough = self._below[id(tier)]
        for health in healths:
            if health.usable(now):
                enough -= 1
                if enough <= 0:
                    return True
        return False

    def explain(self, x: Exchange) -> Choice:
        now = time.monotonic()
        lacking = self.lacking(x)
        choices: list[Choice] = []
        found = False
        for at, tier in enumerate(self.children):
            choice = tier.explain(x)
            healths, _ = self._below[id(tier)]
            usable = sum(health.usable(now) for health in healths)
            share = f"{usable} of {len(healths)} usable"
            if at in lacking:
                choice = replace(choice, chosen=False, why=f"left out: {lacking[at]}")
            elif not self._has_enough(tier, now):
                less = f"less than {self._threshold:.0%}" if usable else "none"
                choice = replace(choice, chosen=False, why=f"passed over: {share}, {less}; {choice.why}")
            elif found:
                choice = replace(choice, chosen=False, why=f"if those before it fail; {share}; {choice.why}")
            else:
                choice = replace(choice, why=f"the first tier with enough targets: {share}; {choice.why}")
            found = found or choice.chosen
            choices.append(choice)
        enough = f"at least {self._threshold:.0%}" if self._threshold else "any"
        return Choice("priority", found, f"the first tier of whose targets {enough} are usable", tuple(choices))


def _passed_over(tier: Target, now: float) -> str:
    """Why a tier was not asked, as a meaning of failure."""
    states = {health.state(now) for health in tier.healths() if not health.usable(now)}
    return "rate_limited" if states == {"limited"} else "unavailable"
