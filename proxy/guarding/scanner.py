"""A guard's eyes: what finds spans in a text, and knows how much of its end may still become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import re2

from proxy.guarding.prefixes import beginnings

MAX_HELD = 32 << 10  # characters of one block that are held back, at most
MAX_LOOKBACK = 16  # characters before a candidate by which it is judged
_MEMORY = 64 << 20  # bytes that one automaton may take: with too little it is slow
# What may have to be judged one by one in a text: so many candidates, and one more for so many bytes; and those that
# are none, and so are looked into, may together be so many bytes, and so many times as long as the text. Nobody can
# make a scan slower than that: of a text that has more it is not known what it holds.
MOST, EVERY = 4_000, 4096
_LENGTH, _TIMES = 64 << 10, 2
_CAPTURED = 8 << 10  # bytes of a match in which its group is looked for: that takes seventy times as long
_UNANCHORED, _ANCHORED = re2._re2.RE2.Anchor.UNANCHORED, re2._re2.RE2.Anchor.ANCHOR_START
_Match = Callable[[object, bytes, int, int], Sequence[tuple[int, int]]]
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


class TooMany(Exception):
    """So much in one text looks like something that it is not known what it holds."""


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


def compiled(regex: str) -> Any:
    """A pattern of the file in which there is no problem; None for an empty one."""
    return re2.compile(regex, _options()) if regex else None


def _followed(pattern: Pattern) -> str:
    return f"(?:{pattern.regex})(?s:.{{0,{pattern.lookahead}}})" if pattern.lookahead else pattern.regex


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


def _plainly() -> re2.Options:
    """For what is asked only where it is: an automaton alone tells that, a hundred times as quickly as any groups."""
    options = _options()
    options.never_capture = True
    return options


class _Compiled:
    """A pattern, and its automaton: that of the module itself, whose searches cost a third of the wrapped ones'."""

    __slots__ = ("_capture", "find", "pattern")

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self.find: _Match = re2._re2.RE2(pattern.regex.encode(), _plainly()).Match
        self._capture: _Match = re2._re2.RE2(pattern.regex.encode(), _options()).Match

    def group(self, data: bytes, begin: int, over: int) -> tuple[int, int]:
        """What is looked for of a match. Of a very long one it may be a little too much, and never too little."""
        is_long = over - begin > _CAPTURED
        spans = self._capture(_ANCHORED, data, begin, begin + _CAPTURED if is_long else len(data))
        start, end = spans[self.pattern.group]
        if not is_long:
            return start, end
        return (begin, over) if start < 0 else (start, over)


class _Scanned:
    """A text under a scan: its bytes, where its characters stand in them, and how much may still be looked into."""

    __slots__ = ("_byte", "_char", "data", "is_ascii", "left", "most", "size", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.data = text.encode("utf-8", "replace")
        self.size = len(self.data)
        self.is_ascii = self.size == len(text)
        self.most = MOST + self.size // EVERY
        self.left = self.most
        self._byte = self._char = 0

    def chars(self, start: int, end: int) -> tuple[int, int]:
        """The characters that these bytes are; quick for bytes behind those that were asked for last."""
        if self.is_ascii or start < 0:
            return start, end
        if start < self._byte:
            self._byte = self._char = 0
        self._char += re2._re2.BytesToCharLen(self.data, self._byte, start)
        self._byte = start
        return self._char, self._char + re2._re2.BytesToCharLen(self.data, start, end)

    def byte(self, char: int) -> int:
        """Where a character begins."""
        return char if self.is_ascii else len(self.text[:char].encode("utf-8", "replace"))


class Patterns:
    """A scanner of regular expressions: one pass tells which of them are there at all."""

    __slots__ = ("_any", "_compiled", "_end", "entities")

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """
        Raises:
            BadPattern: one of them cannot be compiled.
        """
        for pattern in patterns:
            if (wrong := problem(pattern.regex)) is not None:
                raise BadPattern(f"{pattern.entity}: {wrong}")
        self.entities = tuple(dict.fromkeys(pattern.entity for pattern in patterns))
        self._compiled = [_Compiled(pattern) for pattern in patterns]
        self._any = re2.Set.SearchSet(_options())
        for pattern in patterns:
            self._any.Add(pattern.regex.encode())
        self._any.Compile()
        united = "|".join(f"(?:{beginnings(_followed(pattern))})" for pattern in patterns)
        self._end: _Match = re2._re2.RE2(f"(?:{united})\\z".encode(), _plainly()).Match
        self.scan(_SAMPLE)
        for at in range(len(_SAMPLE) + 1):
            self.pending(_SAMPLE[:at])

    def scan(self, text: str, start: int = 0) -> list[Span]:
        """See ``Scanner``.

        Raises:
            TooMany: see there.
        """
        scanned = _Scanned(text)
        at = scanned.byte(start)
        found: list[Span] = []
        for number in self._any.Match(scanned.data if at == 0 else scanned.data[max(0, at - 4) :]) or ():
            found += _each(self._compiled[number], scanned, at)
        found.sort()
        return found

    def pending(self, text: str, start: int = 0) -> int:
        """See ``Scanner``."""
        data = text.encode("utf-8", "replace")
        size = len(data)
        if size == len(text):
            begin = self._end(_UNANCHORED, data, start, size)[0][0]
            return size if begin < 0 else begin
        at = len(text[:start].encode("utf-8", "replace"))
        begin = self._end(_UNANCHORED, data, at, size)[0][0]
        return len(text) if begin < 0 else start + re2._re2.BytesToCharLen(data, at, begin)


def _each(compiled: _Compiled, scanned: _Scanned, at: int) -> list[Span]:
    """What one pattern finds from byte ``at`` on."""
    pattern, find = compiled.pattern, compiled.find
    entity, check, group, trim = pattern.entity, pattern.check, pattern.group, pattern.trim
    text, data, size = scanned.text, scanned.data, scanned.size
    found: list[Span] = []
    length = _LENGTH + _TIMES * (size - at)
    while (spans := find(_UNANCHORED, data, at, size))[0][0] >= 0:
        scanned.left -= 1
        if scanned.left < 0 or length < 0:
            raise TooMany(f"more than {scanned.most} candidates in one text")
        begin, over = spans[0]
        start, end = compiled.group(data, begin, over) if group else (begin, over)
        first, last = scanned.chars(start, end)
        if trim is not None:
            last = first + trim(text[first:last])
            end = start + len(text[first:last].encode("utf-8", "replace"))
        if last > first and (check is None or check(text, first, last)):
            found.append(Span(first, last, entity, pattern.score))
            at = max(end, begin + 1)
            continue
        length -= over - begin
        at = begin + 1
        while at < size and data[at] in _CONTINUED:
            at += 1
    return found


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
