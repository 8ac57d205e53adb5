"""Whether a request is begun at all: decided from its head, by how late the event loop is.

Most requests of an LLM gateway wait for a provider and cost nothing meanwhile, so their number says little. What says
that the process has more to do than it can is a timer that comes late. While it does, only so many requests a second
are begun as keep it near its target; that rate is found by adding slowly and cutting quickly, and divided over tenants.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict
from collections.abc import Callable
from random import Random
from time import monotonic
from typing import Any, Literal

import msgspec

from proxy.admission.fairness import Shares
from proxy.admission.memory import resident, watermark
from proxy.admission.refusals import Refusals, Turned
from proxy.errors import Header
from proxy.exchange import Identity

Told = Callable[["Admission", Counter[str], float], None]

TICK = 0.05
_SECOND = 1.0
# Of a new measurement in the smoothed lag: a timer meets a long turn of the loop anywhere between its begin and end.
_WEIGHT_OF_NEW = 0.3
_CUT, _DEEPEST_CUT, _KEEP, _RAISE = 0.9, 0.5, 0.6, 0.03  # per decision; cuts are `interval` apart, raises one tick
_FEWEST = 50.0  # requests a second that are always begun: lag that so few meet is not of their making
_CALM_AFTER = 1.0  # seconds in which nobody was refused
_NEARLY = 0.9  # of the highest number in flight: from here on it is divided fairly
_MAX_CALLERS = 4096
_OPERATIONS = frozenset({b"/healthz", b"/readyz", b"/metrics"})
_ADMIN = b"/admin"
_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key"})


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When a process counts as overloaded, and how it shares then. ``max_memory`` None: by the container's limit."""

    enabled: bool = True
    max_in_flight: int = 5000
    max_lag: float = 0.02
    interval: float = 0.1
    max_memory: int | None = None
    share_by: Literal["organisation", "team", "key"] = "organisation"
    weights: dict[str, float] = {}


