"""A connection after its upgrade to WebSocket: uvicorn's implementation, bounded."""

from __future__ import annotations

import asyncio
import logging
import math
from time import monotonic
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.protocol import State

_log = logging.getLogger("proxy.server")

# Pings are answered without asking the application; a client that sends them and reads nothing may fill this much.
_MAX_UNSENT = 1024 * 1024
# A relay that sees the disconnect message ends by itself; one that waits elsewhere is cancelled after this time.
_CANCEL_AFTER = 0.5


class GateWebSocket(WebSocketsSansIOProtocol):
    """Adds what uvicorn leaves open: a write deadline, a bound for unread answers, an end for a deaf application."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits = server_state.limits  # type: ignore[attr-defined]
        self.deadline = math.inf
        self.write_deadline = math.inf
        self._unsent = 0
        self._task: asyncio.Task[Any] | None = None

    async def run_asgi(self) -> None:
        self._task = asyncio.current_task()
        code = 1011
        try:
            await self.app(self.scope, self.receive, self.send)
            code = 1000
        except ClientDisconnected:
            pass
        except asyncio.CancelledError:
            code = 1012
        except Exception:
            if not self.disconnected:
                _log.exception("the application failed on a WebSocket")
        self._close(code)

    def _close(self, code: int) -> None:
        if self.disconnected:
            return
        if not self.handshake_complete:
            self.send_500_response()
        elif not self.close_sent and self.conn.state is State.OPEN:
            self.conn.send_close(code)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        if self.close_timer is None:
            self.transport.close()
            self.write_deadline = monotonic() + self.limits.write_timeout

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._task is not None and not self._task.done():
            self.loop.call_later(_CANCEL_AFTER, self._task.cancel, "client_gone")

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.writable.is_set() and self.transport.get_write_buffer_size() > _MAX_UNSENT:
            self.transport.abort()

    def shutdown(self) -> None:
        """The server is draining: the session goes on until its task is cancelled."""

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent = self.transport.get_write_buffer_size()
        self.write_deadline = monotonic() + self.limits.write_timeout

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self.write_deadline = math.inf

    def expire(self, now: float) -> None:
        """The client has taken too long to read."""
        unsent = self.transport.get_write_buffer_size()
        if 0 < unsent < self._unsent:
            self._unsent = unsent
            self.write_deadline = now + self.limits.write_timeout
            return
        self.write_deadline = math.inf
        self.transport.abort()
