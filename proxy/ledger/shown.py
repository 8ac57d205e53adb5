"""Amounts, counts and tables for people who read a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TextIO

NANO = 10**9  # nano-dollars of a dollar
MICRO = 10**6  # microseconds of a second
_WIDEST = 40  # characters of a text in a table
_BOLD, _DIM, _REVERSE, _RED, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[7m", "\x1b[31m", "\x1b[0m"


def money(nano_dollars: float) -> str:
    """Dollars: cents for large amounts, four digits that count for small ones."""
    dollars = abs(nano_dollars) / NANO
    sign = "-" if nano_dollars < 0 else ""
    if not dollars:
        return "$0"
    if dollars >= 1:
        return f"{sign}${dollars:,.2f}"
    if dollars >= 0.01:
        return f"{sign}${dollars:.4f}"
    return f"{sign}${float(f'{dollars:.4g}'):.9f}".rstrip("0")


def decimal(nano_dollars: int) -> str:
    """Dollars for machines, exact to the last digit: "0.000000150"."""
    whole, rest = divmod(abs(nano_dollars), NANO)
    return f"{'-' if nano_dollars < 0 else ''}{whole}.{rest:09d}"


def dollars(written: str) -> str:
    """What ``decimal`` wrote, for people."""
    return money(int(Decimal(written) * NANO))


def count(number: int) -> str:
    """With commas between thousands."""
    return f"{number:,}"


def share(part: float, whole: float) -> str:
    """A percentage; "-" of nothing."""
    return f"{100 * part / whole:.1f}%" if whole else "-"


def moment(micros: int) -> str:
    """Microseconds since the epoch as a time of UTC, to the minute."""
    return datetime.fromtimestamp(micros / MICRO, UTC).strftime("%Y-%m-%d %H:%M")


def text(value: str) -> str:
    """A caller's text, made safe for a terminal: nothing that moves its cursor, and no more than fits."""
    if not value:
        return "-"
    safe = "".join(letter if letter.isprintable() else "?" for letter in value[: _WIDEST + 1])
    return safe if len(safe) <= _WIDEST else f"{safe[: _WIDEST - 1]}…"


class Style:
    """Colours, or none."""

    __slots__ = ("is_coloured",)

    def __init__(self, is_coloured: bool = False) -> None:
        self.is_coloured = is_coloured

    def bold(self, line: str) -> str:
        return self._wrapped(_BOLD, line)

    def dim(self, line: str) -> str:
        return self._wrapped(_DIM, line)

    def red(self, line: str) -> str:
        return self._wrapped(_RED, line)

    def reverse(self, line: str) -> str:
        return self._wrapped(_REVERSE, line)

    def _wrapped(self, code: str, line: str) -> str:
        return f"{code}{line}{_PLAIN}" if self.is_coloured else line


def style_for(stream: TextIO, environ: Mapping[str, str]) -> Style:
    """Colours on a terminal only, and nowhere if NO_COLOR is set (no-color.org)."""
    return Style(stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb")


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int = 1,
    total: Sequence[str] | None = None,
    style: Style | None = None,
) -> str:
    """Columns side by side: the first ``left`` ones aligned left, the others right."""
    style = style or Style()
    every = [head, *rows, *([total] if total is not None else [])]
    widths = [max(len(row[at]) for row in every) for at in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    lines = [style.bold(line(head)), *(line(row) for row in rows)]
    if total is not None:
        lines += [style.dim("─" * (sum(widths) + 2 * (len(widths) - 1))), style.bold(line(total))]
    return "\n".join(lines)
