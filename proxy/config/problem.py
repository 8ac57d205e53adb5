"""What is wrong with a file, where, and what was probably meant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import msgspec

# From the top of the file down to a value: keys and list indices.
Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Longer words are shown cut: a file may hold a key of megabytes.
_MAX_SHOWN = 60
_MAX_PARTS = 20
# A word further away than this is another word, not a typing error.
_MAX_DISTANCE = 2
# `warn` means `warning`.
_SHORTEST_BEGINNING = 3


class Problem(msgspec.Struct, frozen=True):
    """One sentence about one place. ``line`` and ``col`` count from 1; 0 stands for the file as a whole."""

    file: str
    line: int
    col: int
    path: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.col}" if self.line else self.file
        where = f"{place} {self.path}" if self.path else place
        hint = f"; did you mean {quote(self.suggestion)}?" if self.suggestion is not None else ""
        return f"{where}: {self.message}{hint}"


def arrange(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """In the order of the text, each once: what several paths share through an alias is one problem."""
    first: dict[tuple[str, int, int, str], Problem] = {}
    for problem in sorted(problems, key=lambda p: (p.file, p.line, p.col, p.path)):
        first.setdefault((problem.file, problem.line, problem.col, problem.message), problem)
    return tuple(first.values())


def render_path(path: Path) -> str:
    """``routes.chat.policies[1].allow_models``; a key with other characters is quoted: ``routes["gpt-4.1"]``."""
    text = ""
    for at, part in enumerate(path):
        if at == _MAX_PARTS:
            return f"{text}…"
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part) and len(part) <= _MAX_SHOWN:
            text += f".{part}" if text else part
        else:
            text += f"[{quote(part)}]"
    return text


def quote(text: str) -> str:
    """``text`` in double quotes, on one line and not too long."""
    shown = text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
    return "".join(
        char if char.isprintable() else f"\\u{ord(char):04x}" for char in json.dumps(shown, ensure_ascii=False)
    )


def listing(words: Iterable[str], last: str = "or") -> str:
    """``a, b or c``."""
    *head, tail = list(words)
    return f"{', '.join(head)} {last} {tail}" if head else tail


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None if none is near enough."""
    known = list(known)
    limit = min(_MAX_DISTANCE, max(1, len(word) // 2))
    best: str | None = None
    for candidate in known:
        if abs(len(candidate) - len(word)) > limit or candidate == word:
            continue
        distance = _distance(word.lower(), candidate.lower())
        if distance <= limit and (best is None or distance < limit):
            best, limit = candidate, distance
    if best is None and len(word) >= _SHORTEST_BEGINNING:
        longer = [candidate for candidate in known if candidate.lower().startswith(word.lower())]
        return longer[0] if len(longer) == 1 else None
    return best


def _distance(a: str, b: str) -> int:
    """Edits (insert, delete, replace, swap of two neighbours) that turn ``a`` into ``b``."""
    two_back: list[int] = []
    back = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(back[j] + 1, row[j - 1] + 1, back[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, two_back[j - 2] + 1)
            row.append(cost)
        two_back, back = back, row
    return back[-1]
