"""A text as it flows: what is decided goes on at once, what may still become something is held back, and no more."""

from __future__ import annotations

from typing import NamedTuple

from proxy.guarding.scanner import MAX_HELD, MAX_LOOKBACK, Scanner, Span


class Overfull(Exception):
    """More would have to be held back than is allowed, and it is not known whether it is anything."""


class Decided(NamedTuple):
    """A piece of the text that is decided, and what was found in it."""

    text: str
    spans: list[Span]


class Holdback:
    """One block of text through one scanner. What comes out is the same however the text was cut."""

    __slots__ = ("_at", "_max", "_scanner", "_text")

    def __init__(self, scanner: Scanner, max_held: int = MAX_HELD) -> None:
        self._scanner = scanner
        self._max = max_held
        self._text = ""  # some context, and what is held back
        self._at = 0  # where the undecided begins in it

    @property
    def held(self) -> int:
        """Characters that are held back."""
        return len(self._text) - self._at

    def feed(self, piece: str) -> Decided:
        """What ``piece`` has decided.

        Raises:
            Overfull: see there.
        """
        text = self._text = self._text + piece
        limit = self._scanner.pending(text, self._at)
        if limit <= self._at:
            if self.held > self._max:
                raise Overfull(f"more than {self._max} characters would have to be held back")
            return Decided("", [])
        spans = self._scanner.scan(text, self._at)
        for span in reversed(spans):
            if span.start < limit < span.end:
                limit = span.start
        return self._decide(limit, [span for span in spans if span.end <= limit])

    def finish(self) -> Decided:
        """The rest: the text is complete."""
        spans = self._scanner.scan(self._text, self._at) if self.held else []
        return self._decide(len(self._text), spans)

    def release(self) -> str:
        """What is held back, as nobody can tell what it is."""
        return self._decide(len(self._text), []).text

    def _decide(self, limit: int, spans: list[Span]) -> Decided:
        begin = self._at
        piece = self._text[begin:limit]
        keep = max(0, limit - MAX_LOOKBACK)
        self._text = self._text[keep:]
        self._at = limit - keep
        return Decided(piece, [span._replace(start=span.start - begin, end=span.end - begin) for span in spans])
