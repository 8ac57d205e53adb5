"""Server-sent events as bytes: where an event ends, what it holds, and whether the stream has come to its end.

Lines end with ``\\n``, ``\\r\\n`` or ``\\r`` and with nothing else: U+2028 and U+0085 are text. ``Splitter`` takes a
stream apart; ``Scanner`` only looks at what passes, because most streams need nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from proxy.dialects.endpoint import End
from proxy.errors import BadAnswer

MAX_EVENT = 1 << 20  # bytes of one event
BOM = b"\xef\xbb\xbf"

_LINE_END = re.compile(rb"\r\n?|\n")
_DATA = b"data:"
_NEXT_DATA = b"\ndata:"
_EVENT = b"event:"
_BLANK = (b"\n\n", b"\r\n\r\n")
_ERROR = b'{"error"'
# What the lines hold by which a provider says that it has failed, in whatever format.
_FAILURES = frozenset({_ERROR, b"error", b"response.failed", b'{"type":"error"', b'{"type":"response.failed"'})
GLANCE_FROM = 1024  # bytes of whole events; below, going line by line costs no more than cutting


def too_large(max_event: int) -> BadAnswer:
    return BadAnswer(f"the provider sent one event of more than {max_event} bytes")


class Splitter:
    """Takes a stream in any chunks and gives back its events, each with its blank line; nothing is lost or changed.

    A blank line where no event has begun is an event of its own. A lone ``\\r`` at the end of what came is held back
    until the next byte tells whether it was half of ``\\r\\n``, so that the events do not depend on the chunks.
    """

    __slots__ = ("_buffer", "_first_line", "_line", "_max_event", "_scanned")

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self._max_event = max_event
        self._buffer = bytearray()
        self._first_line = True
        self._line = 0  # where the current line begins
        self._scanned = 0  # everything before holds no line end that has not been seen

    def feed(self, chunk: bytes) -> list[bytes]:
        """Events that ``chunk`` has completed."""
        self._buffer += chunk
        return self._cut(final=False)

    def finish(self) -> list[bytes]:
        """What is left at the end of the stream: at most one whole event and one that never got its blank line."""
        events = self._cut(final=True)
        if self._buffer:
            events.append(bytes(self._buffer))
            self._buffer.clear()
        return events

    def _cut(self, final: bool) -> list[bytes]:
        buffer, events = self._buffer, list[bytes]()
        start, line, scanned = 0, self._line, len(buffer)
        for at, after in [found.span() for found in _LINE_END.finditer(buffer, self._scanned)]:
            if after == len(buffer) and buffer[-1] == 0x0D and not final:
                scanned = at
                break
            if at == line or (self._first_line and buffer[line:at] == BOM):
                events.append(self._bounded(bytes(buffer[start:after])))
                start = after
            line, self._first_line = after, False
        self._line, self._scanned = line - start, scanned - start
        if start:
            del buffer[:start]
        if len(buffer) > self._max_event:
            raise too_large(self._max_event)
        return events

    def _bounded(self, event: bytes) -> bytes:
        if len(event) > self._max_event:
            raise too_large(self._max_event)
        return event


def read_fields(event: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Field names and values of one event, without its comments."""
    for line in _LINE_END.split(event.removeprefix(BOM)):
        name, colon, value = line.partition(b":")
        if name:
            yield name, value.removeprefix(b" ") if colon else b""


def read_data(event: bytes) -> bytes | None:
    """The data of one event, its lines joined as the standard says; None if it has none."""
    lines = [value for name, value in read_fields(event) if name == b"data"]
    return b"\n".join(lines) if lines else None


def data_of(event: bytes) -> bytes | None:
    """The same without white space around it, None also for nothing else: quick for what nearly every provider sends,
    which is one line of data, alone or behind the event's name."""
    line = b""
    if event.startswith(_EVENT):
        line = event.partition(_NEXT_DATA)[2].lstrip(b" ").rstrip()
    elif event.startswith(_DATA):
        line = event[len(_DATA) :].lstrip(b" ").rstrip()
    if line and b"\n" not in line and b"\r" not in line:
        return line
    data = read_data(event)
    return None if data is None else data.strip() or None


def _has_data(events: bytes) -> bool:
    """Whether one of these whole events has a line of data."""
    return events.startswith(_DATA) or b"\ndata:" in events or b"\rdata:" in events


def has_ended(event: bytes) -> bool:
    """Whether these bytes end with a blank line, so that the next event may follow."""
    return event.endswith((b"\n\n", b"\r\n\r\n", b"\r\r"))


