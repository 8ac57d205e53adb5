"""The refusal of an overloaded gateway, rendered ahead: per dialect and per second of ``Retry-After``."""

from __future__ import annotations

from functools import partial
from random import Random

from proxy.dialects.paths import style_of
from proxy.errors import GATEWAY_OVERLOADED, Style

MESSAGE = "The gateway is overloaded and has not begun this request; try again."
LONGEST_WAIT = 30
_CLOSE = b"connection: close\r\n"


class Turned:
    """A refusal's parts: what the server writes around its own date."""

    __slots__ = ("before", "closing", "status", "staying")

    def __init__(self, status: int, before: bytes, head: bytes, body: bytes) -> None:
        self.status = status
        self.before = before  # the status line
        self.staying = head + b"\r\n" + body
        self.closing = head + _CLOSE + b"\r\n" + body


class Refusals:
    """Picks the rendered refusal for a path. At most one per dialect and second is kept."""

    def __init__(self, random: Random) -> None:
        self._jitter = partial(random.uniform, 1.0, 2.0)
        self._rendered: dict[tuple[int, int], Turned] = {}

    def of(self, path: str, wait: float) -> Turned:
        """For a caller of ``path`` who should come back after ``wait`` seconds, each a little later than another."""
        style = style_of(path)
        seconds = max(1, min(LONGEST_WAIT, round(wait * self._jitter())))
        key = id(style), seconds  # styles live as long as the process
        found = self._rendered.get(key)
        if found is None:
            found = self._rendered[key] = _render(style, seconds)
        return found


def _render(style: Style, seconds: int) -> Turned:
    status, body = style.body(503, GATEWAY_OVERLOADED, MESSAGE, None)
    reason = b"Service Unavailable" if status == 503 else b""
    head = b"content-type: application/json\r\ncontent-length: %d\r\nretry-after: %d\r\nx-should-retry: true\r\n" % (
        len(body),
        seconds,
    )
    return Turned(status, b"HTTP/1.1 %d %b\r\n" % (status, reason), head, body)
