"""Divide requests over targets by weight, at random or steadily by a tag."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from proxy.choosing.capability import Needs
from proxy.choosing.sticky import salt, steady
from proxy.exchange import Exchange
from proxy.policy import Answer, Choice, CompileContext, Config, Node, Target


class Branch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One side of a split. Weights are shares of their sum; 0 takes no request."""

    weight: float
    target: Any


class SplitConfig(Config, frozen=True):
    """``sticky``: the tag by which a caller keeps its branch; requests without that tag are divided at random."""

    of: tuple[Branch, ...]
    sticky: str | None = None


class Split(Node):
    """One child per request.

    Sticky choices use weighted rendezvous hashing: the same on every replica and after restart, and a changed weight
    moves only as many callers as it must.
    """

    __slots__ = ("_cumulative", "_random", "_salts", "_sticky", "_weights")

    Config = SplitConfig
    shorthand: ClassVar[str] = "of"

    def __init__(
        self,
        children: tuple[Target, ...],
        weights: tuple[float, ...],
        sticky: str | None,
        needs: Callable[[Exchange], Needs],
        pick: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(children, needs)
        self._weights = weights
        self._sticky = sticky
        self._random = pick
        total = sum(weights)
        self._cumulative = tuple(sum(weights[: at + 1]) / total for at in range(len(weights)))
        # By what a branch is, not where it stands: reordering the file moves nobody.
        names = ["+".join(child.leaves()) for child in children]
        self._salts = tuple(salt(name, names[:at].count(name)) for at, name in enumerate(names))

    @classmethod
    def compile(cls, config: SplitConfig, context: CompileContext) -> Target | None:
        kept: list[tuple[Target, float]] = []
        for at, branch in enumerate(config.of):
            child = context.target(branch.target, f"of[{at}].target")
            if child is not None and branch.weight > 0:
                kept.append((child, branch.weight))
        if config.sticky is not None:
            provided = context.provided_tags()
            if provided is not None and config.sticky not in provided:
                context.fail(f"no `tags` policy of this route sets the tag {config.sticky!r}", "sticky")
        if not kept:
            return None
        return cls(tuple(child for child, _ in kept), tuple(weight for _, weight in kept), config.sticky, context.needs)

    def _choose(self, x: Exchange) -> tuple[int, str]:
        """Index of the child, and why. Branches that cannot do what is needed leave their share to the others."""
        subject = x.tags.get(self._sticky) if self._sticky is not None else None
        able = self.able(x)
        if able is not self.children:
            return self._among({id(child) for child in able}, subject)
        if subject is None:
            point = self._random()
            for at, edge in enumerate(self._cumulative):
                if point < edge:
                    return at, "at random"
            return len(self.children) - 1, "at random"
        return self._steady(subject.encode()), f"by {self._sticky}"

    def _among(self, able: set[int], subject: str | None) -> tuple[int, str]:
        """The same among some of the branches."""
        places = [at for at, child in enumerate(self.children) if id(child) in able]
        if subject is not None:
            return self._steady(subject.encode(), places), f"by {self._sticky}"
        point = self._random() * sum(self._weights[at] for at in places)
        for at in places:
            point -= self._weights[at]
            if point < 0:
                return at, "at random"
        return places[-1], "at random"

    def _steady(self, subject: bytes, places: Sequence[int] | None = None) -> int:
        among = range(len(self._salts)) if places is None else places
        return steady(subject, self._salts, self._weights, among)

    async def send(self, x: Exchange) -> Answer:
        at, why = self._choose(x)
        x.notes["split"] = f"{', '.join(self.children[at].leaves())} {why}"
        return await self.children[at].send(x)

    def explain(self, x: Exchange) -> Choice:
        subject = x.tags.get(self._sticky) if self._sticky is not None else None
        lacking = self.lacking(x)
        places = [at for at in range(len(self.children)) if at not in lacking]
        chosen = self._steady(subject.encode(), places) if subject is not None else None
        total = sum(self._weights[at] for at in places)
        choices = []
        for at, child in enumerate(self.children):
            choice = child.explain(x)
            if at in lacking:
                choices.append(replace(choice, chosen=False, why=f"left out: {lacking[at]}"))
                continue
            share = f"{self._weights[at] / total:.1%}"
            if chosen is None:
                why = f"{share} of requests, at random"
            else:
                why = f"{share}; {self._sticky}={subject!r} falls {'here' if at == chosen else 'elsewhere'}"
            choices.append(replace(choice, chosen=chosen in (None, at), why=f"{why}; {choice.why}"))
        found = any(choice.chosen for choice in choices)
        return Choice("split", found, f"sticky by {self._sticky}" if self._sticky else "by weight", tuple(choices))
