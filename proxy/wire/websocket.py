"""WebSockets to a provider, on the same pool as its requests."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import BaseConnector, ClientTimeout, ClientWSTimeout, WSMsgType
from yarl import URL

from proxy.errors import BadAnswer, Header, Rejected, Unavailable, UpstreamTimeout
from proxy.policy import Timeouts
from proxy.wire.foreign import translate

MAX_MESSAGE = 16 << 20  # bytes: realtime audio comes in one message per answer part
HEARTBEAT = 30.0  # seconds between pings: a dead peer is found out within two
_CLOSE = ClientWSTimeout(ws_receive=None, ws_close=2.0)
# Close codes that must not be sent: they only tell that no code came.
_NOT_SENDABLE = frozenset({1005, 1006, 1015})


class Socket:
    """One open WebSocket: messages in and out, in order, one reader and one writer."""

    __slots__ = ("_socket",)

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the provider chose."""
        return self._socket.protocol

    @property
    def close_code(self) -> int:
        """The provider's close code once ``receive`` has given None; 1006 if it just went away."""
        return self._socket.close_code or 1006

    async def receive(self) -> str | bytes | None:
        """The next message: text or bytes; None when the socket is closed. A broken one raises ``UpstreamError``."""
        message = await self._socket.receive()
        kind = message.type
        if kind is WSMsgType.TEXT or kind is WSMsgType.BINARY:
            data: str | bytes = message.data
            return data
        if kind is WSMsgType.ERROR:
            raise BadAnswer("the provider broke the WebSocket protocol or sent a message that is too large")
        return None

    async def send(self, message: str | bytes) -> None:
        """Send one message; waits while the provider takes none."""
        try:
            if isinstance(message, str):
                await self._socket.send_str(message)
            else:
                await self._socket.send_bytes(message)
        except (aiohttp.ClientError, ConnectionError) as foreign:
            raise Unavailable("the provider's WebSocket is closed") from foreign

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye, wait two seconds at most for the answer, and close."""
        await self._socket.close(code=1000 if code in _NOT_SENDABLE else code, message=reason.encode()[:123])


class Sockets:
    """Opens WebSockets over a connector that somebody else owns."""

    __slots__ = ("_session",)

    def __init__(self, connector: BaseConnector) -> None:
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=ClientTimeout(total=None),
            middlewares=(_refuse_redirects,),
        )

    async def connect(self, url: URL, headers: list[Header], timeouts: Timeouts, protocols: tuple[str, ...]) -> Socket:
        """Connect and shake hands, within ``connect`` and ``first_token``."""
        texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        try:
            async with asyncio.timeout(timeouts.connect + timeouts.first_token):
                socket = await self._session.ws_connect(
                    url,
                    headers=texts,
                    protocols=protocols,
                    timeout=_CLOSE,
                    heartbeat=HEARTBEAT,
                    max_msg_size=MAX_MESSAGE,
                )
        except TimeoutError as late:
            raise UpstreamTimeout("the provider did not complete the WebSocket handshake in time") from late
        except aiohttp.WSServerHandshakeError as refused:
            raise _refusal(refused.status) from refused
        except (aiohttp.ClientError, OSError) as foreign:
            raise translate(foreign, timeouts) from foreign
        return Socket(socket)

    async def aclose(self) -> None:
        """Give the session up; sockets that are open close with the connector."""
        await self._session.close()


def _refusal(status: int) -> Rejected | Unavailable | BadAnswer:
    raw = (status, (), b"")
    if 400 <= status < 500:
        return Rejected(f"the provider refused the WebSocket with status {status}", raw=raw, status=status)
    if status >= 500:
        return Unavailable(f"the provider refused the WebSocket with status {status}", raw=raw)
    return BadAnswer("the provider's WebSocket handshake is not valid", raw=raw)


async def _refuse_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise BadAnswer(f"the provider answered with a redirect ({response.status}), which is never followed")
    return response
