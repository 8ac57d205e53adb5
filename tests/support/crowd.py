"""Many callers at once on bare connections, who know exactly what reached them, also of a gateway that is killed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from tests.support.journal import Entry, JournalReader, body_of

PATIENCE = 30.0  # seconds that one caller waits
DONE = b"data: [DONE]"


class Asked(msgspec.Struct):
    """One question. ``name`` goes along as the tag ``user`` and as the body's ``user``: rows and the upstream's journal
    are joined by it. ``leave_after``: bytes of the body after which the caller goes, None if it stays."""

    name: str
    key: str
    body: dict[str, Any]
    path: str = "/v1/chat/completions"
    leave_after: int | None = None

    def packed(self) -> bytes:
        """The bytes of the request."""
        body = json.dumps(self.body | {"user": self.name}).encode()
        head = f"POST {self.path} HTTP/1.1\r\nhost: gate\r\nconnection: close\r\ncontent-type: application/json\r\n"
        head += f"authorization: Bearer {self.key}\r\nx-sluicegate-tags: user={self.name}\r\n"
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class Heard(msgspec.Struct):
    """What reached a caller: status 0 if no head did. ``is_whole``: its framing says that nothing is missing."""

    name: str
    sent: float = 0.0  # both times as those of the upstream's journal
    ended: float = 0.0
    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""
    is_whole: bool = False
    has_left: bool = False

    @property
    def is_served(self) -> bool:
        """Whether the caller has all that it asked for: a whole body, or the marker at the end of a stream."""
        if "text/event-stream" in self.headers.get("content-type", ""):
            return self.status == 200 and DONE in self.body
        return self.status == 200 and self.is_whole

    @property
    def request(self) -> str:
        """The id that the gateway gave it."""
        return self.headers.get("x-request-id", "")


async def ask(port: int, asked: Asked) -> Heard:
    """Ask, on a connection of its own. Never raises because of the gateway: what came until then is what was heard."""
    heard = Heard(asked.name, time.monotonic())
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(asked.packed())
                await _hear(reader, heard, asked.leave_after)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        return heard
    finally:
        heard.ended = time.monotonic()
    return heard


async def _hear(reader: asyncio.StreamReader, heard: Heard, leave_after: int | None) -> None:
    got = b""
    while not heard.is_whole:
        try:
            data = await reader.read(65536)
        except OSError:
            data = b""
        got += data
        _parse(got, heard)
        if leave_after is not None and heard.status and len(heard.body) >= leave_after:
            heard.has_left = True
            return
        if not data:
            return


def _parse(got: bytes, heard: Heard) -> None:
    head, found, rest = got.partition(b"\r\n\r\n")
    if not found:
        return
    if not heard.status:
        first, *lines = head.decode("latin-1").split("\r\n")
        heard.status = int(first.split(" ")[1])
        heard.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "content-length" in heard.headers:
        heard.body, heard.is_whole = rest, len(rest) >= int(heard.headers["content-length"])
        return
    heard.body, heard.is_whole = _unchunked(rest)


def _unchunked(rest: bytes) -> tuple[bytes, bool]:
    """What is there of a chunked body, and whether that is all."""
    body = b""
    while b"\r\n" in rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return body, True
        body += rest[:length]
        rest = rest[length + 2 :]
    return body, False


def after(seconds: float) -> Callable[[], bool]:
    """Whether that time has passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def never() -> bool:
    """Nothing but the questions has an end."""
    return False


async def crowd(port: int, questions: Iterable[Asked], rate: float, is_over: Callable[[], bool] = never) -> list[Heard]:
    """Ask these at ``rate`` in a second, whatever becomes of earlier ones, until there are no more or it is over."""
    tasks: list[asyncio.Task[Heard]] = []
    due = time.monotonic()
    for asked in questions:
        if is_over():
            break
        tasks.append(asyncio.create_task(ask(port, asked)))
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    return list(await asyncio.gather(*tasks))


def name_of(request: Entry) -> str:
    """Whose request it is, in the upstream's journal."""
    if "name" not in request:  # looked at again and again while a test waits
        request["name"] = json.loads(body_of(request))["user"]
    name: str = request["name"]
    return name


def asked_upstream(journal: JournalReader) -> list[str]:
    """The name of each request that the upstream saw, in their order."""
    return [name_of(request) for request in journal.requests()]
