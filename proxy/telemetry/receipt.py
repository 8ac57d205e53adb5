"""The receipt of one request: all that was decided about it, as JSON. It is made when somebody asks for it.

Nothing of the request's own text is in it, and no header but those that the gateway adds to answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from proxy.exchange import Exchange
from proxy.ledger.row import Row
from proxy.ledger.shown import decimal
from proxy.limits.limit import Gauge
from proxy.stream import Outcome

CLIENT_LEFT = 499  # nginx's number
_TOKENS = (
    *("input", "cached_read", "cache_write_5m", "cache_write_1h", "input_audio"),
    *("output", "reasoning", "output_audio"),
)
_OURS = (b"x-sluicegate-", b"ratelimit", b"x-ratelimit-", b"retry-after")
_ABOUT_POLICIES = frozenset({"refused_by", "replaced_by"})
_SIZE, _SIZE_OF_ATTEMPT = 2000, 1000  # bytes in memory, about


class PolicyLine(msgspec.Struct, frozen=True):
    """One policy that the request reached. ``verdict``: passed, refused, replaced (the answer), failed, or left while
    it was at work. ``microseconds``: of all its phases, where they are measured."""

    name: str
    verdict: str
    microseconds: float | None
    note: str | None


class AttemptLine(msgspec.Struct, frozen=True):
    """One request to a provider. Times in milliseconds, ``started_ms`` since the request came in. ``tokens`` by class,
    those that are not 0. ``price``: its version; ``source``: reported by the provider, counted, bound or none."""

    target: str
    outcome: str
    reason: str | None
    status: int | None
    started_ms: float
    duration_ms: float
    first_byte_ms: float | None
    tokens: Mapping[str, int]
    cost_usd: str | None
    price: str | None
    source: str | None
    flags: Sequence[str]
    settled: bool


class LimitLine(msgspec.Struct, frozen=True):
    """One limit as it was with this request's reservation. Money in dollars, as texts."""

    level: str
    scope: str
    limit: str
    kind: str
    used: int | str
    left: int | str


