"""JSON as it flows, read as the text that it says: what is escaped is seen plainly, and written as it came."""

from __future__ import annotations

import re

import msgspec

_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|[^u])", re.DOTALL)
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Escaped:
    """The pieces of one JSON text. ``read`` gives what they say; ``written`` takes as much of that as was decided, and
    gives what had come for it."""

    __slots__ = ("_ahead", "_rest", "_sources", "in_string")

    def __init__(self) -> None:
        self._rest = ""  # half an escape
        self._ahead = 0  # characters that were read and not yet written
        self.in_string = False  # whether what was written last stands within a string
        self._sources: list[tuple[int, str]] = []  # of them: where one stands that came as an escape, and that

    def read(self, piece: str) -> str:
        """What ``piece`` says, but for half an escape at its end."""
        text = self._rest + piece
        self._rest = ""
        if "\\" not in text:
            self._ahead += len(text)
            return text
        parts: list[str] = []
        at = 0
        while (found := text.find("\\", at)) >= 0:
            parts.append(text[at:found])
            self._ahead += found - at
            escape = _ESCAPE.match(text, found)
            if escape is None:
                if len(text) - found < 6:
                    self._rest = text[found:]
                    return "".join(parts)
                parts.append("\\")  # no JSON: it stays as it is
                self._ahead += 1
                at = found + 1
                continue
            source = escape[0]
            self._sources.append((self._ahead, source))
            parts.append(chr(int(source[2:], 16)) if source[1] == "u" else _PLAIN.get(source[1], source[1]))
            self._ahead += 1
            at = escape.end()
        parts.append(text[at:])
        self._ahead += len(text) - at
        return "".join(parts)

    def finish(self) -> str:
        """Half an escape that nothing came after."""
        rest, self._rest = self._rest, ""
        self._ahead += len(rest)
        return rest

    def written(self, text: str) -> str:
        """As it came: the next ``text`` of what was read."""
        parts: list[str] = []
        at = 0
        passed = 0
        quotes = text.count('"')
        for where, source in self._sources:
            if where >= len(text):
                break
            parts += (text[at:where], source)
            quotes -= text[where] == '"'
            at = where + 1
            passed += 1
        parts.append(text[at:])
        self.in_string ^= quotes % 2 == 1
        self._sources = [(where - len(text), source) for where, source in self._sources[passed:]]
        self._ahead -= len(text)
        return "".join(parts)

    def put(self, text: str) -> str:
        """Another text in the place of what was written last: as JSON has it there."""
        written = msgspec.json.encode(text).decode()
        return written[1:-1] if self.in_string else written
