"""A reader of server-sent events, written from the WHATWG text and from nothing else."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(rb"\r\n|\r|\n")


class Event(NamedTuple):
    """One dispatched event. ``data`` is None for an event without data (a client would ignore it)."""

    name: str
    data: str | None


class SseReader:
    """Feed bytes in any split; get events. ``comments`` counts comment lines; ``rest`` is what is left."""

    def __init__(self) -> None:
        self._buffer = b""
        self._name = ""
        self._data: list[str] = []
        self._first = True
        self.comments = 0
        self.events: list[Event] = []

    @property
    def rest(self) -> bytes:
        """Bytes of an event without its end; empty after a stream that ended well."""
        return self._buffer + "".join(self._data).encode() + self._name.encode()

    def feed(self, chunk: bytes) -> list[Event]:
        """Events that ``chunk`` completes. A CR at the end of the bytes waits for what follows."""
        before = len(self.events)
        self._buffer += chunk
        if self._first and len(self._buffer) >= 3:
            self._first = False
            self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf")
        at = 0
        while found := _LINE.search(self._buffer, at):
            if found[0] == b"\r" and found.end() == len(self._buffer):
                break
            self._line(self._buffer[at : found.start()])
            at = found.end()
        self._buffer = self._buffer[at:]
        return self.events[before:]

    def finish(self) -> list[Event]:
        """The stream has ended: a last CR is a line end."""
        before = len(self.events)
        if self._buffer.endswith(b"\r"):
            buffer, self._buffer = self._buffer[:-1], b""
            self._line(buffer)
        return self.events[before:]

    def _line(self, line: bytes) -> None:
        if not line:
            if self._data or self._name:
                data = "\n".join(self._data) if self._data else None
                self.events.append(Event(self._name, data))
            self._name, self._data = "", []
            return
        field, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if not field:
            self.comments += 1
        elif field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value


def read_events(body: bytes) -> list[Event]:
    """All events of a whole stream."""
    reader = SseReader()
    reader.feed(body)
    reader.finish()
    return reader.events
