"""How long a provider asks to wait, in whatever way it says so: headers, a detail of its error, its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

from proxy.errors import Header

MAX_RETRY_AFTER = 300.0  # seconds: what a provider asks for beyond that is not believed, or tried again by then

# OpenAI's and its followers' ("6m0s", "120ms"), and Anthropic's (a time): header of the reset, header of what is left.
_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")
_PART = re.compile(r"(\d{1,9}(?:\.\d{0,9})?)(ms|us|µs|ns|d|h|m|s)")
_WHOLE = re.compile(r"(?:\d{1,9}(?:\.\d{0,9})?(?:ms|us|µs|ns|d|h|m|s)){1,6}")
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_IN_WORDS = re.compile(r"(?:try again|retry) in ((?:\d{1,9}(?:\.\d{0,9})?(?:ms|h|m|s)){1,4})")


def retry_after(headers: list[Header], now: float) -> float | None:
    """Seconds that a provider asks to wait, capped; None if it does not say or makes no sense."""
    given = dict(headers)
    milliseconds = _number(given.get(b"retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000, MAX_RETRY_AFTER)
    text = given.get(b"retry-after")
    seconds = _number(text)
    if seconds is None and text is not None:
        try:
            seconds = max(0.0, parsedate_to_datetime(text.decode("latin-1")).timestamp() - now)
        except (ValueError, OverflowError):
            return None
    return None if seconds is None else min(seconds, MAX_RETRY_AFTER)


def reset_in(told: Sequence[Header], now: float) -> float | None:
    """Seconds until the first limit that is used up is open again, by the headers that tell of limits.

    Where none of them is at zero (the request was larger than what was left) the first of all counts.
    """
    given = dict(told)
    empty: list[float] = []
    others: list[float] = []
    for name, value in told:
        at = name.find(b"-reset")
        if at < 0 or not name.startswith(_PREFIXES):
            continue
        seconds = _moment(value.decode("latin-1").strip(), now)
        if seconds is None:
            continue
        left = given.get(name.replace(b"-reset", b"-remaining", 1))
        (empty if left is not None and left.strip() == b"0" else others).append(seconds)
    found = empty or others
    return min(*found, MAX_RETRY_AFTER) if found else None


def duration(text: str) -> float | None:
    """Seconds of ``6m0s``, ``120ms``, ``47.434392449s`` or a plain number; None for anything else."""
    number = _number(text.encode("utf-8", "replace"))
    if number is not None:
        return number
    if not _WHOLE.fullmatch(text):
        return None
    return sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(text))


def wait_in_words(text: str) -> float | None:
    """Seconds of "Please try again in 7.66s"; ``text`` is lower-case."""
    found = _IN_WORDS.search(text)
    return None if found is None else duration(found[1])


def capped(seconds: float | None) -> float | None:
    """What is believed of it."""
    return None if seconds is None else min(seconds, MAX_RETRY_AFTER)


def _moment(text: str, now: float) -> float | None:
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


def _number(text: bytes | None) -> float | None:
    """A plain non-negative decimal; no sign, no exponent, no infinity."""
    if text is None or not re.fullmatch(rb"\s*\d{1,18}(?:\.\d{0,9})?\s*", text):
        return None
    return float(text)
