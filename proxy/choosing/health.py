"""What is known of one target now: whether it may be asked, how quickly it answers, what is left of its limits.

A target is *closed* (works), *open* (ejected: it failed too often), *half open* (its time is over, one request at a
time tries it), *limited* (its provider asked to wait; nothing is broken) or *drained* (an operator wants it left
alone). While everything that a request could use is open, each target is tried once a second nevertheless: nothing is
ever given up for good, and no outage is multiplied.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from proxy.errors import Header, RateLimited, UpstreamError

State = Literal["closed", "open", "half_open", "limited", "drained"]

QUOTA_REST = 300.0  # seconds: what is used up for the day or the month is looked at again after that
TRIAL_EVERY = 1.0  # seconds between requests that try an open target while there is no other
LATENCY_MEMORY = 10.0  # seconds in which an observed latency loses most of its weight
_BUCKETS = 10  # parts of the window in which results are counted
_RECENT = 128  # latencies that are kept for quantiles
_FIRST_REST, _LONGEST_REST = 1.0, 30.0  # seconds: a limit whose end the provider did not tell; doubled each time
# The target itself failed. What the request was at fault for says that the target works.
BROKEN = frozenset({"overloaded", "unavailable", "timeout", "bad_answer", "bad_credential"})


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When a target is ejected. Times in seconds, rates as fractions.

    ``failures``: in a row. ``error_rate``, ``slow_rate``: shares of at least ``min_requests`` within ``window``.
    ``slow_after``: a first token after that counts as slow; None: nothing does. The nth ejection in a row lasts
    n × ``eject``, at most ``max_eject``. Not ``enabled``: the target is always asked, whatever it does.
    """

    enabled: bool = True
    failures: int = 5
    error_rate: float = 0.5
    min_requests: int = 20
    window: float = 30.0
    slow_after: float | None = None
    slow_rate: float = 0.5
    eject: float = 30.0
    max_eject: float = 300.0


class PeakEwma:
    """Seconds, as an average that rises at once and falls slowly (Finagle's peak EWMA): caution comes quickly."""

    __slots__ = ("_at", "_value")

    def __init__(self) -> None:
        self._value = 0.0
        self._at = 0.0

    def observe(self, seconds: float, now: float) -> None:
        """A latency that was seen at ``now`` (``time.monotonic()``)."""
        if seconds >= self._value:
            self._value = seconds
        else:
            weight = math.exp((self._at - now) / LATENCY_MEMORY)
            self._value = self._value * weight + seconds * (1.0 - weight)
        self._at = now

    @property
    def seconds(self) -> float:
        """The average; 0.0 while nothing was seen."""
        return self._value

    @property
    def seen(self) -> float:
        """When something was seen last."""
        return self._at


class _Window:
    """Results of the last ``window`` seconds, in a ring of buckets."""

    __slots__ = ("_counts", "_stamps")

    def __init__(self) -> None:
        self._stamps = [-1] * _BUCKETS
        self._counts: list[list[int]] = [[0, 0, 0] for _ in range(_BUCKETS)]  # all, failed, slow

    def add(self, now: float, width: float, *, failed: bool, slow: bool) -> None:
        stamp = int(now * _BUCKETS / width)
        at = stamp % _BUCKETS
        counts = self._counts[at]
        if self._stamps[at] != stamp:
            self._stamps[at] = stamp
            counts[:] = (0, 0, 0)
        counts[0] += 1
        counts[1] += failed
        counts[2] += slow

    def totals(self, now: float, width: float) -> tuple[int, int, int]:
        oldest = int(now * _BUCKETS / width) - _BUCKETS + 1
        kept = [counts for stamp, counts in zip(self._stamps, self._counts, strict=True) if stamp >= oldest]
        return sum(c[0] for c in kept), sum(c[1] for c in kept), sum(c[2] for c in kept)

    def clear(self) -> None:
        self._stamps = [-1] * _BUCKETS


