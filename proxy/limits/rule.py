"""How a limit is written: ``60/min``, ``100k tokens/min``, ``$50/month``, ``$100 total``, ``5 concurrent``."""

from __future__ import annotations

import re
from decimal import Decimal
from difflib import get_close_matches

from proxy.limits.limit import Kind, Limit, Window
from proxy.units import Money

_FORM = re.compile(
    r"(?P<money>\$)?(?P<number>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,20})(?:\.[0-9]{1,9})?)(?P<factor>[kMG]?)"
    r"(?:\s+(?P<noun>(?!total\b)[a-z][a-z ]*?))?(?:\s*/\s*(?P<window>[a-z]+)|\s+(?P<total>total))?"
)
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_NOUNS: dict[str, Kind] = {
    "request": "requests",
    "requests": "requests",
    "token": "tokens",
    "tokens": "tokens",
    "input token": "input_tokens",
    "input tokens": "input_tokens",
    "output token": "output_tokens",
    "output tokens": "output_tokens",
    "concurrent": "concurrent",
}
_WINDOWS: dict[str, Window] = {
    "s": "second",
    "sec": "second",
    "second": "second",
    "min": "minute",
    "m": "minute",
    "minute": "minute",
    "h": "hour",
    "hour": "hour",
    "d": "day",
    "day": "day",
    "mo": "month",
    "month": "month",
}
_EXAMPLES = "60/min, 100k tokens/min, $50/month or 5 concurrent"
_MOST = 10**15  # of requests or tokens
_MOST_MONEY = 10**18 - 1  # nano-dollars
_LONGEST = 100  # characters of a limit


def parse(text: str) -> Limit:
    """What ``text`` limits.

    Raises:
        ValueError: it is no limit; with a sentence for whoever wrote it.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or len(text) > _LONGEST:
        raise ValueError(f"{text[:_LONGEST]!r} is not a limit; write it like {_EXAMPLES}")
    kind = _kind(found, text)
    amount = _amount(found, text)
    if kind == "concurrent":
        if found["window"] or found["total"]:
            raise ValueError(f"{text!r}: what is concurrent has no time; write it like 5 concurrent")
        return Limit(kind, amount, "", text.strip())
    if found["total"]:
        return Limit(kind, amount, "total", text.strip())
    if not found["window"]:
        raise ValueError(f"{text!r} does not say for how long; write it like {_EXAMPLES}, or add `total`")
    window = _WINDOWS.get(found["window"])
    if window is None:
        raise ValueError(
            f"{text!r}: {found['window']!r} is no time{_hint(found['window'], _WINDOWS)}: s min h day month"
        )
    return Limit(kind, amount, window, text.strip())


def _kind(found: re.Match[str], text: str) -> Kind:
    noun = found["noun"]
    if found["money"]:
        if noun:
            raise ValueError(f"{text!r} is money and {noun} at once; write it like $50/month")
        return "money"
    if noun is None:
        return "requests"
    kind = _NOUNS.get(" ".join(noun.split()))
    if kind is None:
        raise ValueError(f"{text!r}: {noun!r} cannot be limited{_hint(noun, _NOUNS)}; write it like {_EXAMPLES}")
    return kind


def _amount(found: re.Match[str], text: str) -> int:
    plain, factor = found["number"].replace(",", ""), _FACTORS[found["factor"]]
    if found["money"]:
        amount, most, shown_most = int(Money.parse(f"${plain}")) * factor, _MOST_MONEY, "$1G"
    else:
        exact = Decimal(plain) * factor
        amount, most, shown_most = int(exact), _MOST, f"{_MOST:,}"
        if amount != exact:
            raise ValueError(f"{text!r} is not a whole number; write it like {_EXAMPLES}")
    if not 0 < amount <= most:
        raise ValueError(f"{text!r}: a limit is more than nothing, and less than {shown_most}")
    return amount


def _hint(word: str, known: dict[str, Kind] | dict[str, Window]) -> str:
    near = get_close_matches(word, known, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def shown(limit: Limit) -> str:
    """In one spelling, that ``parse`` reads."""
    if limit.kind == "concurrent":
        return f"{limit.amount} concurrent"
    end = " total" if limit.window == "total" else f"/{limit.window}"
    if limit.kind == "money":
        dollars, rest = divmod(limit.amount, 10**9)
        part = f"{rest:09d}".rstrip("0")
        return f"${dollars}{'.' + part if part else ''}{end}"
    noun = "" if limit.kind == "requests" else f" {limit.kind.replace('_', ' ')}"
    return f"{limit.amount}{noun}{end}"
