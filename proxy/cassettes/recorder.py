"""What passes is kept, and written off the loop: the request path only collects references.

Everything that costs time (laying out, starring, disk) is done in a thread, for all that has come in a tenth of a
second at once. What does not fit is not recorded, and that is told.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from proxy.cassettes import cassette
from proxy.cassettes.matching import clean_query
from proxy.cassettes.take import Cut, Part, Raw, Request, Response, Take, blocks, write
from proxy.errors import GatewayError, Header
from proxy.exchange import Exchange

MAX_TAKE = 8 << 20  # bytes of one answer
MAX_PENDING = 32 << 20  # bytes that wait to be written
STAR = b"***"
_SHORTEST_SECRET = 8  # shorter values stand in texts by chance
_DELAY = 0.1  # seconds in which takes are collected
_DROPPED = frozenset({b"content-length", b"date", b"set-cookie"})
_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key"})


class Pending:
    """An exchange that is being recorded: what its answer is, and what of it has come."""

    __slots__ = (
        "answer",
        "code",
        "cut",
        "headers",
        "parts",
        "sent",
        "size",
        "stars",
        "started",
        "status",
        "target",
        "waited",
        "x",
    )

    def __init__(self, x: Exchange, stars: Stars) -> None:
        self.x = x
        self.stars = stars
        self.started = time.monotonic()
        self.sent = time.time()
        self.waited = 0.0  # seconds until the head of the answer
        self.status = 0
        self.headers: list[Header] = []
        self.code: str | None = None
        self.target = ""
        self.answer: bytes | None = None
        self.parts: list[Part] = []  # here with time.monotonic()
        self.size = len(x.body)  # bytes
        self.cut: tuple[float, GatewayError] | None = None  # time.monotonic(), and what broke it off

    def head(self, status: int, headers: list[Header], code: str | None, target: str) -> None:
        """The answer begins."""
        self.waited = time.monotonic() - self.started
        self.status, self.headers, self.code, self.target = status, headers, code, target

    def whole(self, body: bytes) -> None:
        """All of it is there."""
        self.answer = body
        self.size += len(body)


class Stars:
    """What must not stand in a cassette: secrets of the file and of the caller, and what ``redact`` finds."""

    __slots__ = ("_known", "_redact")

    def __init__(self, known: Iterable[bytes] = (), redact: Iterable[re.Pattern[bytes]] = ()) -> None:
        self._known = [form for secret in known for form in _forms(secret)]
        self._redact = tuple(redact)

    def secrets(self, x: Exchange) -> list[bytes]:
        """Every spelling of a secret that goes with ``x``."""
        found = list(self._known)
        for secret in x.secrets:
            found += _forms(secret)
        for name, value in x.headers:
            if name in _CREDENTIALS:
                found += _forms(value.rpartition(b" ")[2])
        return found

    def clean(self, data: bytes, secrets: list[bytes]) -> bytes:
        """``data`` with stars in their places."""
        for secret in secrets:
            if secret in data:
                data = data.replace(secret, STAR)
        for pattern in self._redact:
            data = pattern.sub(STAR, data)
        return data

    def request(self, x: Exchange, body: bytes | None = None) -> Request:
        """What ``x`` asks, as a cassette has it."""
        secrets = self.secrets(x)
        return self._request(x, self.clean(x.body if body is None else body, secrets), secrets)

    def _request(self, x: Exchange, body: bytes, secrets: list[bytes]) -> Request:
        type_ = (x.header(b"content-type") or b"").decode("latin-1")
        path = self.clean(x.path.encode(), secrets).decode()
        query = clean_query(self.clean(x.query, secrets)) if x.query else ""
        return Request(method=x.method, path=path, query=query, type=type_, body=Raw(body))

    def _content(self, data: bytes, secrets: list[bytes]) -> bytes:
        """A part of a document, which as a whole is looked through for secrets: but they hide in what is no text, and
        patterns are meant for the text alone."""
        return data if not self._redact and data.isascii() else self.clean(data, secrets)

    def document(self, pending: Pending) -> bytes:
        """A take as it is written."""
        x, secrets = pending.x, self.secrets(pending.x)
        request = self._request(x, self._content(x.body, secrets), secrets)
        cut = None
        if pending.cut is not None:
            at, error = pending.cut
            at = round((at - pending.started - pending.waited) * 1000, 1)
            cut = Cut(at=at, status=error.http_status, code=error.error_code, message=error.message)
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in pending.headers if name not in _DROPPED
        }
        after = round(pending.waited * 1000, 1)
        response = Response(status=pending.status, headers=headers, after=after, code=pending.code, cut=cut)
        take = Take(recorded=_moment(int(pending.sent)), request=request, response=response, target=pending.target)
        answer = None if pending.answer is None else self._content(pending.answer, secrets)
        document = write(take, request.content(), answer, self._parts(pending, secrets))
        for secret in secrets:
            if secret in document:
                document = document.replace(secret, STAR)
        return document

    def _parts(self, pending: Pending, secrets: list[bytes]) -> list[Part]:
        """Of a stream, in milliseconds; where anything of it is to be starred, event by event."""
        began = pending.started + pending.waited
        parts = [((at - began) * 1000, data) for at, data in pending.parts]
        body = b"".join([data for _, data in parts])
        if body == self._content(body, secrets):
            return parts
        return [(at, self.clean(block, secrets)) for at, block in blocks(parts)]


@lru_cache(8)
def _moment(second: int) -> str:
    """UTC; many takes have the same."""
    return datetime.fromtimestamp(second, UTC).isoformat().replace("+00:00", "Z")


def _forms(secret: bytes) -> list[bytes]:
    """A secret as it is, and as JSON writes it; nothing for one that stands in texts by chance."""
    secret = secret.strip()
    if len(secret) < _SHORTEST_SECRET:
        return []
    written = msgspec.json.encode(secret.decode("latin-1"))[1:-1]
    return [secret] if written == secret else [secret, written]


class Recorder:
    """Appends to the file at ``path``; begins it anew if ``fresh``. ``told`` hears that takes are missing (``dropped``
    or ``failed``), and why; ``kept`` gets what was written."""

    def __init__(
        self,
        path: Path,
        told: Callable[[str, str], None],
        kept: Callable[[list[bytes]], None] | None = None,
        *,
        fresh: bool = False,
    ) -> None:
        self._path = path
        self._told = told
        self._kept = kept
        self._fresh = fresh
        self._waiting: list[Pending] = []
        self._size = 0
        self._due: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def add(self, pending: Pending) -> bool:
        """It is over: write it soon. False if there is no room for it."""
        if pending.size > MAX_TAKE or self._size + pending.size > MAX_PENDING:
            what = "the answer is too long" if pending.size > MAX_TAKE else "the disk does not keep up"
            self._told("dropped", what)
            return False
        self._waiting.append(pending)
        self._size += pending.size
        if self._due is None and self._task is None:
            self._due = asyncio.get_running_loop().call_later(_DELAY, self._start)
        return True

    async def flushed(self) -> bool:
        """Wait until all that was added is written; False if there was nothing."""
        if not self._waiting and self._task is None:
            return False
        while self._waiting or self._task is not None:
            self._start()
            assert self._task is not None
            await asyncio.shield(self._task)
        return True

    async def aclose(self) -> None:
        """Write what is left."""
        await self.flushed()

    def _start(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._task is None:
            self._task = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        """All that waits, also what comes meanwhile."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    await asyncio.to_thread(self._write, batch)
                except (OSError, cassette.Full) as error:
                    self._told("failed", error.strerror or str(error) if isinstance(error, OSError) else str(error))
                self._size -= sum(pending.size for pending in batch)
        finally:
            self._task = None

    def _write(self, batch: list[Pending]) -> None:
        """In a thread."""
        documents = [pending.stars.document(pending) for pending in batch]
        if self._fresh:
            cassette.begin(self._path)
            self._fresh = False
        cassette.append(self._path, documents)
        if self._kept is not None:
            self._kept(documents)
