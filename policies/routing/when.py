"""Choose by conditions on the request: the first branch whose condition holds takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from proxy.choosing.capability import Needs
from proxy.errors import NoBranch, TargetOff
from proxy.exchange import Exchange
from proxy.expression.logic import Logic, negate, possible
from proxy.expression.parse import Condition, parse
from proxy.expression.tokens import ExpressionError
from proxy.expression.values import Sources
from proxy.policy import Answer, Choice, CompileContext, Config, Node, Target


class Branch(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"if_": "if", "else_": "else"}
):
    """``if`` and ``target``; or ``else`` alone, which takes what no condition before it took."""

    if_: str | None = None
    target: Any = None
    else_: Any = None


class WhenConfig(Config, frozen=True):
    """``of``: branches in order. It is written as a plain list."""

    of: tuple[Branch, ...]


class When(Node):
    """One child per request. If that one fails, no other branch is tried: that is what ``fallback`` is for."""

    __slots__ = ("_conditions", "_tests")

    Config = WhenConfig
    shorthand: ClassVar[str] = "of"

    def __init__(
        self,
        children: tuple[Target, ...],
        conditions: tuple[Condition | None, ...],
        needs: Callable[[Exchange], Needs],
    ) -> None:
        super().__init__(children, needs)
        self._conditions = conditions  # by child; None: else
        self._tests = tuple(None if one is None else one.test for one in conditions)

    @classmethod
    def compile(cls, config: WhenConfig, context: CompileContext) -> Target | None:
        sources = Sources(context.needs, context.now, tuple(context.identities().values()), context.provided_tags())
        compiler = _Compiler(context, sources, len(config.of))
        kept = [found for at, branch in enumerate(config.of) if (found := compiler.branch(at, branch)) is not None]
        if not kept:
            return None
        if kept[0][1] is None:  # else alone
            return kept[0][0]
        return cls(tuple(child for child, _ in kept), tuple(condition for _, condition in kept), context.needs)

    def _choose(self, x: Exchange) -> int | None:
        """The first branch whose condition holds. One that is off leaves its requests to the next that matches."""
        for at, test in enumerate(self._tests):
            if (test is None or test(x)) and not (self._switched and self._is_off(at, x)):
                return at
        return None

    def _is_off(self, at: int, x: Exchange) -> bool:
        child = self.children[at]
        reason = child.off(x)
        if reason is not None:
            x.skip(", ".join(child.leaves()), reason)
        return reason is not None

    def _is_meant(self, x: Exchange) -> bool:
        """Whether a branch would take it, were it on."""
        return self._switched and any(test is None or test(x) for test in self._tests)

    async def send(self, x: Exchange) -> Answer:
        at = self._choose(x)
        if at is None and self._is_meant(x):
            raise TargetOff(x.route)
        if at is None:
            raise NoBranch(f"No branch of the route {x.route!r} is meant for such a request.")
        condition = self._conditions[at]
        x.notes["when"] = "else" if condition is None else condition.text
        return await self.children[at].send(x)

    def explain(self, x: Exchange) -> Choice:
        found = self._choose(x)
        choices = []
        for at, (child, condition) in enumerate(zip(self.children, self._conditions, strict=True)):
            choice = child.explain(x)
            if self._switched and child.off(x) is not None:
                why = "else" if condition is None else f"`{condition.text}`"
            elif condition is None:
                why = "else: no condition before it holds" if at == found else "else: a branch before it was chosen"
            else:
                holds = condition.test(x)
                says = "holds" if holds else "does not hold"
                late = ", but a branch before it was chosen" if holds and at != found else ""
                why = f"`{condition.text}` {says}{late} ({condition.seen(x)})"
            choices.append(replace(choice, chosen=choice.chosen and at == found, why=f"{why}; {choice.why}"))
        why = "the first branch whose condition holds"
        if found is None and self._is_meant(x):
            why = "what is meant for this request is switched off"
        elif found is None:
            why = "no branch is meant for this request: 400 no_branch_matches"
        return Choice("when", found is not None and choices[found].chosen, why, tuple(choices))


class _Compiler:
    """Goes through the branches in order and remembers what those before have taken."""

    def __init__(self, context: CompileContext, sources: Sources, count: int) -> None:
        self._context = context
        self._sources = sources
        self._count = count
        self._left: list[Logic] = []  # what is true of a request that no branch so far has taken
        self._known: dict[str, frozenset[str]] = {}

    def branch(self, at: int, branch: Branch) -> tuple[Target, Condition | None] | None:
        """Child and condition (None: else) of one branch; None if it was pruned or has a problem."""
        fail, place = self._context.fail, f"of[{at}]"
        if branch.else_ is not None:
            if branch.if_ is not None or branch.target is not None:
                fail("`else` holds the target itself and stands alone: `- else: provider/model`", place)
            elif at != self._count - 1:
                fail("`else` takes every request, so no branch after it can be reached; it stands last", place)
            elif self._left and not possible(self._left, self._known):
                fail("no request gets here: the branches before take all", f"{place}.else")
            child = self._context.target(branch.else_, f"{place}.else")
            return None if child is None else (child, None)
        if branch.if_ is None or branch.target is None:
            missing = "if" if branch.if_ is None else "target"
            fail(f"`{missing}` is missing; a branch is `if` and `target`, or `else` alone", place)
            return None
        condition = self._condition(branch.if_, f"{place}.if")
        child = self._context.target(branch.target, f"{place}.target")
        return None if child is None or condition is None else (child, condition)

    def _condition(self, text: str, place: str) -> Condition | None:
        try:
            condition = parse(text, self._sources)
        except ExpressionError as error:
            self._context.fail(str(error), place)
            return None
        self._known |= condition.known
        if not possible([*self._left, condition.logic], self._known):
            self._context.fail("no request gets here: the branches before take all that meet this condition", place)
        self._left.append(negate(condition.logic))
        return condition
