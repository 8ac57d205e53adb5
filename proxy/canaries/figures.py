"""What is counted of one side of a canary: small, of a bounded size, and plain data that can be kept."""

from __future__ import annotations

import math

import msgspec

from proxy.canaries.bounds import mean_bounds, rank_bounds

_WIDTH = math.log(1.02)  # values within 2% are the same
_LEAST, _MOST = 1e-4, 1e5  # seconds
_MOST_REASONS = 20


class Spread(msgspec.Struct):
    """Seconds, by how often each was seen; keys are powers of 1.02."""

    count: int = 0
    seen: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        """One more."""
        key = math.floor(math.log(min(max(seconds, _LEAST), _MOST)) / _WIDTH)
        self.seen[key] = self.seen.get(key, 0) + 1
        self.count += 1

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share lies, to 2%; None if there are none."""
        return math.exp((self._key(max(1, math.ceil(share * self.count))) + 0.5) * _WIDTH) if self.count else None

    def bounds(self, share: float, error: float) -> tuple[float, float]:
        """Between which that quantile is, each side with the probability ``error`` ever (``proxy.canaries.bounds``)."""
        low, high = rank_bounds(self.count, share, error)
        return (
            math.exp(self._key(low) * _WIDTH) if low else 0.0,
            math.exp((self._key(high) + 1) * _WIDTH) if high <= self.count else math.inf,
        )

    def _key(self, rank: int) -> int:
        before = 0
        for key in sorted(self.seen):
            before += self.seen[key]
            if before >= rank:
                return key
        raise AssertionError("there are as many values as were counted")


class Mean(msgspec.Struct):
    """Values of which the mean matters, by Welford's method. ``squares``: the sum of squared distances from it."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """One more."""
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self.squares += distance * (value - self.mean)

    def bounds(self, error: float) -> tuple[float, float]:
        """Between which the mean of all to come is."""
        return mean_bounds(self.count, self.mean, self.squares, error)


class Outcomes(msgspec.Struct):
    """What applications have said of answers: of how many, and how many of them were good."""

    count: int = 0
    good: int = 0

    @property
    def share(self) -> float:
        """Of good ones, 0.0 without any."""
        return self.good / self.count if self.count else 0.0


class Side(msgspec.Struct):
    """One side in one step. ``requests`` that it answered or failed; ``reasons`` of failures, counted; ``latency``
    until answers were whole and ``first_token`` of those that were streamed, in seconds; ``cost`` in dollars;
    ``outcome``: what became of its answers."""

    requests: int = 0
    failures: int = 0
    reasons: dict[str, int] = {}
    latency: Spread = msgspec.field(default_factory=Spread)
    first_token: Spread = msgspec.field(default_factory=Spread)
    cost: Mean = msgspec.field(default_factory=Mean)
    outcome: Outcomes = msgspec.field(default_factory=Outcomes)

    def failed(self, reason: str) -> None:
        """One more, and it failed."""
        self.requests += 1
        self.failures += 1
        if reason in self.reasons or len(self.reasons) < _MOST_REASONS:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    @property
    def error_rate(self) -> float:
        """Share of requests that failed, 0.0 without any."""
        return self.failures / self.requests if self.requests else 0.0
