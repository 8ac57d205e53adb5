"""Reads what the fake upstream wrote down while it runs."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.support.scale import PATIENCE

Entry = dict[str, Any]
POLL = 0.005  # seconds between looks at the file, at least


class JournalReader:
    """The entries since ``mark()`` was last called, or all. ``at`` is comparable with ``time.monotonic()`` here."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._entries: list[Entry] = []

    def mark(self) -> None:
        """Forget what was before: a test that shares the upstream begins with this."""
        self.entries()
        self._entries.clear()

    def entries(self, event: str | None = None, **fields: Any) -> list[Entry]:
        """Entries of that event with those fields."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            found = file.read()
        whole = found[: found.rfind(b"\n") + 1]
        self._read += len(whole)
        self._entries += [msgspec.json.decode(line) for line in whole.splitlines()]
        return [
            entry
            for entry in self._entries
            if (event is None or entry["event"] == event) and all(entry.get(key) == fields[key] for key in fields)
        ]

    def requests(self, **fields: Any) -> list[Entry]:
        """Requests seen; ``body_of`` and ``header_of`` read them."""
        return self.entries("request", **fields)

    async def wait(self, event: str, *, timeout: float = PATIENCE, **fields: Any) -> Entry:
        """The first such entry, as soon as it is there.

        Raises:
            AssertionError: not within ``timeout`` seconds.
        """
        found: Entry = await self.until(
            lambda: next(iter(self.entries(event, **fields)), None), f"{event} {fields}", timeout
        )
        return found

    async def until(self, look: Callable[[], Any], what: str, timeout: float = PATIENCE) -> Any:
        """The first true value of ``look``."""
        began = now = time.monotonic()
        while not (found := look()):
            took = time.monotonic() - now
            assert now < began + timeout, f"no {what} after {timeout} s in the journal: {self._events()}"
            await asyncio.sleep(max(POLL, took))  # leaves what is waited for its share
            now = time.monotonic()
        return found

    def wait_blocking(self, event: str, *, timeout: float = PATIENCE, **fields: Any) -> Entry:
        """``wait`` for tests that are not async."""
        end = time.monotonic() + timeout
        while not (found := self.entries(event, **fields)):
            assert time.monotonic() < end, f"the upstream's journal has no {event} {fields}: {self._events()}"
            time.sleep(POLL)
        return found[0]

    def _events(self) -> list[str]:
        return [entry["event"] for entry in self.entries()][-20:]


def body_of(request: Entry) -> bytes:
    """The body of a journalled request, byte for byte."""
    return base64.b64decode(request["body"])


def header_of(request: Entry, name: str) -> str | None:
    """A header of a journalled request."""
    return next((value for key, value in request["headers"] if key == name.lower()), None)
