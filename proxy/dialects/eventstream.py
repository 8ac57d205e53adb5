"""AWS' event stream: binary messages with a checksum. https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html

One message: total length, length of the headers, CRC-32 of these eight bytes, headers, payload, CRC-32 of everything
before; numbers are big-endian.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import msgspec

from proxy.errors import BadAnswer

MAX_MESSAGE = 16 << 20  # bytes of one message
_OVERHEAD = 16
_MAX_HEADERS = 128 << 10  # bytes of the headers of one message
_STRING = 7
# Sizes of the values of headers that are numbers and the like, by type.
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_COUNTED = (6, 7)
_PRELUDE = struct.Struct(">III")
_SHORT = struct.Struct(">H")


class Messages:
    """Cuts a stream into whole messages; see ``proxy.dialects.dialect.Frames``."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Messages that ``chunk`` has completed.

        Raises:
            BadAnswer: a message that is too large or whose beginning is damaged.
        """
        buffer = self._buffer
        buffer += chunk
        found: list[bytes] = []
        at = 0
        while len(buffer) - at >= _PRELUDE.size:
            total, headers, check = _PRELUDE.unpack_from(buffer, at)
            if zlib.crc32(buffer[at : at + 8]) != check:
                raise BadAnswer("the provider's event stream is damaged: the checksum of a prelude is wrong")
            if not _OVERHEAD <= total <= MAX_MESSAGE or headers > min(total - _OVERHEAD, _MAX_HEADERS):
                raise BadAnswer(f"the provider sent a message of {total} bytes with {headers} bytes of headers")
            if len(buffer) - at < total:
                break
            found.append(bytes(buffer[at : at + total]))
            at += total
        del buffer[:at]
        return found

    def finish(self) -> list[bytes]:
        """Nothing may be left at the end.

        Raises:
            BadAnswer: the stream stopped inside a message.
        """
        if self._buffer:
            raise BadAnswer("the provider's event stream stopped inside a message")
        return []


def read_message(message: bytes) -> tuple[dict[str, str], bytes]:
    """Headers that are strings, and the payload of one whole message.

    Raises:
        BadAnswer: it is damaged.
    """
    total, size, _ = _PRELUDE.unpack_from(message)
    if total != len(message) or zlib.crc32(message[:-4]) != int.from_bytes(message[-4:], "big"):
        raise BadAnswer("the provider's event stream is damaged: the checksum of a message is wrong")
    end = _PRELUDE.size + size
    try:
        return _read_headers(message, _PRELUDE.size, end), message[end:-4]
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise BadAnswer("the provider's event stream has headers that cannot be read") from error


def error_in(headers: Mapping[str, str], payload: bytes) -> bytes | None:
    """An error object for what a message says that is no event; None if it is one. Its name stands in a header."""
    if headers.get(":message-type", "event") == "event":
        return None
    try:
        told = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = None
    told = told if isinstance(told, dict) else {}
    message = told.get("message") or told.get("Message") or headers.get(":error-message", "")
    kind = headers.get(":exception-type") or headers.get(":error-code") or ""
    error = {**told, "type": kind, "message": message if isinstance(message, str) else ""}
    return msgspec.json.encode({"error": error})


def _read_headers(message: bytes, at: int, end: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    while at < end:
        length = message[at]
        name = message[at + 1 : at + 1 + length].decode()
        at += 1 + length
        kind = message[at]
        at += 1
        if kind in _COUNTED:
            (length,) = _SHORT.unpack_from(message, at)
            at += _SHORT.size
            if kind == _STRING:
                headers[name] = message[at : at + length].decode()
            at += length
        else:
            at += _FIXED[kind]
    if at != end:
        raise IndexError(at)
    return headers


def write_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message with these headers."""
    parts: list[bytes] = []
    for name, value in headers.items():
        text = value.encode()
        parts.append(b"%c%b%c%b%b" % (len(name), name.encode(), _STRING, _SHORT.pack(len(text)), text))
    head = b"".join(parts)
    lengths = struct.pack(">II", _OVERHEAD + len(head) + len(payload), len(head))
    message = lengths + zlib.crc32(lengths).to_bytes(4, "big") + head + payload
    return message + zlib.crc32(message).to_bytes(4, "big")
