"""What a provider's headers tell of an account's limits: how large they are, what is left, when they are whole again.

Two families are known: OpenAI's (``x-ratelimit-limit-requests``, ``-remaining-…``, ``-reset-…``: a time from now, like
``6m0s``), which many others send too, and Anthropic's (``anthropic-ratelimit-tokens-limit``, …: a moment). Both refill
such limits steadily, and say when they would be whole; so what is left grows between two answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import msgspec

from proxy.errors import Header

# Begins the name of each header that tells of limits; a cheap test, made for every header of every answer.
PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")
_OPENAI = re.compile(rb"x-ratelimit-(limit|remaining|reset)-([a-z-]{1,30})")
_ANTHROPIC = re.compile(rb"anthropic-ratelimit-([a-z-]{1,30})-(limit|remaining|reset)")
_PART = re.compile(r"(\d{1,9}(?:\.\d{0,9})?)(ms|us|µs|ns|d|h|m|s)")
_WHOLE = re.compile(r"(?:\d{1,9}(?:\.\d{0,9})?(?:ms|us|µs|ns|d|h|m|s)){1,6}")
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_MINUTE = 60.0  # seconds in which a limit is taken to be whole again, where that is not told
_LONGEST = 86_400.0 * 31
_MOST = 10**15  # more than any limit


class Limit(msgspec.Struct, frozen=True):
    """One limit: its size, and the share that was left of it when it was told; from there it grows to 1 until it is
    ``whole`` (``time.monotonic()``).

    ``each``: the share that one request takes, where requests are counted: those under way are known to be missing.
    """

    size: float
    told_share: float
    told: float
    whole: float
    each: float

    @property
    def slope(self) -> float:
        """Share that comes back in a second."""
        return (1.0 - self.told_share) / (self.whole - self.told)

    @property
    def base(self) -> float:
        """The share at time 0 of the line on which it grows."""
        return self.told_share - self.slope * self.told


def _lines(limits: list[Limit]) -> tuple[tuple[float, float, float], ...]:
    """Base, slope and share of one request, without the limits that another is tighter than all the time."""
    kept: list[Limit] = []
    for limit in sorted(limits, key=lambda limit: (limit.told_share, -limit.each)):
        if not any(other.whole >= limit.whole and other.each >= limit.each for other in kept):
            kept.append(limit)
    return tuple([(limit.base, limit.slope, limit.each) for limit in kept])


class Headroom:
    """The limits of one account that its newest answer told of. Nothing told: everything is left."""

    __slots__ = ("limits", "lines")

    def __init__(self, limits: dict[bytes, Limit] | None = None) -> None:
        self.limits = limits or {}
        self.lines = _lines(list(self.limits.values()))

    def share(self, now: float, in_flight: int = 0) -> float:
        """What is left of the tightest limit, as a fraction; 1.0 where nothing is known, below 0 where more is under
        way than is left."""
        least = 1.0
        for base, slope, each in self.lines:
            left = base + slope * now - each * in_flight
            if left < least:
                least = left
        return least


UNKNOWN = Headroom()


def read_headroom(headers: Iterable[Header], told: float, wall: float, before: Headroom = UNKNOWN) -> Headroom:
    """The limits in ``headers``, which came at ``told`` (``time.monotonic()``), ``wall`` on the clock of the world.

    Where only the rest is told, the largest rest so far stands for the limit (``before``: what was read last). What
    cannot be read is as if it had not been sent.
    """
    found: dict[bytes, dict[bytes, str]] = {}
    for name, value in headers:
        place = _place(name)
        if place is not None:
            found.setdefault(place[0], {})[place[1]] = value.decode("latin-1").strip()
    limits = {}
    for kind, parts in found.items():
        left, size = _number(parts.get(b"remaining")), _number(parts.get(b"limit"))
        if left is None:
            continue
        if size is None:
            known = before.limits.get(kind)
            size = left if known is None else max(left, known.size)
        if size > 0:
            whole = told + _rest(parts.get(b"reset"), wall)
            each = 1.0 / size if b"requests" in kind else 0.0
            limits[kind] = Limit(size, min(1.0, left / size), told, whole, each)
    return Headroom(limits)


@lru_cache(maxsize=256)
def _place(name: bytes) -> tuple[bytes, bytes] | None:
    """What a header limits, and whether it tells ``limit``, ``remaining`` or ``reset``."""
    if (match := _OPENAI.fullmatch(name)) is not None:
        return match[2], match[1]
    if (match := _ANTHROPIC.fullmatch(name)) is not None:
        return match[1], match[2]
    return None


def _number(text: str | None) -> float | None:
    """A count; None if it is none."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    return float(min(int(text), _MOST))


def _rest(text: str | None, wall: float) -> float:
    """Seconds until a limit is whole again; a minute where that cannot be read."""
    seconds = moment(text, wall) if text else None
    return _MINUTE if seconds is None else min(max(0.001, seconds), _LONGEST)


def moment(text: str, now: float) -> float | None:
    """Seconds from now to a moment of RFC 3339, of the epoch, or after a duration."""
    seconds = duration(text)
    if seconds is not None:
        # OpenRouter's is a moment in milliseconds, others' in seconds; no limit lasts for years.
        for unit in (1000, 1):
            if seconds > 1e9 * unit:
                return max(0.0, seconds / unit - now)
        return seconds
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp() - now) if len(text) <= 40 else None
    except (ValueError, OverflowError, OSError):
        return None


def duration(text: str) -> float | None:
    """Seconds of ``6m0s``, ``120ms``, ``47.434392449s`` or a plain number; None for anything else."""
    number = plain_number(text.encode("utf-8", "replace"))
    if number is not None:
        return number
    if not _WHOLE.fullmatch(text):
        return None
    return sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(text))


def plain_number(text: bytes | None) -> float | None:
    """A plain non-negative decimal; no sign, no exponent, no infinity."""
    if text is None or not re.fullmatch(rb"\s*\d{1,18}(?:\.\d{0,9})?\s*", text):
        return None
    return float(text)
