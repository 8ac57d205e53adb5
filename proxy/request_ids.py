"""Names of requests: ``req_`` and 24 hex digits that nobody can guess."""

from __future__ import annotations

import os

_BYTES = 12
_AT_ONCE = 256  # ids: to ask the kernel for each of them would cost more than the rest of it


class RequestIds:
    """Of one process. Made of what the kernel gives at random; no id is given twice."""

    __slots__ = ("_ready",)

    def __init__(self) -> None:
        self._ready: list[str] = []

    def new(self) -> str:
        """The next one."""
        if not self._ready:
            digits = os.urandom(_BYTES * _AT_ONCE).hex()
            self._ready = [f"req_{digits[at : at + 2 * _BYTES]}" for at in range(0, len(digits), 2 * _BYTES)]
        return self._ready.pop()
