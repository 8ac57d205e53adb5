"""The client of a store that replicas share: one that gives up at once, as its next question is the next try."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio import Redis


def client_of(url: str, timeout: float, connections: int) -> Redis:
    """``timeout``: seconds to connect, for an answer, and for one of the ``connections`` to be free."""
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    pool = BlockingConnectionPool.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        max_connections=connections,
        timeout=timeout,
    )
    made: Redis = Redis.from_pool(pool)
    return made
