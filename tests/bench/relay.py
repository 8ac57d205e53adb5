"""The yardstick: the smallest fair relay on Starlette and aiohttp, one shared session, streams passed as they come.

``python -m tests.bench.relay UPSTREAM PORT``. It knows no keys, no routes, no limits and no logs: what a gateway costs
above this is what its work costs.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route


def application(upstream: str, credential: str) -> Starlette:
    """The relay as an ASGI application."""
    outgoing = {"authorization": f"Bearer {credential}", "content-type": "application/json"}

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=600, sock_connect=5),
            auto_decompress=False,
        ) as session:
            app.state.session = session
            yield

    async def relay(request: Request) -> Response:
        session: aiohttp.ClientSession = request.app.state.session
        body = await request.body()
        answer = await session.post(upstream + request.scope["path"], data=body, headers=outgoing)
        headers = {"content-type": answer.headers.get("content-type", "application/json")}
        if answer.content_type == "text/event-stream":
            return StreamingResponse(_flow(answer), answer.status, headers)
        async with answer:
            return Response(await answer.read(), answer.status, headers)

    async def ready(request: Request) -> Response:
        return PlainTextResponse("ready")

    routes = [Route("/readyz", ready), Route("/v1/{path:path}", relay, methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan)


async def _flow(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with answer:
        async for chunk in answer.content.iter_any():
            yield chunk


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[1], os.environ["BENCH_UPSTREAM_KEY"]),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        proxy_headers=False,
        log_level="warning",
        backlog=2048,
    )
