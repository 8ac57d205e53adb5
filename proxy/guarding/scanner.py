"""A guard's eyes: what finds spans in a text, and knows how much of its end may still become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import re2

from proxy.guarding.prefixes import beginnings

MAX_HELD = 32 << 10  # characters of one block that are held back, at most
MAX_LOOKBACK = 16  # characters before a candidate by which it is judged
_MEMORY = 64 << 20  # bytes that one automaton may take: with too little it is slow
# Work that candidates may cost that fail their check, in bytes for each byte of the text and for each of them: what is
# within one is looked into only as long as it lasts. Nobody can make a scan slower than that.
_PATIENCE, _COST = 2, 64
_CONTINUED = frozenset(range(0x80, 0xC0))  # bytes inside a character of UTF-8

# What automata are shown while they are compiled: what they learn of it the first request need not wait for.
_SAMPLE = (
    'Hello! This is what they said: "call 555-0100 (or 12.50 EUR), see https://example.org/a?b=c&d=1_2#e"; it\'s '
    '{"key": [1, 2.5, true]} ~ 100% <b>x</b> @me $5 = A*B+C/D ^2 | `code`\n\ttabs & GREAT \\ things; über, 日本 …'
)

# Of a text, and a candidate's begin and end in it.
Check = Callable[[str, int, int], bool]


class Span(NamedTuple):
    """Something that was found: characters ``start`` to ``end`` of a text. ``score`` from 0 to 1."""

    start: int
    end: int
    entity: str
    score: float = 1.0


class Scanner(Protocol):
    """Finds spans. Immutable, and called from several threads at once.

    Both methods look at ``text`` from ``start`` on; what stands before that has been decided, and is there so that the
    edges of words can be told.
    """

    @property
    def entities(self) -> tuple[str, ...]:
        """Everything that a span may be."""

    def scan(self, text: str, start: int = 0) -> list[Span]:
        """What is there, by its start."""

    def pending(self, text: str, start: int = 0) -> int:
        """From where on the text may still become (part of) a span, or a longer one, if it goes on; its length if
        nothing may. What begins before that is decided."""


class Pattern(NamedTuple):
    """One regular expression in RE2's syntax, and what it finds. ``check`` judges a candidate further.

    ``group``: what is found is that group of it, not all. ``trim`` tells of a candidate how many of its characters are
    what is looked for; 0 for none. ``lookahead``: characters after a candidate that ``check`` may look at, beyond the
    first; before it, it may look at ``MAX_LOOKBACK``.
    """

    entity: str
    regex: str
    check: Check | None = None
    score: float = 1.0
    group: int = 0
    trim: Callable[[str], int] | None = None
    lookahead: int = 0


class BadPattern(ValueError):
    """This is no regular expression that takes linear time."""


def problem(regex: str) -> str | None:
    """What is wrong with a pattern of the file, for people; None if nothing is."""
    try:
        pattern = re2.compile(regex, _options())
        re2.compile(f"(?:{beginnings(regex)})\\z", _options())
    except re2.error as error:
        said = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        what, _, fragment = said.partition(": ")
        at = regex.find(fragment) if fragment else -1
        where = f" at position {at}: {fragment!r}" if at >= 0 else ""
        return f"no regular expression that takes linear time (RE2's syntax): {what}{where}"
    except ValueError as error:
        return f"no regular expression: {error}"
    if pattern.search("") is not None:
        return "it matches the empty text, which is everywhere"
    return None


def _followed(pattern: Pattern) -> str:
    return f"(?:{pattern.regex})(?s:.{{0,{pattern.lookahead}}})" if pattern.lookahead else pattern.regex


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


class Patterns:
    """A scanner of regular expressions: one pass tells which of them are there at all."""

    __slots__ = ("_any", "_compiled", "_end", "_patterns", "entities")

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """
        Raises:
            BadPattern: one of them cannot be compiled.
        """
        for pattern in patterns:
            if (wrong := problem(pattern.regex)) is not None:
                raise BadPattern(f"{pattern.entity}: {wrong}")
        self._patterns = tuple(patterns)
        self.entities = tuple(dict.fromkeys(pattern.entity for pattern in patterns))
        self._compiled = [re2.compile(pattern.regex.encode(), _options()) for pattern in patterns]
        self._any = re2.Set.SearchSet(_options())
        for pattern in patterns:
            self._any.Add(pattern.regex.encode())
        self._any.Compile()
        united = "|".join(f"(?:{beginnings(_followed(pattern))})" for pattern in patterns)
        self._end = re2.compile(f"(?:{united})\\z".encode(), _options())
        self.scan(_SAMPLE)
        for at in range(len(_SAMPLE) + 1):
            self.pending(_SAMPLE[:at])

    def scan(self, text: str, start: int = 0) -> list[Span]:
        """See ``Scanner``."""
        data = text.encode("utf-8", "replace")
        at = start if len(data) == len(text) else len(text[:start].encode("utf-8", "replace"))
        found: list[Span] = []
        for number in self._any.Match(data if at == 0 else data[max(0, at - 4) :]) or ():
            found += self._each(self._patterns[number], self._compiled[number], text, data, at)
        found.sort()
        return found

    def _each(self, pattern: Pattern, compiled: re2._Regexp, text: str, data: bytes, at: int) -> list[Span]:
        """What one pattern finds from byte ``at`` on."""
        found: list[Span] = []
        ascii_only = len(data) == len(text)
        left = _PATIENCE * (len(data) - at) + 4096
        while (match := compiled.search(data, at)) is not None:
            start, end = match.span(pattern.group)
            if ascii_only:
                first, last = start, end
            else:
                first = len(data[:start].decode("utf-8", "replace"))
                last = first + len(data[start:end].decode("utf-8", "replace"))
            if pattern.trim is not None:
                last = first + pattern.trim(text[first:last])
                end = start + len(text[first:last].encode("utf-8", "replace"))
            if last > first and (pattern.check is None or pattern.check(text, first, last)):
                found.append(Span(first, last, pattern.entity, pattern.score))
                at = max(end, match.start() + 1)
                continue
            left -= match.end() - match.start() + _COST
            at = match.start() + 1 if left > 0 else match.end()
            while at < len(data) and data[at] in _CONTINUED:
                at += 1
        return found

    def pending(self, text: str, start: int = 0) -> int:
        """See ``Scanner``."""
        data = text.encode("utf-8", "replace")
        if len(data) == len(text):
            match = self._end.search(data, start)
            return len(text) if match is None else match.start()
        at = len(text[:start].encode("utf-8", "replace"))
        match = self._end.search(data, at)
        return len(text) if match is None else len(data[: match.start()].decode("utf-8", "replace"))


class Several:
    """Scanners as one."""

    __slots__ = ("_scanners", "entities")

    def __init__(self, scanners: Sequence[Scanner]) -> None:
        self._scanners = tuple(scanners)
        self.entities = tuple(dict.fromkeys(entity for scanner in scanners for entity in scanner.entities))

    def scan(self, text: str, start: int = 0) -> list[Span]:
        """See ``Scanner``."""
        return sorted(span for scanner in self._scanners for span in scanner.scan(text, start))

    def pending(self, text: str, start: int = 0) -> int:
        """See ``Scanner``."""
        return min((scanner.pending(text, start) for scanner in self._scanners), default=len(text))
