"""For how long an answer is kept, by what is asked: the first rule that holds says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from proxy.caching.said import said
from proxy.exchange import Exchange
from proxy.expression.parse import Condition, parse
from proxy.expression.tokens import ExpressionError
from proxy.expression.values import Sources
from proxy.guarding.scanner import Pattern, Patterns, problem
from proxy.policy import CompileContext
from proxy.units import Duration

_ALWAYS = "; write `else`"  # as `when` advises


class TtlRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"if_": "if"}):
    """``if``: a condition as in `when`; ``match``: a regular expression on what the caller says. Both must hold."""

    ttl: Duration
    if_: str | None = None
    match: str | None = None


class Time(NamedTuple):
    """Seconds for which an answer is fresh, and by which rule, "" for none."""

    ttl: float
    rule: str = ""


class _Rule(NamedTuple):
    time: Time
    test: Callable[[Exchange], bool] | None
    match: Patterns | None


class Times:
    """Of one route. ``ttl``: where no rule holds."""

    __slots__ = ("_default", "_rules")

    def __init__(self, ttl: float, rules: Sequence[_Rule] = ()) -> None:
        self._default = Time(ttl)
        self._rules = tuple(rules)

    @classmethod
    def compile(cls, ttl: float, rules: Sequence[TtlRule], context: CompileContext) -> Times:
        """Problems go to ``context.fail``."""
        if not rules:
            return cls(ttl)
        sources = Sources(context.needs, context.now, tuple(context.identities().values()), context.provided_tags())
        found = [_compiled(rule, f"ttl_rules[{at}]", sources, context) for at, rule in enumerate(rules)]
        return cls(ttl, [rule for rule in found if rule is not None])

    def of(self, x: Exchange, body: dict[str, Any]) -> Time:
        """For the answer to ``x``. ``body``: of ``proxy.caching.key.read_body``."""
        text: str | None = None
        for rule in self._rules:
            if rule.test is not None and not rule.test(x):
                continue
            if rule.match is not None:
                text = said(body) if text is None else text
                if not rule.match.scan(text):
                    continue
            return rule.time
        return self._default


def _compiled(rule: TtlRule, at: str, sources: Sources, context: CompileContext) -> _Rule | None:
    condition: Condition | None = None
    if rule.if_ is None and rule.match is None:
        context.fail("`if` or `match` says which answers a rule is for; `ttl` of the policy is for all others", at)
    if rule.if_ is not None:
        try:
            condition = parse(rule.if_, sources)
        except ExpressionError as error:
            context.fail(str(error).replace(_ALWAYS, "; that is what `ttl` of the policy is for"), f"{at}.if")
            return None
    patterns: Patterns | None = None
    if rule.match is not None:
        wrong = problem(rule.match)
        if wrong is not None:
            context.fail(wrong, f"{at}.match")
            return None
        patterns = Patterns([Pattern("ttl", f"(?i){rule.match}")])
    written = " and ".join(text for text in (rule.if_, rule.match) if text is not None)
    return _Rule(Time(float(rule.ttl), written), None if condition is None else condition.test, patterns)


def mixed(fingerprint: bytes, rules: Sequence[TtlRule], template: str | None) -> bytes:
    """``fingerprint``, of which the rules and the version of the prompts are a part: what was kept by others is not
    found by these."""
    if not rules and template is None:
        return fingerprint
    return sha256(fingerprint + msgspec.json.encode([rules, template], enc_hook=float)).digest()
