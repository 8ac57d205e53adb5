"""What an experiment is: its arms, who takes part and when, and what is counted as success."""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

import msgspec

OutcomeType = Literal["boolean", "number", "label"]
Better = Literal["higher", "lower"]
Value = bool | float | str
LONGEST_LABEL = 100  # characters
LARGEST = 1e12  # of a number, either way

# What is counted of every request, whether a larger figure is a good one, and what it is, for people.
METRICS: dict[str, tuple[Better, str]] = {
    "latency": ("lower", "seconds to the last byte"),
    "first_token": ("lower", "seconds to the first byte of the answer"),
    "cost": ("lower", "dollars a request"),
    "tokens": ("lower", "tokens a request, in and out"),
    "errors": ("lower", "share of requests that failed"),
    "refusals": ("lower", "share of requests whose content was refused"),
    "guardrails": ("lower", "share of requests that a guardrail stopped"),
    "cache_hits": ("higher", "share of requests answered by a cache"),
}


class Outcome(msgspec.Struct, frozen=True):
    """Something that the application tells later. ``good``: the labels that count as 1, all others as 0."""

    type: OutcomeType = "boolean"
    better: Better = "higher"
    primary: bool = False
    good: tuple[str, ...] = ()

    def number(self, value: Value) -> float | None:
        """``value`` as it is counted; None if it is no such value."""
        if self.type == "label":
            return float(value in self.good) if isinstance(value, str) else None
        if self.type == "boolean":
            return float(value) if isinstance(value, bool) else None
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(value) if is_number else None


class Step(msgspec.Struct, frozen=True):
    """From ``at`` (seconds since the epoch) on, this part of all subjects takes part."""

    at: float
    share: float


class Bandit(msgspec.Struct, frozen=True):
    """Weights that follow an outcome: none below ``floor``, new ones ``every`` so many seconds."""

    outcome: str
    floor: float
    every: float


class Plan(msgspec.Struct, frozen=True):
    """One experiment of the file. Times in seconds since the epoch; weights add up to 1.

    ``share`` is the part of all subjects that may ever take part; those are the ones of a ``group`` from ``offset`` on.
    ``guards``: metric or outcome → the part by which it may become worse. ``planned``: subjects of each arm.
    """

    name: str
    route: str
    subject: str
    arms: tuple[str, ...]
    weights: tuple[float, ...]
    control: str
    group: str = ""
    share: float = 1.0
    start: float | None = None
    end: float | None = None
    ramp: tuple[Step, ...] = ()
    outcomes: dict[str, Outcome] = {}
    guards: dict[str, float] = {}
    bandit: Bandit | None = None
    planned: int = 5_000

    @property
    def primary(self) -> str:
        """The outcome, or metric, that decides."""
        named = [name for name, outcome in self.outcomes.items() if outcome.primary]
        return next(iter(named or self.outcomes), "latency")

    def state(self, now: float) -> Literal["planned", "running", "ended"]:
        """Where it stands."""
        if self.start is not None and now < self.start:
            return "planned"
        return "ended" if self.end is not None and now >= self.end else "running"

    def share_at(self, now: float) -> float:
        """The part of all subjects that takes part now, while it runs."""
        if not self.ramp:
            return self.share
        found = 0.0
        for step in self.ramp:
            if now < step.at:
                break
            found = step.share
        return found


class Allocation:
    """The weights in use, in the order of the arms; None while they are those of the file. Outlives a reload."""

    __slots__ = ("weights",)

    def __init__(self) -> None:
        self.weights: tuple[float, ...] | None = None


class Enrolled(msgspec.Struct, frozen=True):
    """An experiment that requests can reach, and its weights if a bandit changes them."""

    plan: Plan
    allocation: Allocation | None = None


def subject_hash(experiment: str, subject: str) -> bytes:
    """What is kept of a subject: the same on every replica, and another for each experiment."""
    return hmac.digest(f"sluicegate experiment {experiment}".encode(), subject.encode(), hashlib.sha256)[:16]