class Health:
    """One target's, shared by every route that names it; it outlives generations. All times: ``time.monotonic()``.

    ``changed`` is told whenever the target is ejected, limited or drained here, or comes back, to share that with other
    replicas; what they tell comes by ``heard_closed`` and by later ends, and is not told again.
    """

    __slots__ = (
        "_closed_at",
        "_cuts_in_a_row",
        "_failed_in_a_row",
        "_limits_in_a_row",
        "_probing",
        "_recent",
        "_tried_at",
        "_window",
        "changed",
        "drained_until",
        "ejections",
        "first_token",
        "in_flight",
        "last_failure",
        "limited_until",
        "name",
        "open_until",
        "per_token",
        "told",
        "told_at",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.in_flight = 0
        self.first_token = PeakEwma()  # of answers that are not streamed: the whole answer
        self.per_token = PeakEwma()
        self.open_until = 0.0  # 0.0: closed
        self.limited_until = 0.0
        self.drained_until = 0.0
        self.ejections = 0  # in a row
        self.last_failure: str | None = None
        self.told: Sequence[Header] = ()  # the provider's newest headers about limits, and when they came
        self.told_at = 0.0
        self.changed: Callable[[Health], None] | None = None
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._window = _Window()
        self._failed_in_a_row = 0
        self._cuts_in_a_row = 0
        self._limits_in_a_row = 0
        self._closed_at = -math.inf
        self._probing = False
        self._tried_at = -math.inf

    def state(self, now: float) -> State:
        """What stands in the way of a request now; "closed" if nothing does."""
        if self.drained_until > now:
            return "drained"
        if self.limited_until > now:
            return "limited"
        if not self.open_until:
            return "closed"
        return "open" if self.open_until > now else "half_open"

    def usable(self, now: float) -> bool:
        """Whether a request would be sent now, in the ordinary way."""
        if not self.open_until:
            return self.limited_until <= now and self.drained_until <= now
        return self.open_until <= now and not self._probing and self.limited_until <= now and self.drained_until <= now

    def triable(self, now: float) -> bool:
        """Whether it is ejected, and a request for which nothing else is left might try it now."""
        return self.state(now) == "open" and not self._probing and (now - self._tried_at >= TRIAL_EVERY)

    def wait(self, now: float) -> float:
        """Seconds until it may be usable again; 0.0 if it is."""
        return max(0.0, self.open_until - now, self.limited_until - now, self.drained_until - now)

    def admit(self, now: float, *, trial: bool) -> State | None:
        """None if an attempt may begin now, which ``begin`` must follow; else why not.

        ``trial``: nothing else is there for this request, so an open target may be tried once in a while.
        """
        state = self.state(now)
        if state == "closed":
            return None
        if state == "half_open":
            if self._probing:
                return "open"
        elif state != "open" or not trial or self._probing or now - self._tried_at < TRIAL_EVERY:
            return state
        self._probing = True
        self._tried_at = now
        return None

    def begin(self) -> None:
        """An attempt begins."""
        self.in_flight += 1

    def end(self) -> None:
        """An attempt is over, with its body."""
        self.in_flight -= 1

    def answered(self, now: float, seconds: float, rules: Rules) -> None:
        """A good answer began after ``seconds``."""
        self._failed_in_a_row = self._limits_in_a_row = 0
        self.first_token.observe(seconds, now)
        self._recent.append(seconds)
        if self._probing:
            self._close(now)
        slow = rules.slow_after is not None and seconds > rules.slow_after
        self._window.add(now, rules.window, failed=False, slow=slow)
        if slow:
            self._judge(now, rules)

    def failed(self, now: float, error: UpstreamError, rules: Rules) -> None:
        """An attempt failed, before or after its answer had begun."""
        meaning = error.meaning
        if meaning == "rate_limited":
            if rules.enabled:
                is_quota = isinstance(error, RateLimited) and error.is_quota
                self._limit(now, QUOTA_REST if is_quota else error.retry_after)
        elif meaning not in BROKEN:
            if self._probing:
                self._close(now)
            self._failed_in_a_row = 0
        else:
            self.last_failure = meaning
            self.broke(now, rules)

    def broke(self, now: float, rules: Rules) -> None:
        """A failure of the target's own: of an attempt, of a stream half-way, of a check."""
        self._failed_in_a_row += 1
        self._window.add(now, rules.window, failed=True, slow=False)
        if not rules.enabled:
            return
        if self._probing:
            self._open(now, rules)
        elif not self.open_until:  # else it began before the target was ejected, and says nothing new
            self._judge(now, rules)

    def completed(self) -> None:
        """A good answer has come to its end."""
        self._cuts_in_a_row = 0

    def cut(self, now: float, rules: Rules) -> None:
        """A good answer broke off half-way. Counted apart, as each of those began well: in a row up to one that came to
        its end, also over an ejection."""
        self._cuts_in_a_row += 1
        self.broke(now, rules)
        if rules.enabled and not self.open_until and self._cuts_in_a_row >= rules.failures:
            self._open(now, rules)

    def released(self) -> None:
        """An attempt was given up, and says nothing about the target."""
        self._probing = False

    def outlasted(self, now: float, seconds: float) -> None:
        """An attempt was given up after ``seconds``, as another was quicker: it would have taken at least that."""
        self._recent.append(seconds)
        if seconds > self.first_token.seconds:
            self.first_token.observe(seconds, now)

    def eject(self, until: float) -> None:
        """As if its breaker had opened: left until then, then tried."""
        self.open_until = until
        self._probing = False
        self._tell()

    def drain(self, until: float) -> None:
        """An operator wants it left alone until then."""
        self.drained_until = until
        self._tell()

    def heard_closed(self, now: float) -> None:
        """Another replica has found that it works."""
        self.open_until = 0.0
        self._probing = False
        self._closed_at = now
        self._failed_in_a_row = 0
        self._window.clear()

    def readmit(self, now: float) -> None:
        """It is no longer ejected. Its limits, and what an operator wants, stay."""
        if self.open_until:
            self._close(now)

    def restore(self, now: float) -> None:
        """Whatever stood in the way is forgotten."""
        self.limited_until = self.drained_until = 0.0
        self.ejections = self._failed_in_a_row = self._cuts_in_a_row = self._limits_in_a_row = 0
        self._window.clear()
        if self.open_until:
            self.heard_closed(now)
        self._tell()

    def quantile(self, share: float, at_least: int = 1) -> float | None:
        """Seconds within which that share of recent answers began; None with fewer than ``at_least`` of them."""
        if len(self._recent) < max(1, at_least):
            return None
        ordered = sorted(self._recent)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def _limit(self, now: float, retry_after: float | None) -> None:
        self._probing = False
        self._limits_in_a_row += 1
        guessed = min(_LONGEST_REST, _FIRST_REST * 2 ** min(self._limits_in_a_row - 1, 10))
        self.limited_until = max(self.limited_until, now + (guessed if retry_after is None else retry_after))
        self._tell()

    def _judge(self, now: float, rules: Rules) -> None:
        if not rules.enabled:
            return
        if self._failed_in_a_row >= rules.failures:
            self._open(now, rules)
            return
        count, failed, slow = self._window.totals(now, rules.window)
        if count >= rules.min_requests and (
            failed >= rules.error_rate * count or (rules.slow_after is not None and slow >= rules.slow_rate * count)
        ):
            self._open(now, rules)

    def _open(self, now: float, rules: Rules) -> None:
        """Eject. Within ``max_eject`` of the last time, for longer than then."""
        in_a_row = bool(self.open_until) or now - self._closed_at < rules.max_eject
        trial_failed = self._probing and self.open_until > now
        if not trial_failed:  # a try before its time changes nothing
            self.ejections = self.ejections + 1 if in_a_row else 1
            self.open_until = now + min(rules.eject * self.ejections, rules.max_eject)
        self._probing = False
        self._window.clear()
        if not trial_failed:
            self._tell()

    def _close(self, now: float) -> None:
        self.heard_closed(now)
        self._tell()

    def _tell(self) -> None:
        if self.changed is not None:
            self.changed(self)
