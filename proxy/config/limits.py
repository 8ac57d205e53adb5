"""Limits of the file as rules: of tenants, of tiers, and of a route's ``quota``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

import msgspec

from proxy.config.model import KeyConfig, OrganisationConfig, TeamConfig, Tier, TiersConfig
from proxy.limits.limit import Downgrade, LimitConfig, Rule
from proxy.limits.rule import parse

Fail = Callable[[str, str], None]  # a sentence, and the path below the list where it belongs


def rules_of(
    entries: Sequence[str | LimitConfig], level: str, scope: str, zone: str, fail: Fail | None = None
) -> tuple[Rule, ...]:
    """Entries of the file, which have the right shape, as rules. Of two for the same counter the second is reported."""
    found: dict[str, Rule] = {}
    for at, entry in enumerate(entries):
        rule = rule_of(entry if isinstance(entry, LimitConfig) else LimitConfig(limit=entry), level, scope, zone)
        known = found.setdefault(rule.key, rule)
        if known is not rule and fail is not None:
            fail(f"{rule.limit.text!r} and {known.limit.text!r} limit the same; keep one of them", f"[{at}]")
    return tuple(found.values())


def rule_of(entry: LimitConfig, level: str, scope: str, zone: str) -> Rule:
    """One entry as a rule."""
    limit = parse(entry.limit)
    over = entry.over_limit
    store_down = entry.store_down or ("closed" if limit.kind == "money" else "open")
    return Rule(
        limit=limit,
        level=level,
        scope=scope,
        models=entry.models,
        per=entry.per or "",
        over="downgrade" if isinstance(over, Downgrade) else over,
        detour=over.downgrade if isinstance(over, Downgrade) else "",
        alerts=tuple(sorted(float(share) for share in entry.alerts)),
        zone=zone,
        is_open=store_down == "open",
    )


class TenantRules(msgspec.Struct, frozen=True):
    """Turns levels of tenants into rules."""

    tiers: TiersConfig
    zone: str

    def of(
        self, config: OrganisationConfig | TeamConfig | KeyConfig, level: str, scope: str, fail: Fail | None = None
    ) -> tuple[Rule, ...]:
        """The rules of one level: its tier's, its budget, its own."""
        rules = rules_of(config.limits, level, scope, self.zone, fail)
        if config.budget is not None:
            rules = self._with_budget(config.budget, rules, level, scope, fail)
        own = {rule.key for rule in rules}
        return rules + tuple(rule for rule in self.of_tier(config.tier, level, scope) if rule.key not in own)

    def _with_budget(
        self, budget: str, rules: tuple[Rule, ...], level: str, scope: str, fail: Fail | None
    ) -> tuple[Rule, ...]:
        made = rule_of(LimitConfig(limit=budget), level, scope, self.zone)
        for at, rule in enumerate(rules):
            if rule.key == made.key:
                if fail is not None:
                    fail(f"{rule.limit.text!r} and the budget {budget!r} limit the same; keep one of them", f"[{at}]")
                return rules
        return (*rules, made)

    def of_issued(self, texts: tuple[str, ...], tier: str, scope: str) -> tuple[Rule, ...]:
        """Of a key that was issued with these limits."""
        rules = rules_of(texts, "key", scope, self.zone)
        own = {rule.key for rule in rules}
        return rules + tuple(rule for rule in self.of_tier(tier or None, "key", scope) if rule.key not in own)

    def detours(self) -> frozenset[str]:
        """Routes to which the limits of tiers lead."""
        rules = (rule for tier in get_args(Tier) for rule in self.of_tier(tier, "key", ""))
        return frozenset(rule.detour for rule in rules if rule.detour)

    def of_tier(self, tier: str | None, level: str, scope: str) -> tuple[Rule, ...]:
        """What a tier is worth to whoever names it."""
        return () if tier is None else rules_of(getattr(self.tiers, tier), level, scope, self.zone)