class Body(msgspec.Struct, frozen=True):
    """The beginning of a text that was sent, without secrets. ``cut``: there was more."""

    text: str
    cut: bool


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one request. ``end``: complete, cut, crashed, or why it was cancelled (``client_gone`` …)."""

    id: str
    time: str  # when it came in, UTC
    method: str
    path: str
    operation: str | None
    dialect: str | None
    model: str
    route: str
    target: str | None  # who answered
    organisation: str
    team: str
    key: str
    tags: Mapping[str, str]
    generation: int
    status: int
    code: str | None
    end: str
    stream: bool
    bytes: int
    duration_ms: float
    overhead_ms: float
    first_byte_ms: float | None
    policies: Sequence[PolicyLine]
    skipped: Sequence[Mapping[str, str]]
    attempts: Sequence[AttemptLine]
    tokens: Mapping[str, int]
    cost_usd: str
    settled: bool  # False: the provider's usage is still being counted
    variant: str | None
    degraded: str | None
    cache: str | None
    dropped: Sequence[str]
    notes: Mapping[str, str]
    limits: Sequence[LimitLine]
    headers: Mapping[str, str]
    request: Body | None
    response: Body | None


class Text(msgspec.Struct, frozen=True):
    """The beginning of a text as it was sent. ``cut``: there was more."""

    begin: bytes
    cut: bool


class Ended:
    """A request that is over, with what its receipt is made of, and nothing that holds on to its body.

    ``rows`` of the ledger are settled a moment later where tokens have to be counted.
    """

    __slots__ = (
        *("attempts", "bytes", "code", "degraded", "end", "endpoint", "ended", "entered", "first_byte", "generation"),
        *("id", "identity", "limits", "method", "model", "notes", "overhead", "path", "policies", "request"),
        *("response", "route", "seconds", "sent", "size", "skipped", "status", "stream", "tags", "timings", "variant"),
    )

    def __init__(self, x: Exchange, outcome: Outcome | None, end: str | None, seconds: float, now: float) -> None:
        self.id, self.ended, self.seconds = x.request_id, now, seconds
        self.method, self.path, self.model, self.route = x.method, x.path, x.model, x.route
        self.endpoint, self.identity, self.tags, self.generation = x.endpoint, x.identity, x.tags, x.generation
        self.policies, self.entered, self.timings = x.policies, x.entered, x.timings
        self.skipped, self.notes, self.variant, self.degraded = x.skipped, x.notes, x.variant, x.degraded
        self.overhead, self.stream = x.overhead, x.stream
        self.limits = None if x.held is None else (x.held.gauges, x.held.used)
        self.sent = [header for header in x.sent if header[0].startswith(_OURS)]
        self.attempts = [
            (
                *(one.target, one.outcome, one.reason, one.status, one.started - x.received, one.duration),
                *(one.first_byte, None if one.charge is None else one.charge.row),
            )
            for one in x.attempts
        ]
        self.request: Text | None = None
        self.response: Text | None = None
        self.size = _SIZE + _SIZE_OF_ATTEMPT * len(self.attempts) + len(self.path)
        if outcome is None:
            self.status, self.code, self.bytes, self.first_byte = CLIENT_LEFT, None, 0, None
            self.end = end or "cancelled"
            return
        self.status, self.code, self.bytes = outcome.status, outcome.code, outcome.bytes_sent
        self.first_byte = None if outcome.first_byte is None else outcome.first_byte - x.received
        self.end = end or ("complete" if outcome.complete else "cut")

    def keep(self, request: Text | None, response: Text | None) -> None:
        """These texts besides."""
        self.request, self.response = request, response
        self.size += sum(len(one.begin) for one in (request, response) if one is not None)


def made(ended: Ended, show: Callable[[Text], Body | None]) -> Receipt:
    """Its receipt, as far as it is known now. ``show`` makes a text fit to be seen, or hides it."""
    attempts = [_attempt(*one) for one in ended.attempts]
    rows: list[Row] = [one[-1] for one in ended.attempts if one[-1] is not None]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in ended.sent}
    who, notes = ended.identity, ended.notes
    policies = _policies(ended)
    told = {line.name for line in policies if line.note is not None} | _ABOUT_POLICIES
    return Receipt(
        id=ended.id,
        time=_moment(ended.ended - ended.seconds),
        method=ended.method,
        path=ended.path,
        operation=None if ended.endpoint is None else ended.endpoint.operation,
        dialect=None if ended.endpoint is None else ended.endpoint.dialect,
        model=ended.model,
        route=ended.route,
        target=headers.get("x-sluicegate-target"),
        organisation="" if who is None else who.organisation,
        team="" if who is None else who.team,
        key="" if who is None else who.key,
        tags=ended.tags,
        generation=ended.generation,
        status=ended.status,
        code=ended.code,
        end=ended.end,
        stream=ended.stream,
        bytes=ended.bytes,
        duration_ms=_ms(ended.seconds),
        overhead_ms=_ms(ended.overhead),
        first_byte_ms=None if ended.first_byte is None else _ms(ended.first_byte),
        policies=policies,
        skipped=[{"target": target, "reason": reason} for target, reason in ended.skipped],
        attempts=attempts,
        tokens={name: total for name in _TOKENS if (total := sum(getattr(row, name) for row in rows))},
        cost_usd=decimal(sum(row.cost for row in rows)),
        settled=all(one.settled for one in attempts),
        variant=ended.variant or None,
        degraded=ended.degraded or None,
        cache=headers.get("x-sluicegate-cache"),
        dropped=notes["dropped"].split(", ") if notes.get("dropped") else [],
        notes={name: note for name, note in notes.items() if name not in told and name != "dropped"},
        limits=_limits(*ended.limits) if ended.limits is not None else [],
        headers=headers,
        request=None if ended.request is None else show(ended.request),
        response=None if ended.response is None else show(ended.response),
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _attempt(
    target: str,
    outcome: str,
    reason: str | None,
    status: int | None,
    started: float,
    duration: float,
    first_byte: float | None,
    row: Row | None,
) -> AttemptLine:
    is_settled = row is None or row.status != "open"
    return AttemptLine(
        target,
        outcome,
        reason,
        status,
        _ms(started),
        _ms(duration),
        None if first_byte is None else _ms(first_byte),
        {} if row is None else {name: number for name in _TOKENS if (number := getattr(row, name))},
        None if row is None else decimal(row.cost),
        None if row is None else row.price or None,
        None if row is None else row.source or None,
        () if row is None else row.flags.split(),
        is_settled,
    )


def _policies(ended: Ended) -> list[PolicyLine]:
    """Those that the request reached. Who was refused at the door was on no route yet."""
    notes, timings = ended.notes, ended.timings or {}
    refused, replaced = notes.get("refused_by"), notes.get("replaced_by")
    names = ended.policies or ((refused,) if refused else ())
    lines = []
    for at, name in enumerate(names[: ended.entered + 1]):
        verdict = "passed"
        if at == ended.entered:
            verdict = "refused" if name == refused else "failed" if ended.end in ("complete", "cut") else "left"
        elif name == replaced:
            verdict = "replaced"
        nanoseconds = timings.get(name)
        lines.append(
            PolicyLine(name, verdict, None if nanoseconds is None else round(nanoseconds / 1000, 1), notes.get(name))
        )
    return lines


def _limits(gauges: Sequence[Gauge], used: Sequence[int]) -> list[LimitLine]:
    """``Gauge.key`` begins with the level and the scope, of which no name has a blank."""
    lines = []
    for gauge, taken in zip(gauges, used, strict=True):
        level, scope, _ = [*gauge.key.split(" ", 2), "", ""][:3]
        limit = gauge.limit
        left = max(0, limit.amount - taken)
        is_money = limit.kind == "money"
        lines.append(
            LimitLine(
                level,
                scope,
                limit.text,
                limit.kind,
                decimal(taken) if is_money else taken,
                decimal(left) if is_money else left,
            )
        )
    return lines
