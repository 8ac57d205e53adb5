"""How long a provider asks to wait, in whatever way it says so: headers, a detail of its error, its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime

from proxy.choosing.headroom import PREFIXES, duration, moment, plain_number
from proxy.errors import Header

MAX_RETRY_AFTER = 300.0  # seconds: what a provider asks for beyond that is not believed, or tried again by then

_IN_WORDS = re.compile(r"(?:try again|retry) in ((?:\d{1,9}(?:\.\d{0,9})?(?:ms|h|m|s)){1,4})")


def retry_after(headers: list[Header], now: float) -> float | None:
    """Seconds that a provider asks to wait, capped; None if it does not say or makes no sense."""
    given = dict(headers)
    milliseconds = plain_number(given.get(b"retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000, MAX_RETRY_AFTER)
    text = given.get(b"retry-after")
    seconds = plain_number(text)
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
        if at < 0 or not name.startswith(PREFIXES):
            continue
        seconds = moment(value.decode("latin-1").strip(), now)
        if seconds is None:
            continue
        left = given.get(name.replace(b"-reset", b"-remaining", 1))
        (empty if left is not None and left.strip() == b"0" else others).append(seconds)
    found = empty or others
    return min(*found, MAX_RETRY_AFTER) if found else None


def wait_in_words(text: str) -> float | None:
    """Seconds of "Please try again in 7.66s"; ``text`` is lower-case."""
    found = _IN_WORDS.search(text)
    return None if found is None else duration(found[1])


def capped(seconds: float | None) -> float | None:
    """What is believed of it."""
    return None if seconds is None else min(seconds, MAX_RETRY_AFTER)
