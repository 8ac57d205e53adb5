"""The latest receipts, in memory: a ring with a bound of its count and of its size; and whoever wants to hear of more.

A request adds some references to the ring; its receipt is made when somebody asks for it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, Protocol

import msgspec

from proxy.exchange import Exchange
from proxy.server.draining import Draining
from proxy.stream import Outcome, Send
from proxy.telemetry.bodies import Copy, credentials, kept, shown, spelled, without, without_lookalikes
from proxy.telemetry.receipt import Body, Ended, Receipt, Text, made

MAX_LISTENERS = 16
_QUEUE = 256  # receipts that wait for one listener
_MOST_SECRETS = 1000
_SHORTEST = 8  # characters of a secret; what is shorter stands in texts by chance
STATUS = re.compile(r"[1-5](\d\d|xx)")


class Settings(msgspec.Struct, frozen=True):
    """What the file says; ``max_size`` in bytes, ``keep`` in seconds, None for not at all."""

    max: int = 1000
    max_size: int = 16 << 20
    keep: float | None = None
    max_kept: int = 100_000
    bodies: Literal["none", "redacted"] = "none"
    timings: bool = False

    @property
    def has_texts(self) -> bool:
        return bool(self.max) and self.bodies == "redacted"


class Filter(msgspec.Struct, frozen=True):
    """Which receipts are meant; "" for all. ``status``: ``429`` or ``4xx``."""

    route: str = ""
    model: str = ""
    status: str = ""
    organisation: str = ""
    team: str = ""
    key: str = ""

    def meets(self, one: Ended) -> bool:
        """Whether this one is meant."""
        who = one.identity
        return (
            self.route in ("", one.route)
            and self.model in ("", one.model)
            and (not self.status or _has_status(one.status, self.status))
            and self.organisation in ("", who.organisation if who is not None else None)
            and self.team in ("", who.team if who is not None else None)
            and self.key in ("", who.key if who is not None else None)
        )


def _has_status(status: int, wanted: str) -> bool:
    return str(status)[:1] == wanted[:1] if wanted.endswith("xx") else str(status) == wanted


class Keeper(Protocol):
    """Where receipts are kept beyond the ring."""

    def add(self, one: Ended) -> None:
        """Write it down soon."""

    async def find(self, id: str, meant: Filter, *, bodies: bool) -> bytes | None:
        """The receipt with this id, as JSON."""

    async def latest(self, meant: Filter, limit: int) -> list[bytes]:
        """At most so many, the newest first, without texts."""


class Listener:
    """Receipts that wait for one who listens. Who is too slow misses the oldest of them, and is told how many."""

    __slots__ = ("_ready", "meant", "missed", "waiting")

    def __init__(self, meant: Filter) -> None:
        self.meant = meant
        self.missed = 0
        self.waiting: deque[Ended] = deque()
        self._ready = asyncio.Event()

    def put(self, one: Ended) -> None:
        """One more."""
        if len(self.waiting) >= _QUEUE:
            self.waiting.popleft()
            self.missed += 1
        self.waiting.append(one)
        self._ready.set()

    async def more(self, seconds: float) -> bool:
        """Wait until there is one; False if none has come within that time."""
        if not self.waiting:
            self._ready.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._ready.wait()
            except TimeoutError:
                return False
        return True

    def take(self, most: int) -> tuple[int, list[Ended]]:
        """How many were missed, and at most so many of those that wait."""
        missed, self.missed = self.missed, 0
        return missed, [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]


class Receipts:
    """Of one process. ``add`` is an ``App``'s listener. ``keeper``: where they are kept on disk, None for nowhere."""

    def __init__(self, settings: Settings | None = None, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings or Settings()
        self.keeper: Keeper | None = None
        self.draining = Draining()  # the server's, once there is one
        self.size = 0  # bytes, about
        self._clock = clock
        self._ring: deque[Ended] = deque()
        self._known: dict[str, Ended] = {}
        self._listeners: set[Listener] = set()
        self._secrets: dict[bytes, None] = {}

    # Requests

    def add(self, x: Exchange, outcome: Outcome | None, end: str | None, seconds: float) -> None:
        """A request is over."""
        if not self.settings.max:
            return
        one = Ended(x, outcome, end, seconds, self._clock())
        secrets = credentials(x.headers, x.query)
        if secrets:
            _hide(one, secrets)
        if self.settings.has_texts:
            one.keep(*kept(x, secrets))
        self._ring.append(one)
        self._known[one.id] = one
        self.size += one.size
        self._fit()
        if self._listeners or self.keeper is not None:
            self._tell_settled(x, one)

    def copy(self, x: Exchange, send: Send) -> Send:
        """What sends the answer of ``x`` instead of ``send``, so that its text is kept."""
        x.copy = made = Copy(send)
        return made.send

    def follow(self, settings: Mapping[str, Any], secrets: Sequence[str], keeper: Keeper | None = None) -> None:
        """What the file says now. No receipt shows its ``secrets``; those of files before stay hidden. ``keeper`` is
        used if they are to be kept."""
        self.settings = Settings(**settings)
        self.keeper = keeper if self.settings.keep is not None else None
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                for form in spelled(secret):
                    self._secrets[form] = self._secrets.pop(form, None)
        while len(self._secrets) > _MOST_SECRETS:
            del self._secrets[next(iter(self._secrets))]
        self._fit()

    def _fit(self) -> None:
        """Forget the oldest, as many as it takes."""
        settings = self.settings
        while self._ring and (len(self._ring) > settings.max or self.size > settings.max_size):
            oldest = self._ring.popleft()
            self.size -= oldest.size
            if self._known.get(oldest.id) is oldest:
                del self._known[oldest.id]

    def _tell_settled(self, x: Exchange, one: Ended) -> None:
        """Tell the others as soon as it is known what it has cost."""
        charges = [
            attempt.charge for attempt in x.attempts if attempt.charge is not None and not attempt.charge.is_settled
        ]
        left = len(charges) + 1

        def settled() -> None:
            nonlocal left
            left -= 1
            if not left:
                self._tell(one)

        for charge in charges:
            charge.then(settled)
        settled()

    def _tell(self, one: Ended) -> None:
        for listener in self._listeners:
            if listener.meant.meets(one):
                listener.put(one)
        if self.keeper is not None:
            self.keeper.add(one)

    # Whoever asks

    def find(self, id: str) -> Ended | None:
        """The request with this id, while it is remembered."""
        return self._known.get(id)

    def latest(self, meant: Filter, limit: int) -> list[Ended]:
        """At most so many, the newest first."""
        return list(islice((one for one in reversed(self._ring) if meant.meets(one)), limit))

    def write(self, one: Ended, *, bodies: bool) -> bytes:
        """Its receipt as JSON, without secrets. ``bodies``: with the texts, where they are kept. From any thread."""
        secrets = tuple(self._secrets)

        def show(text: Text) -> Body | None:
            return shown(text, secrets) if bodies else None

        receipt: Receipt = made(one, show)
        text = msgspec.json.encode(receipt)
        if any(secret in text for secret in secrets):  # what is a secret somewhere may be a key of a receipt
            text = msgspec.json.encode(_starred(msgspec.json.decode(text), secrets))
        return without_lookalikes(text)

    @property
    def is_full(self) -> bool:
        """Whether enough others listen."""
        return len(self._listeners) >= MAX_LISTENERS

    def listen(self, meant: Filter) -> Listener:
        """Hear of requests that end from now on, until ``leave``."""
        listener = Listener(meant)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Hear of no more."""
        self._listeners.discard(listener)


def _starred(value: Any, secrets: Sequence[bytes]) -> Any:
    """The same with stars in all of its texts that hold a secret."""
    if isinstance(value, str):
        return without(value.encode(), secrets).decode("utf-8", "replace")
    if isinstance(value, dict):
        return {name: _starred(child, secrets) for name, child in value.items()}
    if isinstance(value, list):
        return [_starred(child, secrets) for child in value]
    return value


def _hide(one: Ended, secrets: Sequence[bytes]) -> None:
    """A client may have written its key where its model belongs."""
    for secret in secrets:
        text = secret.decode("latin-1")
        if text in one.path:
            one.path = one.path.replace(text, "***")
        if text in one.model:
            one.model = one.model.replace(text, "***")
        if one.tags and any(text in value for value in one.tags.values()):
            one.tags = {name: value.replace(text, "***") for name, value in one.tags.items()}
