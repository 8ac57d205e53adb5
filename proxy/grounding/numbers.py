"""Numbers in a text, by their values and with their units, however they are written."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from proxy.grounding.english import CURRENCIES, UNITS
from proxy.semantic.words import NUMBERS

_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_ATTACHED = re.compile(r"(\d+(?:[.,]\d+)*)([^\W\d_]{1,5})")
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SCALED = {"k": 1000, "bn": 10**9}  # directly behind a number
_ORDINAL = frozenset({"st", "nd", "rd", "th"})
_LONGEST = 24  # digits; a longer number is compared as it is written
_UNIT_WITHIN = 2  # words after a number


class Number(NamedTuple):
    """``value`` as digits; ``unit`` "" where there is none; tokens ``start`` to ``end`` say it, without the unit."""

    value: str
    unit: str
    start: int
    end: int


def parted(token: str) -> tuple[str, ...]:
    """A number and what stands directly behind it apart from each other: 30kg, 2nd, 5k."""
    found = _ATTACHED.fullmatch(token)
    if found is None:
        return (token,)
    behind = found[2].lower()
    if behind in _ORDINAL:
        return (found[1],)
    return (found[1], behind) if behind in UNITS or behind in _SCALED else (token,)


def numbers(tokens: list[str]) -> list[Number]:
    """The numbers that tokens in small letters say."""
    found: list[Number] = []
    at = 0
    while at < len(tokens):
        number = _number(tokens, at)
        if number is not None:
            found.append(number)
        at = at + 1 if number is None else number.end
    return found


def _number(tokens: list[str], at: int) -> Number | None:
    said = tokens[at]
    end = at + 1
    if said[0].isdecimal() and said.isascii():
        value = _value(said)
        if value is None:
            return Number(said, "", at, end)
    elif said in NUMBERS and said not in ("zero", "one"):
        value = Decimal(NUMBERS[said])
        if value >= 20 and end < len(tokens) and 0 < int(NUMBERS.get(tokens[end], 0)) < 10:
            value += int(NUMBERS[tokens[end]])
            end += 1
    elif said == "one" and end < len(tokens) and (tokens[end] in UNITS or tokens[end] in _SCALES):
        value = Decimal(1)
    else:
        return None
    while end < len(tokens) and (scale := _SCALES.get(tokens[end]) or _SCALED.get(tokens[end])):
        value *= scale
        end += 1
    unit = next((UNITS[word] for word in tokens[end : end + _UNIT_WITHIN] if word in UNITS), "")
    if at and tokens[at - 1] in CURRENCIES:
        unit = tokens[at - 1]
    return Number(_shown(value), unit, at, end)


def _value(token: str) -> Decimal | None:
    """None for what is no single number (a version, an address) or too long."""
    token = token.removesuffix(":00")
    if len(token) > _LONGEST:
        return None
    if _THOUSANDS.fullmatch(token):
        token = token.replace(",", "")
    try:
        return Decimal(token.replace(",", "."))
    except InvalidOperation:
        return None


def _shown(value: Decimal) -> str:
    shown = f"{value:f}"
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown) or "0"
