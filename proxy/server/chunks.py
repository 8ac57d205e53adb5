"""A chunked request body, decoded strictly and bounded."""

from __future__ import annotations

import re

from proxy.server.head import Refusal

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[\t -~\x80-\xff]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*")
_MAX_LINE = 256  # a size and its extensions, or one trailer; nobody uses either
_MAX_TRAILERS = 16
# Tiny chunks cost the reader more than the sender. Framing may outweigh the content only up to here.
_FREE_FRAMING = 64 * 1024

_SIZE, _DATA, _END, _TRAILERS, _DONE = range(5)


class ChunkError(Exception):
    """The body cannot be read any further."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _bad(message: str) -> ChunkError:
    return ChunkError(Refusal(400, "malformed_body", message))


class Chunks:
    """Decodes one body. ``feed`` takes bytes as they come and gives the content; ``rest`` is what follows the body."""

    __slots__ = ("_framing", "_left", "_line", "_phase", "_trailers", "max_body", "rest", "size")

    def __init__(self, max_body: int) -> None:
        self.max_body = max_body
        self.size = 0
        self.rest = b""
        self._phase = _SIZE
        self._left = 0
        self._line = b""
        self._framing = 0
        self._trailers = 0

    @property
    def done(self) -> bool:
        return self._phase == _DONE

    def feed(self, data: bytes) -> bytes:
        parts: list[bytes] = []
        position = 0
        while position < len(data):
            if self._phase == _DATA:
                piece = data[position : position + self._left]
                parts.append(piece)
                position += len(piece)
                self._left -= len(piece)
                if self._left == 0:
                    self._phase = _END
                continue
            position = self._read_line(data, position)
            if self._phase == _DONE:
                self.rest = data[position:]
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read_line(self, data: bytes, position: int) -> int:
        end = data.find(b"\n", position, position + _MAX_LINE + 2)
        if end < 0:
            self._line += data[position : position + _MAX_LINE + 2]
            if len(self._line) > _MAX_LINE + 1:
                raise _bad("a line between two chunks is too long")
            return len(data)
        line = self._line + data[position : end + 1]
        self._line = b""
        if len(line) > _MAX_LINE + 2 or line[-2:-1] != b"\r":
            raise _bad("a line between two chunks is too long or does not end in CR LF")
        self._framing += len(line)
        if self._framing > _FREE_FRAMING + self.size:
            raise _bad("the chunks are too small for the size of the body")
        self._step(line[:-2])
        return end + 1

    def _step(self, line: bytes) -> None:
        if self._phase == _SIZE:
            match = _SIZE_LINE.fullmatch(line)
            if match is None:
                raise _bad("a chunk does not begin with its size")
            self._left = int(match[1], 16)
            self.size += self._left
            if self.size > self.max_body:
                raise ChunkError(too_large(self.max_body))
            self._phase = _DATA if self._left else _TRAILERS
        elif self._phase == _END:
            if line:
                raise _bad("a chunk is longer than its size")
            self._phase = _SIZE
        elif not line:
            self._phase = _DONE
        else:
            self._trailers += 1
            if self._trailers > _MAX_TRAILERS or _TRAILER.fullmatch(line) is None:
                raise _bad("the trailers are malformed or too many")


def too_large(max_body: int) -> Refusal:
    """The answer to a body over the limit, whether it was announced or arrived."""
    return Refusal(413, "body_too_large", f"the request body is too large; at most {max_body} bytes are read")
