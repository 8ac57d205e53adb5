"""Quantities as people write them in the file: ``30s``, ``10MiB``, ``5%``, ``$0.15``.

Each type is a number that remembers nothing of its spelling, so arithmetic on the request path is plain arithmetic.
``parse`` raises ``ValueError`` with a sentence for the reader; the configuration adds file, line and column.
"""

from __future__ import annotations

import re
from typing import Self

_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%]*)")
_MONEY = re.compile(r"\$([0-9]{1,9})(?:\.([0-9]{1,9}))?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}


def _split(text: str, units: dict[str, float] | dict[str, int], kind: str, example: str) -> tuple[float, float]:
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not {kind}; write it like {example}")
    number, unit = found.groups()
    if unit not in units:
        known = " ".join(units)
        problem = f"has the unit {unit!r}" if unit else "has no unit"
        raise ValueError(f"{text!r} {problem}; the units are: {known}")
    return float(number), float(units[unit])


class Duration(float):
    """Seconds. Written ``250ms``, ``30s``, ``5m``, ``2h``, ``7d``."""

    @classmethod
    def parse(cls, text: str) -> Self:
        number, unit = _split(text, _SECONDS, "a duration", "30s or 5m")
        return cls(number * unit)


class Size(int):
    """Bytes. Written ``64KiB``, ``10MiB``, ``1GB``."""

    @classmethod
    def parse(cls, text: str) -> Self:
        number, unit = _split(text, _BYTES, "a size", "10MiB or 64KiB")
        return cls(round(number * unit))


class Percent(float):
    """A fraction. Written ``5%``."""

    @classmethod
    def parse(cls, text: str) -> Self:
        number, _ = _split(text, {"%": 1.0}, "a share", "5%")
        if number > 100:
            raise ValueError(f"{text!r} is more than 100%")
        return cls(number / 100)


class Money(int):
    """Nano-dollars. Written ``$0.15``, at most nine digits after the point."""

    @classmethod
    def parse(cls, text: str) -> Self:
        found = _MONEY.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is not an amount of money; write it like $0.15")
        whole, part = found.groups()
        return cls(int(whole) * 10**9 + int((part or "").ljust(9, "0")))


class Secret(str):
    """A string that shows itself only to whoever asks by ``reveal``: ``repr`` and ``format`` give stars."""

    __slots__ = ()

    def reveal(self) -> str:
        return str.__str__(self)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"
