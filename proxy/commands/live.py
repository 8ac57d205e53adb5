"""What the live view shows, and what keys do to it. It knows no terminal: keys come in, lines come out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

from proxy.commands.show import answered, caller, lines, safe
from proxy.ledger.shown import Style, dollars

MOST = 500  # requests that can be scrolled to
_INPUT = ("input", "cached_read", "cache_write_5m", "cache_write_1h", "input_audio")
_OUTPUT = ("output", "reasoning", "output_audio")
# Title, width, and whether it stands right.
_COLUMNS = (
    ("time", 8, False),
    ("status", 6, True),
    ("route", 12, False),
    ("model → target", 34, False),
    ("in", 7, True),
    ("out", 6, True),
    ("cost", 11, True),
    ("first", 7, True),
    ("ms", 8, True),
    ("att", 3, True),
    ("cache", 8, False),
    ("key", 24, False),
)
_KEYS = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"\x1b[5~": "page_up",
    b"\x1b[6~": "page_down",
    b"\x1b[H": "home",
    b"\x1b[F": "end",
    b"\x1b[D": "back",
    b"\x1bOD": "back",
    b"\x1b[C": "open",
    b"\x1bOC": "open",
    b"\r": "open",
    b"\n": "open",
    b"\x7f": "back",
    b"\x1b": "back",
    b"k": "up",
    b"j": "down",
    b"q": "quit",
    b"\x03": "quit",
}
_BY_LENGTH = sorted(_KEYS, key=len, reverse=True)


def keys(typed: bytes) -> Iterator[str]:
    """The names of keys that a terminal has sent; what means nothing here is passed over."""
    while typed:
        found = next((one for one in _BY_LENGTH if typed.startswith(one)), None)
        if found is not None:
            yield _KEYS[found]
        typed = typed[len(found or b"x") :]


def heading() -> str:
    """The titles of the columns."""
    return _joined([title for title, _, _ in _COLUMNS])


def row(receipt: dict[str, Any], zone: tzinfo | None = None) -> str:
    """One request in one line. ``zone``: of its time, None for this machine's."""
    used, first = receipt["tokens"], receipt["first_byte_ms"]
    return _joined(
        [
            datetime.fromisoformat(receipt["time"]).astimezone(zone).strftime("%H:%M:%S"),
            str(receipt["status"]),
            safe(receipt["route"] or "-"),
            answered(receipt),
            str(sum(used.get(name, 0) for name in _INPUT)),
            str(sum(used.get(name, 0) for name in _OUTPUT)),
            dollars(receipt["cost_usd"]),
            "-" if first is None else f"{first:.0f}",
            f"{receipt['duration_ms']:.0f}",
            str(len(receipt["attempts"])),
            safe(receipt["cache"] or "-"),
            caller(receipt),
        ]
    )


def _joined(cells: list[str]) -> str:
    found = []
    for cell, (_, width, is_right) in zip(cells, _COLUMNS, strict=True):
        short = cell if len(cell) <= width else f"{cell[: width - 1]}…"
        found.append(short.rjust(width) if is_right else short.ljust(width))
    return " ".join(found).rstrip()


class View:
    """The latest requests, the newest first. One is selected, and stays so when others come; one may be open.

    ``hints`` stand below them while there is room.
    """

    def __init__(
        self, where: str, style: Style | None = None, zone: tzinfo | None = None, hints: Sequence[str] = ()
    ) -> None:
        self.is_over = False
        self.problem = ""  # why nothing comes
        self._where = where
        self._style = style or Style()
        self._zone = zone
        self._hints = hints
        self._receipts: deque[dict[str, Any]] = deque(maxlen=MOST)
        self._at = 0  # of the selected one
        self._top = 0  # first line that is shown
        self._open: dict[str, Any] | None = None
        self._missed = 0
        self._height = 24

    def add(self, receipt: dict[str, Any]) -> None:
        """One more, or word of some that were missed. One that is known already comes again after a pause."""
        self.problem = ""
        if "missed" in receipt:
            self._missed += receipt["missed"]
        elif all(known["id"] != receipt["id"] for known in self._receipts):
            self._receipts.appendleft(receipt)
            if self._at or self._open is not None:
                self._at = min(self._at + 1, len(self._receipts) - 1)

    def press(self, key: str) -> None:
        """What a key does."""
        page = max(1, self._height - 4)
        if key == "quit":
            self.is_over = True
        elif key == "back":
            self._open = None
        elif key == "open":
            if self._open is None and self._receipts:
                self._open, self._top = self._receipts[self._at], 0
        else:
            last = len(self._opened()) - 1 if self._open is not None else len(self._receipts) - 1
            at = self._top if self._open is not None else self._at
            steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page, "home": -last - 1, "end": last + 1}
            at = max(0, min(last, at + steps.get(key, 0)))
            if self._open is not None:
                self._top = at
            else:
                self._at = at

    def screen(self, width: int, height: int) -> list[str]:
        """Exactly ``height`` lines, none wider than ``width``."""
        self._height = height
        inner = max(1, height - 2)
        if self._open is not None:
            body = [line[:width] for line in self._opened()[self._top : self._top + inner]]
            head = "receipt"
            foot = "arrows scroll, Esc goes back, q leaves"
        else:
            body = self._table(width, inner)
            body += self._below(width, inner - len(body))
            head = heading()
            foot = "arrows select, Enter opens the receipt, q leaves"
        body += [""] * (inner - len(body))
        return [self._style.bold(head[:width]), *body, self._style.dim(self._foot(foot)[:width])]

    def _opened(self) -> list[str]:
        assert self._open is not None
        return lines(self._open, Style())  # lines are cut, and a colour would be cut in two

    def _table(self, width: int, height: int) -> list[str]:
        start = max(0, min(self._at - height // 2, len(self._receipts) - height))
        found = []
        for at, receipt in enumerate(list(self._receipts)[start : start + height], start):
            line = row(receipt, self._zone)[:width]
            if at == self._at:
                line = self._style.reverse(line.ljust(width)) if self._style.is_coloured else f">{line[1:]}"
            elif receipt["status"] >= 400 or receipt["end"] != "complete":
                line = self._style.red(line)
            found.append(line)
        return found

    def _below(self, width: int, room: int) -> list[str]:
        """The hints at the end of the room that is left: broken where the screen ends, for they are to be copied."""
        step = max(1, width)
        pieces = [line[at : at + step] for line in self._hints for at in range(0, max(1, len(line)), step)]
        return [""] * (room - len(pieces)) + pieces if len(pieces) < room else []

    def _foot(self, help: str) -> str:
        parts = [self._where, f"{len(self._receipts)} requests", help]
        if self._missed:
            parts.insert(2, f"{self._missed} came too fast to be shown")
        if self.problem:
            parts.insert(0, safe(self.problem, 120))
        return "  ".join(parts)