class Scanner:
    """Looks at a stream as it passes, copying nothing.

    After ``feed``: ``ended`` says that a line of ``ends`` has been seen (a ``data`` marker counts at once, others when
    their event is whole), ``failed`` that one tells of a failure, ``tail`` how many bytes of the chunk belong to an
    event that is not whole yet.
    """

    __slots__ = (
        "_after_cr",
        "_ending",
        "_first_line",
        "_glance_from",
        "_head",
        "_head_size",
        "_known",
        "_line_size",
        "_plain",
        "_probes",
        "_size",
        "ended",
        "failed",
        "max_event",
        "tail",
        "wants_end",
    )

    def __init__(self, ends: tuple[End, ...], max_event: int = MAX_EVENT, *, glance_from: int = GLANCE_FROM) -> None:
        self.max_event = max_event
        self._glance_from = glance_from
        known = [(name + b":", value, True, name == b"data") for name, value in ends]
        self._known = (*known, (_DATA, _ERROR, False, False))  # beginning of a line, whether it is an end, and at once
        self._probes = tuple({value for _, value, _, _ in self._known})
        self._head_size = max(len(name) + len(value) + 1 for name, value, _, _ in self._known) + len(BOM)
        self._head = b""  # the first bytes of the current line
        self._line_size = 0
        self._size = 0  # bytes of the current event
        self._first_line = True
        self._after_cr = False
        self._ending = False
        self._plain = False  # between two events, with nothing to remember
        self.wants_end = bool(ends)
        self.ended = False
        self.failed = False
        self.tail = 0

    @property
    def whole(self) -> bool:
        """Whether the last event is whole."""
        return self._size == 0

    def feed(self, chunk: bytes) -> bool:
        """Whether ``chunk`` carries content: a byte of a ``data:`` line, and not only comments and blank lines."""
        if self._plain and chunk.endswith(_BLANK):
            return self._glance(chunk)
        # What is cut off at the ends is looked at line by line, the whole events between them at once.
        first = 0 if self._plain else chunk.find(b"\n\n") + 2
        last = chunk.rfind(b"\n\n") + 2
        if last - first < self._glance_from:
            return self._walk(chunk)
        content = self._walk(chunk[:first]) if first else False
        content |= self._glance(chunk[first:last]) if self._plain else self._walk(chunk[first:last])
        return content | (self._walk(chunk[last:]) if last < len(chunk) else False)

    def _glance(self, events: bytes) -> bool:
        """The same for whole events with nothing before them. From the first that may be the end on, by line."""
        if len(events) > self.max_event:
            return self._walk(events)
        found = [at for probe in self._probes if (at := events.find(probe)) >= 0]
        if found:
            blank = events.rfind(b"\n\n", 0, min(found))
            start = 0 if blank < 0 else blank + 2
            return _has_data(events[:start]) | self._walk(events[start:])
        return _has_data(events)

    def _walk(self, chunk: bytes) -> bool:
        """The same, line by line: for chunks that begin or end inside an event, and for those that may hold the end."""
        size, content, at = len(chunk), False, 0
        if self._after_cr and chunk.startswith(b"\n"):
            at = 1
            self._size += 0 if self.whole else 1
        start, whole_until = at, at if self.whole else 0
        newline = carriage = -2
        while at < size:
            if newline != -1 and newline < at:
                newline = chunk.find(b"\n", at)
            if carriage != -1 and carriage < at:
                carriage = chunk.find(b"\r", at)
            end = carriage if newline == -1 or -1 < carriage < newline else newline
            content |= self._look(chunk, at, size if end == -1 else end)
            if end == -1:
                at = size
                break
            at = end + 2 if end == carriage and end + 1 == newline else end + 1
            if self._close_line():
                self._close_event(at - start)
                start = whole_until = at
        self._size += size - start
        if self._size > self.max_event:
            raise too_large(self.max_event)
        self._after_cr = chunk.endswith(b"\r") or (self._after_cr and not chunk)
        self._plain = self._size == 0 and not self._after_cr and not self._first_line
        self.tail = size - whole_until
        return content

    def _look(self, chunk: bytes, at: int, end: int) -> bool:
        """Take in a piece of the current line; whether it holds content."""
        if at == end:
            return False
        self._line_size += end - at
        head = self._head
        if len(head) < self._head_size:
            head = self._head = head + chunk[at : min(end, at + self._head_size - len(head))]
        if self._first_line:
            head = head.removeprefix(BOM)
        for name, value, is_end, at_once in self._known:
            if head.startswith(name) and head[len(name) :].removeprefix(b" ").startswith(value):
                self.failed = self.failed or value in _FAILURES
                self._ending = self._ending or is_end
                self.ended = self.ended or at_once
        return head.startswith(_DATA)

    def _close_line(self) -> bool:
        """Go to the next line; whether the one that ends was blank."""
        blank = not self._line_size or (self._first_line and self._line_size == len(BOM) and self._head == BOM)
        self._first_line = False
        self._head = b""
        self._line_size = 0
        return blank

    def _close_event(self, size: int) -> None:
        if self._size + size > self.max_event:
            raise too_large(self.max_event)
        self._size = 0
        self.ended = self.ended or self._ending
        self._ending = False
