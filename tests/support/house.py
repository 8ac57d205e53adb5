"""Gateways one after another on the same state directory, and what their ledger must say in the end."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from proxy.ledger.row import Row
from tests.support import books
from tests.support.crowd import Asked, Heard
from tests.support.gateway import Gateway
from tests.support.nursery import sluicegate
from tests.support.scale import PATIENCE

KEY, OTHER = "sk-web-0123456789-0123456789-abcdef", "sk-app-0123456789-0123456789-abcdef"
SETTLED = {"ok", "error", "cancelled", "unknown"}
QUESTION: dict[str, Any] = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 20}


def config(url: str, *, web: str = "", app: str = "", more: str = "") -> str:
    """One route, two keys."""
    return f"""
server: {{shutdown: {{drain: 500ms}}}}
overload: {{enabled: false}}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up, models: {{"*": {{price: {{input: $1, output: $10}}}}}}}}
tenants:
  acme:
    teams:
      search:
        keys:
          web: {{hash: "{books.hashed(KEY)}"{web}}}
          app: {{hash: "{books.hashed(OTHER)}"{app}}}
routes:
  chat: {{models: [fast], policies: [authenticate, tags: {{accept: [user]}}, quota], target: up/fast}}
{more}
"""


class House:
    """Gateways one after another on the same state directory."""

    def __init__(self, make: Callable[..., Gateway], text: str, state: Path) -> None:
        self._make = make
        self._text = text
        self.state = state

    def start(self, **more: Any) -> Gateway:
        """The next one."""
        return self._make(self._text, env={"SLUICEGATE_STATE_DIR": str(self.state)}, **more)

    async def rows(self, least: int = 0, timeout: float = PATIENCE) -> list[Row]:
        """All rows, as soon as there are so many and none is open: they are written a moment later than they count."""
        end = time.monotonic() + timeout
        while True:
            found: list[Row] = await asyncio.to_thread(books.rows, self.state)
            if len(found) >= least and all(row.status != "open" for row in found):
                return found
            assert time.monotonic() < end, (least, Counter(row.status for row in found))
            await asyncio.sleep(books.POLL)

    async def verified(self, running: Gateway) -> tuple[int, str]:
        """What ``sluicegate ledger verify`` says."""
        words = ("ledger", "verify", "--config", str(running.config))
        environment = {"SLUICEGATE_STATE_DIR": str(self.state)}
        done = await asyncio.to_thread(sluicegate, *words, environment=environment)
        return done.returncode, done.stdout + done.stderr


def questions(names: Iterator[int], key: str = KEY) -> Iterator[Asked]:
    """Whole and streamed ones in turn, by a seed; some ask for usage."""
    draw = random.Random(5)
    for name in names:
        more: dict[str, Any] = {}
        if draw.random() < 0.6:
            more = {"stream": True}
            if draw.random() < 0.5:
                more["stream_options"] = {"include_usage": True}
        yield Asked(f"n{name}", key, QUESTION | more)


def in_order(rows: list[Row], heard: list[Heard], seen: list[str]) -> None:
    """The rows are what callers and the upstream know: none is missing, none is there twice."""
    twice = [pair for pair, times in Counter((row.request, row.number) for row in rows).items() if times > 1]
    assert not twice
    ok = Counter(row.request for row in rows if row.status == "ok")
    assert [one.name for one in heard if one.is_served and ok[one.request] != 1] == []
    booked = Counter(row.user for row in rows if row.status in SETTLED)
    assert [name for name, times in Counter(seen).items() if booked[name] != times] == []
    for row in rows:
        if row.status == "unknown":
            assert (row.cost, row.source) == (row.bound_cost, "bound")
            assert "recovered" in row.flags.split()
