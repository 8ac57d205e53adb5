"""Limits of requests, tokens, money and concurrency: reserved before a request is sent, settled when it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Self

from policies.limits._helpers import Plan, amount_shown, plan, rate_limit_headers, told
from proxy.choosing.capability import AS_IT_IS, Growth
from proxy.errors import Header
from proxy.exchange import Charge, Exchange, Identity, Reply
from proxy.limits.limit import Amounts, Downgrade, Gauge, Held, LimitConfig, Over, OverLimit, Rule, Unavailable
from proxy.policy import Answer, CompileContext, Config, Policy, Target
from proxy.price import Price
from proxy.units import Duration
from proxy.waiting.turns import Turns

_MAX_PLANS = 10_000
_MAX_TOLD = 100_000
_FRESH = 2.0  # seconds for which a price is not looked up again
_POLL = 0.25  # seconds after which it is looked again whether another process has left a place
_UNCHANGED = frozenset({AS_IT_IS})
_FAILED = frozenset({429, 500, 502, 503, 504})  # what a caller is told who got nothing


class QuotaConfig(Config, frozen=True):
    """See ``schemas/policies/quota.json``."""

    over_limit: OverLimit | Downgrade = "reject"
    limits: tuple[str | LimitConfig, ...] = ()
    max_wait: Duration = Duration(30)
    max_waiting: int = 1000
    output_tokens: int = 4096


class Reservation:
    """What one request holds until it is known what it has cost."""

    __slots__ = ("failed", "held", "left")

    def __init__(self, held: Held) -> None:
        self.held = held
        self.failed = False
        self.left = 0  # charges that are not settled yet


class Quota(Policy):
    """Counts a request in all limits of its caller and of the route, or in none.

    Tokens of a request are first bounded by its bytes, which costs nothing; only where that does not fit, or little is
    left, they are counted.
    """

    __slots__ = (
        "_config",
        "_context",
        "_counters",
        "_default",
        "_detours",
        "_growths",
        "_keys",
        "_near",
        "_plans",
        "_prices",
        "_rules",
        "_slot",
        "_told",
        "_turns",
    )

    Config = QuotaConfig

    def __init__(self, config: QuotaConfig, context: CompileContext) -> None:
        self._config = config
        self._context = context
        self._counters = context.counters()
        self._slot = context.slot()
        over = config.over_limit
        self._default = "downgrade" if isinstance(over, Downgrade) else over
        self._rules = context.rules(config.limits, "route", context.route, "limits")
        self._keys = context.identities()
        self._detours: dict[str, Callable[[], Target] | None] = {}
        self._plans: dict[tuple[Identity | None, str], Plan | None] = {}
        self._prices: dict[str, tuple[float, frozenset[Price | None]]] = {}  # by model, until when they count
        self._growths: frozenset[Growth] | None = None  # of the route's targets, once all of them are compiled
        self._near: set[str] = set()  # gauges of which little is left: tokens are counted before they are reserved
        self._told: dict[str, int] = context.shared("alerts of limits", dict)
        self._turns = Turns()

    @classmethod
    def compile(cls, config: QuotaConfig, context: CompileContext) -> Self:
        made = cls(config, context)
        if isinstance(config.over_limit, Downgrade):
            made._detours[""] = context.detour(config.over_limit.downgrade, "over_limit.downgrade")
        for at, rule in enumerate(made._rules):
            if rule.detour:
                made._detours[rule.detour] = context.detour(rule.detour, f"limits[{at}].over_limit.downgrade")
        for name in context.identities().detours():
            if name == context.route:
                made._detours[name] = None  # who is sent there is there
            elif name not in made._detours:
                made._detours[name] = context.detour(name)
        return made

    def gauges(self, identity: Identity | None, model: str, tags: Mapping[str, str]) -> tuple[Gauge, ...]:
        """Which of them count a request of that caller."""
        found = self._plan_of(identity, model)
        return () if found is None else found.gauges_for(tags)

    def all_rules(self) -> tuple[Rule, ...]:
        """Limits of the route, and of all callers."""
        rules = {rule.key: rule for identity in self._keys.values() for rule in identity.rules}
        return (*self._rules, *rules.values())

    # Request

    async def on_request(self, x: Exchange) -> Reply | None:
        found = self._plan_of(x.identity, x.model)
        if found is None:
            return None
        gauges = found.gauges_for(x.tags)
        try:
            amounts, taken = await self._reserve(x, found, gauges)
            if isinstance(taken, Over) and found.actions[taken.gauge] == "queue":
                taken = await self._wait(x, found, gauges, amounts, taken)
        except Unavailable:
            return x.refuse(
                503, "limits_unavailable", "Limits cannot be checked at the moment.", headers=((b"retry-after", b"1"),)
            )
        except UnknownPrice as unknown:
            return x.refuse(403, "unknown_price", str(unknown), param="model")
        if isinstance(taken, Over):
            return self._refusal(x, found, gauges, taken)
        x.state[self._slot] = Reservation(taken)
        self._note(x, found, taken)
        return None

    def _plan_of(self, identity: Identity | None, model: str) -> Plan | None:
        key = (identity, model)
        if key not in self._plans:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            rules = self._rules if identity is None else identity.rules + self._rules
            self._plans[key] = plan(rules, model, self._default)
        return self._plans[key]

    async def _reserve(self, x: Exchange, found: Plan, gauges: tuple[Gauge, ...]) -> tuple[Amounts, Held | Over]:
        if not (found.counts_tokens or found.counts_money):
            amounts = Amounts()
            return amounts, await self._take(x, found, gauges, amounts)
        tokens, output = self._context.bound(x)
        is_exact = bool(self._near) and any(gauge.key in self._near for gauge in gauges)
        if is_exact:
            tokens = await self._context.count_input(x)
        amounts = self._amounts(x, found, tokens, output)
        taken = await self._take(x, found, gauges, amounts)
        if isinstance(taken, Over) and not is_exact:
            amounts = self._amounts(x, found, await self._context.count_input(x), output)
            taken = await self._take(x, found, gauges, amounts)
        return amounts, taken

    async def _take(self, x: Exchange, found: Plan, gauges: tuple[Gauge, ...], amounts: Amounts) -> Held | Over:
        """Where others wait for the same, who comes now is behind them, even if it would fit."""
        if self._turns:
            for at, gauge in enumerate(gauges):
                if found.actions[at] == "queue" and gauge.key in self._turns:
                    return Over(at, (await self._counters.look([gauge]))[0], 0.0)
        return await self._counters.reserve(x.request_id, gauges, amounts)

    def _amounts(self, x: Exchange, found: Plan, tokens: int, output: int | None) -> Amounts:
        """What the request may take at most."""
        if self._growths is None:
            self._growths = self._context.root().growths()
        if output is None:
            output = self._config.output_tokens
            if found.most_tokens is not None:  # else a limit below the default would never admit such a request
                added = max(growth.input for growth in self._growths)
                output = max(1, min(output, found.most_tokens - tokens - added))
        x.bound = (tokens, output)
        if self._growths != _UNCHANGED:
            tokens, output = self._context.grown(x, x.bound, self._growths)
        money = self._dearest(x, tokens, output) if found.counts_money else 0
        return Amounts(1, tokens, output, money)

    def _dearest(self, x: Exchange, tokens: int, output: int) -> int:
        prices = self._prices_of(x.model)
        if None in prices and self._context.refuses_unknown_price:
            message = f"The price of {x.model!r} is not known, and this key has a budget; the file can say it."
            raise UnknownPrice(message)
        return max((price.bound(tokens, output) for price in prices if price is not None), default=0)

    def _prices_of(self, model: str) -> frozenset[Price | None]:
        """What the route's targets cost now, looked up every few seconds: prices have dates."""
        now = time.monotonic()
        known = self._prices.get(model)
        if known is None or known[0] < now:
            if len(self._prices) >= _MAX_PLANS:
                self._prices.clear()
            known = self._prices[model] = now + _FRESH, self._context.root().prices(model)
        return known[1]

    def _note(self, x: Exchange, found: Plan, held: Held) -> None:
        """What the caller is told, and operators; where the request goes."""
        x.held = held
        for at in held.over:
            self._over(x, found.rules[at], found.actions[at])
        used = held.used
        if found.budgets:
            x.budget_left = min(100.0 * max(0, amount - used[at]) / amount for at, amount in found.budgets)
        if self._told or self._near or any(used[at] >= amount for at, amount in found.calm):
            self._watch(found, held.gauges, used)
        x.reply_headers += rate_limit_headers(found.told, held.used, held.reset)

    def _watch(self, found: Plan, gauges: Sequence[Gauge], used: Sequence[int]) -> None:
        """Much is used of a limit, or was before."""
        for at, amounts in found.alerts:
            if used[at] >= amounts[0] or self._told:
                self._alert(found.rules[at], gauges[at], used[at], amounts)
        for at, half in found.halves:
            if used[at] > half:
                self._near.add(gauges[at].key) if len(self._near) < _MAX_TOLD else self._near.clear()
            elif self._near:
                self._near.discard(gauges[at].key)

    def _over(self, x: Exchange, rule: Rule, action: str) -> None:
        """Over a limit that lets it pass."""
        x.notes["quota"] = f"over {rule.limit.text} of {rule.level} {rule.scope}: {action}"
        self._context.tell("limit.over", action=action, level=rule.level, scope=rule.scope, limit=rule.limit.text)
        if action == "downgrade":
            detour = self._detours.get(rule.detour if rule.detour in self._detours else "")
            if detour is not None:
                x.detour, x.degraded = detour(), "over_limit"

    def _alert(self, rule: Rule, gauge: Gauge, used: int, amounts: tuple[int, ...]) -> None:
        """Tell operators once for each share of a limit, and again after it has been below the first."""
        told = self._told.get(gauge.key, 0)
        reached = sum(used >= amount for amount in amounts)
        if reached == told:
            return
        if len(self._told) >= _MAX_TOLD:
            self._told.clear()
        self._told[gauge.key] = reached
        if reached > told:
            self._context.tell(
                "limit.alert",
                level=rule.level,
                scope=rule.scope,
                limit=rule.limit.text,
                window=rule.limit.window,
                models=" ".join(rule.models or ()),
                share=rule.alerts[reached - 1],
                used=amount_shown(rule.limit.kind, used),
            )

    # Over the limit

    async def _wait(
        self, x: Exchange, found: Plan, gauges: tuple[Gauge, ...], amounts: Amounts, over: Over
    ) -> Held | Over:
        """Wait in the line of the limit that refused, first come first served."""
        began = time.monotonic()
        until = min(x.deadline, began + self._config.max_wait)
        pause = _pause(gauges, over, until - began)
        if len(self._turns) >= self._config.max_waiting or pause is None:
            return over
        taken: Held | Over = over

        async def look() -> float | None:
            nonlocal taken
            taken = await self._counters.reserve(x.request_id, gauges, amounts)
            if isinstance(taken, Held) or found.actions[taken.gauge] != "queue":
                return None
            return _pause(gauges, taken, until - time.monotonic())

        x.meter.waiting(x.route, 1)
        try:
            await self._turns.stand(gauges[over.gauge].key, pause, until - began, look)
            return taken
        finally:
            seconds = time.monotonic() - began
            x.upstream_wait += seconds
            x.meter.waiting(x.route, -1)
            x.meter.waited(x.route, "sent" if isinstance(taken, Held) else "refused_wait", seconds)

    def _refusal(self, x: Exchange, found: Plan, gauges: tuple[Gauge, ...], over: Over) -> Reply:
        rule = found.rules[over.gauge]
        limit = rule.limit
        wait = over.wait if limit.kind != "concurrent" else 1.0
        code = "budget_exhausted" if limit.kind == "money" else "rate_limited"
        self._context.tell("limit.over", action="reject", level=rule.level, scope=rule.scope, limit=limit.text)
        x.notes["quota"] = f"over {limit.text} of {rule.level} {rule.scope}: rejected"
        used = amount_shown(limit.kind, over.level.used)
        message = f"Over the limit of {limit.text} of this {rule.level}: {used} used."
        if wait is None:
            message += (
                " Waiting will not help." if limit.window == "total" else " The request is larger than it allows."
            )
        headers: tuple[Header, ...] = () if wait is None else ((b"retry-after", b"%d" % max(1, ceil(wait))),)
        gauge = gauges[over.gauge]
        headers += tuple(rate_limit_headers(told([gauge]), [over.level.used], lambda _: over.level.reset))
        return x.refuse(429, code, message, headers=headers)

    # Afterwards

    def on_response(self, x: Exchange, answer: Answer) -> None:
        reservation: Reservation | None = x.state[self._slot]
        if reservation is not None and answer.status in _FAILED:
            reservation.failed = True

    def on_close(self, x: Exchange) -> None:
        reservation: Reservation | None = x.state[self._slot]
        if reservation is None:
            return
        charges = [attempt.charge for attempt in x.attempts if attempt.charge is not None]
        waits = [charge for charge in charges if not charge.is_settled]
        reservation.left = len(waits)

        def settled() -> None:
            reservation.left -= 1
            if reservation.left <= 0:
                self._counters.settle(reservation.held, _used(charges, reservation))
                self._turns.wake()

        for charge in waits:
            charge.then(settled)
        if not waits:
            settled()

    def explain(self, x: Exchange) -> str:
        reservation: Reservation | None = x.state[self._slot]
        if reservation is None:
            return "no limit applies"
        held = reservation.held
        amounts = held.amounts
        text = f"reserves 1 request in {len(held.gauges)} limits"
        if amounts.input or amounts.output:
            text += f", at most {amounts.input:,} + {amounts.output:,} tokens"
        if amounts.money:
            text += f", at most {amount_shown('money', amounts.money)}"
        listed = ", ".join(
            dict.fromkeys(f"{gauge.limit.text} ({gauge.key.partition(' ')[0]})" for gauge in held.gauges)
        )
        return f"{text}: {listed}"


def _used(charges: list[Charge], reservation: Reservation) -> Amounts:
    requests = 0 if reservation.failed else 1
    if len(charges) == 1:
        (charge,) = charges
        return Amounts(requests, charge.input_tokens, charge.output_tokens, charge.cost)
    return Amounts(
        requests,
        sum(charge.input_tokens for charge in charges),
        sum(charge.output_tokens for charge in charges),
        sum(charge.cost for charge in charges),
    )


def _pause(gauges: tuple[Gauge, ...], over: Over, left: float) -> float | None:
    """Seconds after which to look again; None if it is not worth it."""
    if gauges[over.gauge].limit.kind == "concurrent":
        return _POLL
    return over.wait if over.wait is not None and over.wait <= left else None


class UnknownPrice(Exception):
    """A request under a money limit, of which nobody knows the price."""
