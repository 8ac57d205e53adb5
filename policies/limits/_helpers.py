"""What the limits of a caller come to for one model, and how they are told in headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from math import ceil

import msgspec

from proxy.errors import Header
from proxy.limits.limit import SECONDS, SOFT, Gauge, Kind, Rule

_TOKENS: frozenset[Kind] = frozenset({"tokens", "input_tokens", "output_tokens"})
_PERIODS = {**SECONDS, "day": 86_400.0, "month": 2_592_000.0}
_MAX_TAG = 256
Reset = Callable[[int], float | None]


class Plan(msgspec.Struct, frozen=True):
    """Rules that hold for a caller and a model, as gauges. ``per``: which of them each value of a tag has for itself.

    ``most_output``: no token limit here could ever hold more, None if there is none. ``alerts``: by gauge, the amounts
    at which operators are told. ``calm``: by gauge, the amount below which neither that nor ``halves`` matters.
    """

    rules: tuple[Rule, ...]
    actions: tuple[str, ...]
    gauges: tuple[Gauge, ...]
    per: tuple[tuple[int, str], ...]
    counts_tokens: bool
    counts_money: bool
    most_tokens: int | None
    budgets: tuple[tuple[int, int], ...]  # of gauges that count money: their limit
    halves: tuple[tuple[int, int], ...]  # of gauges that count tokens or money: half of the limit
    told: tuple[Told, ...]
    alerts: tuple[tuple[int, tuple[int, ...]], ...]
    calm: tuple[tuple[int, int], ...]

    def gauges_for(self, tags: Mapping[str, str]) -> tuple[Gauge, ...]:
        """The gauges, those that are per tag with the request's."""
        if not self.per:
            return self.gauges
        found = list(self.gauges)
        for at, tag in self.per:
            gauge = found[at]
            found[at] = msgspec.structs.replace(gauge, key=f"{gauge.key} {tags.get(tag, '')[:_MAX_TAG]}")
        return tuple(found)


def plan(rules: Sequence[Rule], model: str, default: str) -> Plan | None:
    """What ``rules`` come to for ``model``; ``default`` is what happens to requests over a limit that does not say."""
    held = tuple(rule for rule in rules if _concerns(rule, model))
    if not held:
        return None
    actions = tuple(rule.over or default for rule in held)
    gauges = tuple(
        Gauge(rule.key, rule.limit, rule.zone, action not in SOFT, rule.is_open)
        for rule, action in zip(held, actions, strict=True)
    )
    kinds = {rule.limit.kind for rule in held}
    lowest = [rule.limit.amount for rule in held if rule.limit.kind in ("tokens", "output_tokens")]
    halves = {
        at: rule.limit.amount // 2
        for at, rule in enumerate(held)
        if rule.limit.kind == "money" or rule.limit.kind in _TOKENS
    }
    alerts = {at: amounts for at, rule in enumerate(held) if (amounts := _amounts(rule))}
    firsts = {at: amounts[0] for at, amounts in alerts.items()}
    return Plan(
        rules=held,
        actions=actions,
        gauges=gauges,
        per=tuple((at, rule.per) for at, rule in enumerate(held) if rule.per),
        counts_tokens=bool(kinds & _TOKENS),
        counts_money="money" in kinds,
        most_tokens=min(lowest, default=None),
        budgets=tuple((at, rule.limit.amount) for at, rule in enumerate(held) if rule.limit.kind == "money"),
        halves=tuple(halves.items()),
        told=told(gauges),
        alerts=tuple(alerts.items()),
        calm=tuple(
            (at, min(found.get(at, amount) for found in (halves, firsts))) for at, amount in (halves | firsts).items()
        ),
    )


def _concerns(rule: Rule, model: str) -> bool:
    return rule.models is None or any(fnmatchcase(model, glob) for glob in rule.models)


def _amounts(rule: Rule) -> tuple[int, ...]:
    return tuple(ceil(share * rule.limit.amount) for share in rule.alerts if rule.limit.kind != "concurrent")


# Headers


class Told(msgspec.Struct, frozen=True):
    """What is constant in the headers about one kind of limit: ``gauges`` are the indices of those that count it."""

    gauges: tuple[tuple[int, int], ...]  # index, limit
    remaining: bytes  # names of headers
    reset: bytes
    limits: dict[int, tuple[Header, bytes]]  # by index: what says the limit, and the policy
    noun: bytes


def told(gauges: Sequence[Gauge]) -> tuple[Told, ...]:
    """What ``rate_limit_headers`` needs to know of these gauges."""
    return tuple(made for noun, kinds in _NOUNS if (made := _told(gauges, noun, kinds)).gauges)


_NOUNS: tuple[tuple[str, frozenset[Kind]], ...] = (("requests", frozenset({"requests"})), ("tokens", _TOKENS))


def _told(gauges: Sequence[Gauge], noun: str, kinds: frozenset[Kind]) -> Told:
    meant = [(at, gauge.limit) for at, gauge in enumerate(gauges) if gauge.limit.kind in kinds and gauge.is_hard]
    limits = {}
    for at, limit in meant:
        window = _PERIODS.get(limit.window)
        policy = f'"{noun}";q={limit.amount}' + (f";w={window:.0f}" if window else "")
        limits[at] = (f"x-ratelimit-limit-{noun}".encode(), b"%d" % limit.amount), policy.encode()
    return Told(
        tuple((at, limit.amount) for at, limit in meant),
        f"x-ratelimit-remaining-{noun}".encode(),
        f"x-ratelimit-reset-{noun}".encode(),
        limits,
        noun.encode(),
    )


def rate_limit_headers(kinds: Sequence[Told], used: Sequence[int], reset: Reset) -> list[Header]:
    """The tightest limit of requests and of tokens: the IETF's ``RateLimit`` fields (draft-ietf-httpapi-ratelimit-
    headers-10) and those that OpenAI sends, whose times are written like ``6m0s``."""
    headers: list[Header] = []
    policies: list[bytes] = []
    states: list[bytes] = []
    for kind in kinds:
        at, amount = kind.gauges[0]
        for other, limit_of in kind.gauges[1:]:
            if used[other] * amount > used[at] * limit_of:
                at, amount = other, limit_of
        left, wait = max(0, amount - used[at]), reset(at) or 0.0
        limit, policy = kind.limits[at]
        policies.append(policy)
        states.append(b'"%b";r=%d;t=%d' % (kind.noun, left, ceil(wait)))
        headers += (limit, (kind.remaining, b"%d" % left), (kind.reset, _spelt(wait)))
    if states:
        headers.append((b"ratelimit-policy", b", ".join(policies)))
        headers.append((b"ratelimit", b", ".join(states)))
    return headers


def _spelt(seconds: float) -> bytes:
    """As OpenAI writes times: ``120ms``, ``1s``, ``6m0s``, ``1h0m0s``."""
    if seconds < 1:
        return b"%dms" % ceil(seconds * 1000)
    whole = ceil(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    if hours:
        return b"%dh%dm%ds" % (hours, minutes, last)
    return b"%dm%ds" % (minutes, last) if minutes else b"%ds" % last


def amount_shown(kind: Kind, amount: int) -> str:
    """For people."""
    return f"${amount / 1e9:,.6f}".rstrip("0").rstrip(".") if kind == "money" else f"{amount:,}"
