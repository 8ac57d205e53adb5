"""WebSocket pass-through: messages both ways, unread, until either side ends."""

from __future__ import annotations

import asyncio
from typing import Any

from proxy.errors import Header, UpstreamError
from proxy.inbound import Receive
from proxy.policy import Answer
from proxy.stream import Outcome, Send
from proxy.wire.websocket import Socket

_UPSTREAM_FAILED = 1011  # RFC 6455 §7.4.1: the server met a condition that kept it from going on


class Relay:
    """The client's end of one WebSocket session."""

    __slots__ = ("_receive",)

    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    async def deliver(self, send: Send, answer: Answer, headers: list[Header]) -> Outcome:
        """Accept and relay if a provider has opened its side; otherwise refuse the handshake with the answer's body."""
        outcome = Outcome(answer.status, answer.code)
        await self._receive()  # websocket.connect
        if answer.socket is None:
            head = {"type": "websocket.http.response.start", "status": answer.status, "headers": headers}
            await send(head)
            await send({"type": "websocket.http.response.body", "body": answer.body or b""})
            outcome.complete = True
            return outcome
        socket: Socket = answer.socket
        try:
            await send({"type": "websocket.accept", "subprotocol": socket.protocol, "headers": headers})
            await self._relay(send, socket, outcome)
        finally:
            await socket.close()
        return outcome

    async def _relay(self, send: Send, socket: Socket, outcome: Outcome) -> None:
        """Both directions until one ends, then the other is told."""
        inbound = asyncio.ensure_future(self._to_provider(socket))
        outbound = asyncio.ensure_future(_to_client(send, socket, outcome))
        try:
            await asyncio.wait({inbound, outbound}, return_when=asyncio.FIRST_COMPLETED)
            if outbound.done():
                code = outbound.result()
                await send({"type": "websocket.close", "code": code})
                outcome.complete = code != _UPSTREAM_FAILED
            else:
                await socket.close(inbound.result())
                outcome.complete = True
        finally:
            inbound.cancel()
            outbound.cancel()
            await asyncio.gather(inbound, outbound, return_exceptions=True)

    async def _to_provider(self, socket: Socket) -> int:
        """Client → provider; the client's close code."""
        while True:
            message: dict[str, Any] = await self._receive()
            if message["type"] != "websocket.receive":
                code: int = message.get("code") or 1005
                return code
            text = message.get("text")
            await socket.send(message["bytes"] if text is None else text)


async def _to_client(send: Send, socket: Socket, outcome: Outcome) -> int:
    """Provider → client; the provider's close code."""
    try:
        while (message := await socket.receive()) is not None:
            is_text = isinstance(message, str)
            await send({"type": "websocket.send", "text" if is_text else "bytes": message})
            outcome.bytes_sent += len(message)
            outcome.chunks += 1
    except UpstreamError as error:
        outcome.code = error.error_code
        return _UPSTREAM_FAILED
    return socket.close_code if socket.close_code != 1006 else _UPSTREAM_FAILED
