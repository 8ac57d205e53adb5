"""Sees whether a stream that passes untouched came to its end."""

from __future__ import annotations

_MARKS = (b'"finishReason"', b'"blockReason"', b'"finish_reason"')


class Watch:
    """``see`` is given every chunk, of whole events; ``is_complete`` tells whether one said why the answer stopped."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen = False

    def see(self, chunk: bytes) -> None:
        """Look at what passes."""
        self._seen = self._seen or any(mark in chunk for mark in _MARKS)

    def is_complete(self) -> bool:
        """Whether the answer told why it stopped."""
        return self._seen
