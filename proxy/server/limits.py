"""What the listening side allows: sizes in bytes, times in seconds. Nothing here is unlimited."""

from __future__ import annotations

import msgspec

_KIB = 2**10
_MIB = 2**20


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one listener. A connection keeps the limits with which it was accepted; a reload changes the next ones.

    ``max_headers`` is the whole header block with its request line. ``header_timeout`` runs from the connection, for
    later requests from their first byte; ``body_timeout`` between two reads of a body, ``body_total_timeout`` for all
    of it. ``keep_alive`` is the rest between two requests, ``write_timeout`` the time in which a client takes no byte.
    ``shutdown_delay`` passes between a SIGTERM and the closing of the listener, then requests have ``drain`` to end.
    """

    max_body: int = 10 * _MIB
    max_headers: int = 32 * _KIB
    max_header_count: int = 100
    max_url: int = 8 * _KIB
    max_connections: int = 10_000
    max_websocket_message: int = _MIB
    header_timeout: float = 10.0
    body_timeout: float = 10.0
    body_total_timeout: float = 60.0
    keep_alive: float = 75.0
    write_timeout: float = 30.0
    shutdown_delay: float = 0.0
    drain: float = 30.0

    def sweep_interval(self) -> float:
        """Seconds between two looks at all connections: one, or less where a deadline is short."""
        shortest = min(
            self.header_timeout, self.body_timeout, self.body_total_timeout, self.keep_alive, self.write_timeout
        )
        return max(0.05, min(1.0, shortest / 4))
