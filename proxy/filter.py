"""What sees an answer's text as it flows, and may change or stop it; and what takes a stream apart."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

import msgspec

from proxy.chat import Delta


class Halt(msgspec.Struct, frozen=True):
    """The answer ends here, as its dialect says that a filter has stepped in. ``message`` tells the caller why."""

    message: str
    code: str = "guardrail_blocked"


class Filter(Protocol):
    """Sees one answer's text as it flows, as neutral deltas; one object per response, with its own buffers.

    Text, thoughts, refusals and arguments of every choice come as they were written, block by block; so does each text
    of an answer that is not streamed, and everything else that carries text (names of tools, citations …), whole, as a
    block of its own. What the filter does not hand on is never delivered. A call may be awaited where it takes long.
    """

    def feed(self, delta: Delta) -> list[Delta | Halt] | Awaitable[list[Delta | Halt]]:
        """What to pass on now; an empty list holds it back. Nothing after a ``Halt`` is looked at."""

    def close(self, choice: int, block: int) -> list[Delta | Halt] | Awaitable[list[Delta | Halt]]:
        """A block is complete: what was held back of it."""

    def unread(self, what: str) -> Halt | None:
        """Something of the answer cannot be looked into; None lets it pass."""