class Admission:
    """State of one process, which outlives reloads: ``rules`` may be replaced at any time.

    ``judge`` is called with each head, before anything else is spent on it. ``told`` hears once a tick what happened.
    """

    def __init__(self, rules: Rules, *, clock: Callable[[], float] = monotonic, random: Random | None = None) -> None:
        self.rules = rules
        self.told: Told | None = None
        self.served: Callable[[], int] = int  # answers since the start, refusals apart
        self.lag = 0.0  # seconds, smoothed
        self.limit = math.inf  # requests a second
        self.shedding_since: float | None = None
        self.in_flight = 0  # at the last look
        self._clock = clock
        self._shares = Shares()
        self._refusals = Refusals(random or Random())  # noqa: S311 - spreads retries, guards nothing
        self._callers: OrderedDict[int, tuple[str, float]] = OrderedDict()
        self._shed: Counter[str] = Counter()
        self._watching = False
        self._pressed_since: float | None = None
        self._cut_at = 0.0
        self._refused_at = 0.0
        self._admitted = 0
        self._admitted_rate = 0.0
        self._rate = 0.0  # answers a second, smoothed
        self._served_before = 0
        self._memory_at = 0.0
        self._memory_full = False
        self._watermark = watermark()
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # Per request

    def judge(self, path: bytes, headers: list[Header], client: str, in_flight: int) -> Turned | None:
        """The refusal for a request with this head, or None when it is begun."""
        if not self._watching:
            self.in_flight = in_flight
            if in_flight < self.rules.max_in_flight * _NEARLY:
                return None
        return self._weigh(path, headers, client, in_flight)

    def _weigh(self, path: bytes, headers: list[Header], client: str, in_flight: int) -> Turned | None:
        if not self.rules.enabled or path in _OPERATIONS or path.startswith(_ADMIN):
            return None
        self.in_flight = in_flight
        key, weight = self._caller(headers, client)
        tenant = self._shares.count(key, weight)
        if in_flight >= self.rules.max_in_flight:
            return self._refuse(path, "in_flight")
        if self.shedding_since is not None:
            if tenant.tokens < 1.0:
                return self._refuse(path, "memory" if self._memory_full else "lag")
            tenant.tokens -= 1.0
        self._admitted += 1
        return None

    def _refuse(self, path: bytes, reason: str) -> Turned:
        self._shed[reason] += 1
        now = self._clock()
        self._refused_at = now
        lasting = 0.0 if self.shedding_since is None else now - self.shedding_since
        # What lasts will last: wait for a tenth of it. Everybody adds a random part.
        return self._refusals.of(path.decode("latin-1"), 1.0 + lasting / 10)

    def _caller(self, headers: list[Header], client: str) -> tuple[str, float]:
        """Whose share this request takes. Who has not shown a good key before counts by its address."""
        credential = _credential(headers)
        if credential is not None and (known := self._callers.get(credential)) is not None:
            return known
        return "@" + client, 1.0

    def learn(self, headers: list[Header], identity: Identity) -> None:
        """These headers were found to prove this identity. What is kept is a keyed hash, not the key."""
        credential = _credential(headers)
        if credential is None or credential in self._callers:
            return
        if len(self._callers) >= _MAX_CALLERS:
            self._callers.popitem(last=False)
        rules = self.rules
        name = identity.organisation
        if rules.share_by != "organisation":
            name += "/" + identity.team + ("/" + identity.key if rules.share_by == "key" else "")
        self._callers[credential] = name, float(rules.weights.get(identity.tier, 1.0))

    def replace(self, rules: Rules) -> None:
        """Take over what the file says now. Rates and demands stay."""
        if (rules.share_by, rules.weights) != (self.rules.share_by, self.rules.weights):
            self._callers.clear()
            self._shares.clear()
        self.rules = rules

    # Per tick

    def start(self) -> None:
        """Begin to measure, on the running loop."""
        self._due = monotonic() + TICK
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def stop(self) -> None:
        """Measure no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        now = monotonic()  # the loop's own time stands still within a turn, which is what is measured
        lag = max(0.0, now - self._due)
        self.look(lag, TICK + lag)
        self._due = now + TICK
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def look(self, lag: float, seconds: float) -> None:
        """One measurement: the timer came ``lag`` late, ``seconds`` after the one before."""
        now = self._clock()
        self.lag += _WEIGHT_OF_NEW * (lag - self.lag)
        served = self.served()
        self._rate += _WEIGHT_OF_NEW * ((served - self._served_before) / seconds - self._rate)
        self._served_before = served
        if now - self._memory_at >= _SECOND:
            self._memory_at = now
            most = self._watermark if self.rules.max_memory is None else self.rules.max_memory
            self._memory_full = most > 0 and resident() > most
        self._admitted_rate += _WEIGHT_OF_NEW * (self._admitted / seconds - self._admitted_rate)
        pressed = self._pressed()
        if self._watching:
            self._shares.measure(seconds)
        if self.shedding_since is not None:
            self._adapt(now, pressed, seconds)
        elif not pressed:
            self._watching, self._pressed_since = False, None
        elif not self._watching:
            self._watching, self._pressed_since = True, now
        elif self._pressed_since is not None and now - self._pressed_since >= self.rules.interval:
            self._begin(now, seconds)
        self._admitted = 0
        if self.told is not None:
            shed, self._shed = self._shed, Counter()
            self.told(self, shed, lag)

    def _pressed(self) -> bool:
        rules = self.rules
        crowded = self.in_flight >= rules.max_in_flight * _NEARLY
        return rules.enabled and (self.lag > rules.max_lag or self._memory_full or crowded)

    def _begin(self, now: float, seconds: float) -> None:
        """Shedding begins, at what was served so far; where answers take long, at a quarter of what came in."""
        self.shedding_since = self._refused_at = self._cut_at = now
        self.limit = max(_FEWEST, self._rate, self._admitted / seconds / 4)
        self._shares.fill(self.limit)

    def _adapt(self, now: float, pressed: bool, seconds: float) -> None:
        if pressed:
            if now - self._cut_at >= self.rules.interval:
                self._cut_at = now
                cut = max(_DEEPEST_CUT, min(_CUT, self.rules.max_lag / max(self.lag, 1e-6)))
                # What is answered now was begun before: far below that rate only time is lost.
                self.limit = max(_FEWEST, self._rate * _KEEP, min(self.limit, self._admitted_rate * 1.5) * cut)
        elif now - self._refused_at >= _CALM_AFTER or not self.rules.enabled:
            self.shedding_since, self._pressed_since, self._watching = None, None, False
            self.limit = math.inf
            return
        else:
            self.limit += max(1.0, _RAISE * self.limit)
        self._shares.divide(self.limit, seconds)

    def overloaded_for(self) -> float:
        """Seconds since shedding began; 0 when there is none."""
        return 0.0 if self.shedding_since is None else self._clock() - self.shedding_since


def _credential(headers: list[Header]) -> int | None:
    for name, value in headers:
        if name in _CREDENTIALS:
            return hash(value)
    return None


def state(admission: Admission) -> dict[str, Any]:
    """What ``/readyz`` says while requests are refused."""
    return {"lag_ms": round(admission.lag * 1000, 1), "requests_per_second": round(admission.limit, 1)}
