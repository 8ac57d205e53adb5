"""An application that writes down what reached it, served by the real server in a process of its own.

Run as ``python -m tests.faults.journalled JOURNAL LIMITS_AS_JSON``; it prints its port. The path says what is done.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from proxy.server.limits import ServerLimits
from proxy.server.serve import Server

Scope = dict[str, Any]


class Journalled:
    """Answers by path, and notes each request, each message that mattered and each end in the journal."""

    def __init__(self, journal: Path) -> None:
        self._file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.server: Server | None = None

    def note(self, line: str) -> None:
        os.write(self._file, line.encode() + b"\n")

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        name = scope["path"].strip("/").split("/")[0] or "echo"
        self.note(f"request {scope.get('method', 'WS')} {scope['raw_path'].decode()}")
        try:
            if scope["type"] == "websocket":
                await self.websocket(receive, send)
            else:
                await getattr(self, name)(scope, receive, send)
        except asyncio.CancelledError as cancelled:
            self.note(f"cancelled {name} {' '.join(map(str, cancelled.args))}")
            raise
        finally:
            self.note(f"end {name}")

    async def _body(self, receive: Any) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                return b"".join(parts)

    async def _answer(self, send: Any, body: bytes, status: int = 200) -> None:
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def echo(self, scope: Scope, receive: Any, send: Any) -> None:
        body = await self._body(receive)
        self.note(f"body {len(body)}")
        await self._answer(send, b"%d bytes" % len(body))

    async def headers(self, scope: Scope, receive: Any, send: Any) -> None:
        await self._answer(send, b"".join(b"%b: %b\n" % header for header in scope["headers"]))

    async def readyz(self, scope: Scope, receive: Any, send: Any) -> None:
        assert self.server is not None
        await self._answer(send, b"state", 503 if self.server.draining.active else 200)

    async def early(self, scope: Scope, receive: Any, send: Any) -> None:
        await self._answer(send, b"no", 401)

    async def wait(self, scope: Scope, receive: Any, send: Any) -> None:
        await self._body(receive)
        self.note("waiting")
        await asyncio.Event().wait()

    async def unread(self, scope: Scope, receive: Any, send: Any) -> None:
        self.note("waiting")
        await asyncio.sleep(float(scope["query_string"] or b"60"))
        await self._answer(send, b"%d bytes" % len(await self._body(receive)))

    async def stream(self, scope: Scope, receive: Any, send: Any) -> None:
        """Events until the end of the drain, which gets an error event."""
        await self._body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: first\n\n", "more_body": True})
        self.note("streaming")
        try:
            while True:
                await asyncio.sleep(0.05)
                await send({"type": "http.response.body", "body": b"data: more\n\n", "more_body": True})
        except asyncio.CancelledError as cancelled:
            if "draining" not in cancelled.args:
                raise
            self.note("told to end")
            await send({"type": "http.response.body", "body": b"event: error\ndata: shutting_down\n\n"})

    async def flood(self, scope: Scope, receive: Any, send: Any) -> None:
        """Bytes as fast as they are taken; the journal says how many were."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": bytes(16384), "more_body": True})
            self.note("took 16384")

    async def large(self, scope: Scope, receive: Any, send: Any) -> None:
        await self._answer(send, bytes(int(scope["query_string"])))

    async def crash(self, scope: Scope, receive: Any, send: Any) -> None:
        raise ZeroDivisionError("on purpose")

    async def die(self, scope: Scope, receive: Any, send: Any) -> None:
        """Begin a body and fail, framed as the query says: chunked, or with a length."""
        headers = [(b"content-length", b"100")] if scope["query_string"] == b"length" else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ZeroDivisionError("on purpose")

    async def inject(self, scope: Scope, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"b\r\nx-evil: 1")]})

    async def deaf(self, scope: Scope, receive: Any, send: Any) -> None:
        """Refuses to be cancelled."""
        self.note("deaf")
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.note("not listening")

    async def websocket(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        self.note(f"websocket ended {message['code']}")


def main(journal: str, limits: str) -> None:
    app = Journalled(Path(journal))
    server = Server(
        app,
        msgspec.json.decode(limits, type=ServerLimits),
        "127.0.0.1",
        0,
        on_started=lambda server: print(server.port, flush=True),
        on_refused=lambda status, code: app.note(f"refused {status} {code}"),
    )
    app.server = server
    server.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
