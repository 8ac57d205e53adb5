"""What a provider's headers tell of an account's limits: how large they are, what is left, when they are whole again.

Two families are known: OpenAI's (``x-ratelimit-limit-requests``, ``-remaining-…``, ``-reset-…``: a time from now, like
``6m0s``), which many others send too, and Anthropic's (``anthropic-ratelimit-tokens-limit``, …: a moment). Both refill
such limits steadily, and say when they would be whole; so what is left grows between two answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec

from proxy.errors import Header

# Begins the name of each header that tells of limits; a cheap test, made for every header of every answer.
PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")
_OPENAI = re.compile(rb"x-ratelimit-(limit|remaining|reset)-([a-z-]{1,30})")
_ANTHROPIC = re.compile(rb"anthropic-ratelimit-([a-z-]{1,30})-(limit|remaining|reset)")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}
_MINUTE = 60.0  # seconds in which a limit is taken to be whole again, where that is not told
_LONGEST = 86_400.0 * 31
_MOST = 10**15  # more than any limit


class Limit(msgspec.Struct, frozen=True):
    """One limit: its size, what was left of it when that was told, and when it is whole again (``time.monotonic()``).

    ``of_requests``: it counts requests, so those that are under way already are known to be missing.
    """

    size: float
    left: float
    told: float
    whole: float
    of_requests: bool

    def share(self, now: float, in_flight: int) -> float:
        """What is left of it now, as a fraction."""
        if now >= self.whole:
            left = self.size
        else:
            left = self.left + (self.size - self.left) * max(0.0, now - self.told) / (self.whole - self.told)
        if self.of_requests:
            left -= in_flight
        return min(1.0, max(0.0, left / self.size))


class Headroom:
    """The limits of one account that its newest answer told of. Nothing told: everything is left."""

    __slots__ = ("limits",)

    def __init__(self, limits: tuple[Limit, ...] = ()) -> None:
        self.limits = limits

    def share(self, now: float, in_flight: int = 0) -> float:
        """What is left of the tightest limit, as a fraction; 1.0 where nothing is known."""
        return min([limit.share(now, in_flight) for limit in self.limits], default=1.0)


UNKNOWN = Headroom()


def read_headroom(headers: Iterable[Header], told: float, wall: float, before: Headroom = UNKNOWN) -> Headroom:
    """The limits in ``headers``, which came at ``told`` (``time.monotonic()``), ``wall`` on the clock of the world.

    Where only the rest is told, the largest rest so far stands for the limit (``before``: what was read last). What
    cannot be read is as if it had not been sent.
    """
    found: dict[bytes, dict[bytes, str]] = {}
    for name, value in headers:
        if (match := _OPENAI.fullmatch(name)) is not None:
            found.setdefault(match[2], {}).setdefault(match[1], value.decode("latin-1").strip())
        elif (match := _ANTHROPIC.fullmatch(name)) is not None:
            found.setdefault(match[1], {}).setdefault(match[2], value.decode("latin-1").strip())
    limits = []
    for at, (kind, parts) in enumerate(sorted(found.items())):
        left = _number(parts.get(b"remaining"))
        if left is None:
            continue
        size = _number(parts.get(b"limit"))
        if size is None:
            size = max(left, before.limits[at].size if at < len(before.limits) else 0.0)
        if size > 0:
            rest = _rest(parts.get(b"reset"), wall)
            limits.append(Limit(size, min(left, size), told, told + rest, b"requests" in kind))
    return Headroom(tuple(limits))


def _number(text: str | None) -> float | None:
    """A count; None if it is none."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    return float(min(int(text), _MOST))


def _rest(text: str | None, wall: float) -> float:
    """Seconds until a limit is whole again, from ``6m0s``, ``20ms``, ``12`` or ``2026-11-21T08:00:00Z``."""
    if not text:
        return _MINUTE
    if text[-1:] == "Z" or "T" in text:
        try:
            moment = datetime.fromisoformat(text)
            seconds = moment.timestamp() - wall
        except (ValueError, OverflowError):
            return _MINUTE
    else:
        parts = list(_SPAN.finditer(text))
        if not parts or "".join(part[0] for part in parts) != text:
            return _MINUTE
        seconds = sum(float(part[1]) * _SECONDS[part[2]] for part in parts)
        if seconds > wall / 2:  # a moment after all, as some write it
            seconds -= wall
    return min(max(0.001, seconds), _LONGEST)
