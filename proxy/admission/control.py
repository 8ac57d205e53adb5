"""Whether a request is begun at all: decided from its head, by how late the event loop is.

Most requests of an LLM gateway wait for a provider and cost nothing meanwhile, so their number says little. What says
that the process has more to do than it can is a timer that comes late while the processor is busy. While it does, only
so many requests a second are begun as their usual cost allows, a little less while the timer is late and a little more
while it is not; and these are divided over tenants.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict
from collections.abc import Callable
from random import Random
from time import monotonic, process_time
from typing import Any, Literal

import msgspec

from proxy.admission.capacity import Capacity
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
_CUT, _DEEPEST_CUT = 0.95, 0.8  # of the part, per decision: `interval` apart
_RAISE = 0.03  # to the part, per tick
_SMALLEST, _LARGEST = 0.6, 1.1  # part of the capacity that is begun
_FEWEST = 20.0  # requests a second that are always begun: lag that so few meet is not of their making
_BURST, _SMALLEST_BURST = 0.2, 50.0  # seconds of work, requests: what may come at once to a process at rest
_ALONE = 64  # requests in flight that are no crowd
_BUSY = 0.8  # of a core: a process that gets less is late for another reason than its requests
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
    max_lag: float = 0.05
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
        self.excused: Callable[[], bool] = bool  # whether the processor is busy once, with what no request asks again
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
        self._part = 1.0  # of what the process can answer
        self._burst = self._room = self._refill = math.inf  # requests; requests a second
        self._room_at = 0.0
        self._capacity = Capacity()
        self._processor_before = process_time()
        self._served_before = 0
        self._memory_at = 0.0
        self._memory_full = False
        self._watermark = watermark()
        self._due = 0.0
        self._was_excused = False
        self._timer: asyncio.TimerHandle | None = None

    # Per request

    def judge(self, path: bytes, headers: list[Header], client: str, in_flight: int) -> Turned | None:
        """The refusal for a request with this head, or None when it is begun."""
        if not self._watching:
            self.in_flight = in_flight
            if in_flight < self.rules.max_in_flight * _NEARLY and (in_flight <= _ALONE or self._fits()):
                return None
        return self._weigh(path, headers, client, in_flight)

    def _fits(self) -> bool:
        """Whether this request is within what a burst may ask for; else shedding begins with it."""
        now = self._clock()
        room = min(self._burst, self._room + (now - self._room_at) * self._refill)
        self._room_at = now
        if room >= 1.0 or not self.rules.enabled:
            self._room = room - 1.0
            return True
        self._room = room
        self._watching, self._pressed_since = True, now
        self._begin(now)
        return False

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
        self._due, self._processor_before = monotonic() + TICK, process_time()
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def stop(self) -> None:
        """Measure no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        now = monotonic()  # the loop's own time stands still within a turn, which is what is measured
        lag = max(0.0, now - self._due)
        spent = process_time()
        processor, self._processor_before = spent - self._processor_before, spent
        self.look(lag, TICK + lag, processor)
        self._due = now + TICK
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def look(self, lag: float, seconds: float, processor: float) -> None:
        """One measurement: the timer came ``lag`` late, ``seconds`` after the one before, in which the process used
        ``processor`` seconds of a core."""
        now, served = self._clock(), self.served()
        is_excused, was_excused = self.excused(), self._was_excused
        self._was_excused = is_excused
        if is_excused or was_excused:
            self._served_before = served
            return
        self.lag += _WEIGHT_OF_NEW * (lag - self.lag)
        shed, self._shed = self._shed, Counter()
        self._capacity.add(processor, served - self._served_before, shed.total(), seconds)
        self._served_before = served
        if now - self._memory_at >= _SECOND:
            self._memory_at = now
            most = self._watermark if self.rules.max_memory is None else self.rules.max_memory
            self._memory_full = most > 0 and resident() > most
        self._refill = self._capacity.rate(1.0)
        self._burst = max(_SMALLEST_BURST, _BURST * self._refill)
        if self._room == math.inf:
            self._room = self._burst
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
            self._begin(now)
        if self.told is not None:
            self.told(self, shed, lag)

    def _pressed(self) -> bool:
        rules = self.rules
        crowded = self.in_flight >= rules.max_in_flight * _NEARLY
        late = self.lag > rules.max_lag and self._capacity.busy > _BUSY and self.in_flight > _ALONE
        return rules.enabled and (late or self._memory_full or crowded)

    def _begin(self, now: float) -> None:
        """Shedding begins, with less than can be answered: what has piled up wants to be answered too."""
        self.shedding_since = self._refused_at = self._cut_at = now
        self._part = _DEEPEST_CUT
        self._set_limit(pressed=True)
        self._shares.fill(self.limit)

    def _adapt(self, now: float, pressed: bool, seconds: float) -> None:
        if pressed:
            if now - self._cut_at >= self.rules.interval:
                self._cut_at = now
                self._part *= max(_DEEPEST_CUT, min(_CUT, self.rules.max_lag / max(self.lag, 1e-6)))
        elif now - self._refused_at >= _CALM_AFTER or not self.rules.enabled:
            self.shedding_since, self._pressed_since, self._watching = None, None, False
            self.limit = math.inf
            return
        else:
            self._part += _RAISE
        self._part = max(_SMALLEST, min(_LARGEST, self._part))
        self._set_limit(pressed=pressed)
        self._shares.divide(self.limit, seconds)

    def _set_limit(self, *, pressed: bool) -> None:
        # While it is late, what the process uses is all that it gets; else it would get more if it had more to do.
        share = self._capacity.busy if pressed else 1.0
        self.limit = max(_FEWEST, self._part * self._capacity.rate(share))

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
