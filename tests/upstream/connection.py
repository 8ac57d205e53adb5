"""One client of the fake upstream: reads requests off the socket, answers them, and notes when the client leaves."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import json
from typing import Any
from urllib.parse import unquote

import msgspec

from tests.upstream.answers import Events, Seen, Whole, answer
from tests.upstream.emitter import Emitter, Ended
from tests.upstream.journal import Journal
from tests.upstream.realtime import realtime
from tests.upstream.remembering import Memory
from tests.upstream.say import Say, said
from tests.upstream.script import Script, Steps, read_script

_TELL = "/.tell/"
_LINE_END = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}


class Head:
    """Request line and headers."""

    def __init__(self, block: bytes) -> None:
        first, *lines = block.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.method, self.target, _ = first.split(" ")
        self.path, _, self.query = self.target.partition("?")
        self.headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    def get(self, name: str) -> str:
        """A header, or the empty string."""
        return next((value for key, value in self.headers if key == name), "")


class World:
    """What all connections share."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.told: dict[str, dict[str, Any]] = {}
        self.steps = Steps()
        self.memory = Memory()
        self.connections = itertools.count(1)
        self.requests = itertools.count(1)


class Connection(asyncio.StreamReaderProtocol):
    """Serves one connection until it ends. ``closed`` in the journal means that the client went first."""

    def __init__(self, world: World) -> None:
        self._stream = asyncio.StreamReader(limit=1 << 20)
        super().__init__(self._stream, self._serve)
        self._world = world
        self._number = next(world.connections)
        self._current: int | None = None
        self._serving: asyncio.Task[None] | None = None
        self._we_closed = False

    def eof_received(self) -> bool:
        """The client sent its FIN."""
        self._gone("fin")
        super().eof_received()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._gone("reset" if exc is not None else "closed")
        super().connection_lost(exc)

    def _gone(self, how: str) -> None:
        if self._we_closed:
            return
        self._we_closed = True
        self._world.journal.write("closed", connection=self._number, id=self._current, how=how)
        if self._serving is not None and self._current is not None:
            self._serving.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving = asyncio.current_task()
        self._world.journal.write("connected", connection=self._number)
        writer.transport.set_write_buffer_limits(high=0)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, Ended, OSError):
            pass  # the client left, or the script said so: both are in the journal
        finally:
            self._we_closed = True
            if not writer.transport.is_closing():
                writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection may be used again."""
        head = Head(await reader.readuntil(b"\r\n\r\n"))
        self._current = number = next(self._world.requests)
        early = "~" in head.path and read_script(head.path, head.query, head.headers, b"", None, Steps()).early
        body = b"" if early else await self._body(head, reader, writer)
        content = head.get("content-type")
        parsed = _parse(body) if "json" in content or not content else None
        if head.path.startswith(_TELL):
            self._world.told[unquote(head.path.removeprefix(_TELL))] = parsed or {}
            self._current = None
            writer.write(b"HTTP/1.1 204 Told\r\n\r\n")
            return True
        self._world.journal.write(
            "request",
            id=number,
            connection=self._number,
            method=head.method,
            path=head.path,
            query=head.query,
            headers=head.headers,
            size=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            body=base64.b64encode(body).decode(),
        )
        try:
            script = read_script(head.path, head.query, head.headers, body, parsed, self._world.steps, self._world.told)
        except ValueError as error:
            script = Script(status=599, body={"error": {"message": f"bad script: {error}"}})
        self._world.journal.write("script", id=number, name=script.id)
        if script.remembers and isinstance(parsed, dict):
            script = msgspec.structs.replace(script, say=self._remembered(head, parsed, script))
        emitter = Emitter(writer, self._world.journal, number, script)
        await _fault(emitter, script)
        doom = None
        if script.reset_peer is not None:
            doom = asyncio.get_running_loop().call_later(script.reset_peer / 1000, self._reset, emitter)
        try:
            if head.get("upgrade").lower() == "websocket" and script.status == 200:
                await realtime(head.headers, reader, writer, emitter, script, self._world.journal, number)
                return False
            seen = Seen(head.method, _operation(head.path), body, parsed, content)
            reusable = await _respond(emitter, seen, script) and head.get("connection").lower() != "close"
        finally:
            if doom is not None:
                doom.cancel()
        self._current = None
        return reusable and not early

    def _remembered(self, head: Head, fields: dict[str, Any], script: Script) -> Say:
        """The answer of an account that has a cache of prompts."""
        account = f"{head.get('authorization') or head.get('x-api-key')} {fields.get('model')}"
        by_marks = head.path.endswith("/messages")
        return said([script.text or "Yes."], self._world.memory.read(account, fields, by_marks=by_marks))

    def _reset(self, emitter: Emitter) -> None:
        self._we_closed = True
        emitter.reset()
        if self._serving is not None:
            self._serving.cancel()

    async def _body(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        if head.get("expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if head.get("transfer-encoding"):
            parts = []
            while size := int((await reader.readline()).split(b";")[0], 16):
                parts.append(await reader.readexactly(size))
                await reader.readline()
            await reader.readuntil(b"\r\n")
            return b"".join(parts)
        return await reader.readexactly(int(head.get("content-length") or 0))


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _operation(path: str) -> str:
    """The path from the operation on, whatever stands before ``/v1``; Azure's deployments have no ``/v1``."""
    if "/v1beta/" in path or "/model/" in path:
        return path
    if "/v1/" in path:
        return "/" + path.split("/v1/", 1)[1]
    if "/deployments/" in path:
        return "/" + path.split("/deployments/", 1)[1].split("/", 1)[1]
    return path.removeprefix("/openai")


