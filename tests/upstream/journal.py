"""The append-only record of what the fake upstream saw and did: one JSON object a line, written at once.

``connected`` (connection); ``request`` (id, connection, method, path, query, headers, size, sha256, body as base64);
``script`` (id, name); ``head`` (id, status); ``emitted`` (id, bytes of the body and events so far); ``finished`` (id,
bytes, events, how: whole, fin, reset, truncate, hang); ``closed`` (connection, id or null, how: fin, reset, closed),
when the client went first. For WebSockets ``opened`` (id) and ``frame`` (id, opcode, size, data as base64).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec


class Journal:
    """One ``write`` call a line, unbuffered. ``at`` is ``time.monotonic()``, the same in all processes."""

    def __init__(self, path: Path | None) -> None:
        self._fd = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, event: str, **fields: Any) -> None:
        """One line."""
        if self._fd is not None:
            line = msgspec.json.encode({"at": time.monotonic(), "event": event, **fields})
            os.write(self._fd, line + b"\n")