async def _fault(emitter: Emitter, script: Script) -> None:
    """The toxics that leave no answer at all."""
    if script.down:
        await emitter.die("reset")
    if script.timeout is not None:
        await asyncio.sleep(script.timeout / 1000 or 3600)
        await emitter.die("fin")


async def _respond(emitter: Emitter, seen: Seen, script: Script) -> bool:
    """Send the scripted or the regular answer; whether the connection may be used again."""
    if script.raw is not None:
        await emitter.wait(script.ttft_ms)
        await emitter.raw(base64.b64decode(script.raw))
    if script.events is not None:
        found: Whole | Events = Events([event.encode() for event in script.events], b"data: [DONE]")
    elif script.body64 is not None:
        found = Whole(base64.b64decode(script.body64), status=script.status)
    elif script.body is not msgspec.UNSET:
        text = script.body if isinstance(script.body, str) else json.dumps(script.body)
        found = Whole(text.encode(), status=script.status)
    elif script.status >= 300:
        found = Whole(_error(script.status), status=script.status)
    else:
        found = answer(seen, script)
    if isinstance(found, Events):
        return await _stream(emitter, found, script)
    return await _whole(emitter, found, script)


def _error(status: int) -> bytes:
    error = {"message": f"scripted {status}", "type": "scripted_error", "param": None, "code": f"scripted_{status}"}
    return json.dumps({"error": error}).encode()


def _headers(
    script: Script, content_type: str, length: int | None, own: dict[str, str | list[str]] | None = None
) -> list[tuple[str, str]]:
    """Content type, framing, the answer's own, and what the script adds or replaces."""
    headers = [("content-type", script.content_type or content_type)]
    if script.framing == "close":
        headers.append(("connection", "close"))
    elif length is None:
        headers.append(("transfer-encoding", "chunked"))
    else:
        headers.append(("content-length", str(length if script.content_length is None else script.content_length)))
    more = {**(own or {}), **script.headers}
    given = {name.lower() for name in more}
    headers = [header for header in headers if header[0] not in given]
    for name, value in more.items():
        headers += [(name, one) for one in (value if isinstance(value, list) else [value])]
    return headers


async def _whole(emitter: Emitter, found: Whole, script: Script) -> bool:
    body, chunked = found.body, script.framing == "chunked"
    if script.pad:
        body = body[:-1] + b', "pad": "' + b"x" * script.pad + b'"}'
    await emitter.wait(script.ttft_ms)
    status = found.status if script.status == 200 else script.status
    headers = _headers(script, found.content_type, None if chunked else len(body), found.headers)
    await emitter.head(status, headers, chunked=chunked)
    if body:
        await emitter.body(body)
    await emitter.end()
    return script.framing != "close" and script.content_length is None


async def _stream(emitter: Emitter, found: Events, script: Script) -> bool:
    chunked = script.framing != "close"
    line_end = _LINE_END[script.line_end]
    await emitter.head(script.status, _headers(script, found.content_type, None), chunked=chunked)
    for _ in range(script.comments):
        await emitter.body(b": comment" + line_end * 2)
    events = [*found.events, found.end] if script.done and found.end else found.events
    if script.pad:
        events.insert(1, b'data: {"choices": [], "pad": "' + b"x" * script.pad + b'"}')
    for number, event in enumerate(events):
        await emitter.wait(script.gap_ms if number else script.ttft_ms)
        data = event if found.framed else event.replace(b"\n", line_end) + line_end * 2
        await emitter.body(data, is_event=True)
    await emitter.end()
    return chunked
