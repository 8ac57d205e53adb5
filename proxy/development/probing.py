"""Asks the ports of this machine whether a server of models listens there."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import json
from collections.abc import Mapping

from proxy.development.services import Server

LONGEST = 0.2  # seconds, for all of them together
MAX_BYTES = 1 << 20
MAX_MODELS = 100
_MAX_NAME = 200
_ASK = b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: application/json\r\nConnection: close\r\n\r\n"


def probe(ports: Mapping[str, int], longest: float = LONGEST) -> list[Server]:
    """The servers that answered within ``longest`` seconds, in the order of ``ports``."""
    return asyncio.run(_probe_all(ports, longest))


async def _probe_all(ports: Mapping[str, int], longest: float) -> list[Server]:
    found = await asyncio.gather(*(_probe(name, port, longest) for name, port in ports.items()))
    return [server for server in found if server is not None]


async def _probe(name: str, port: int, longest: float) -> Server | None:
    received = bytearray()
    with contextlib.suppress(OSError):  # of which a timeout is one; what came may be whole, where it stays open
        async with asyncio.timeout(longest):
            await _read(port, received)
    models = read_models(bytes(received))
    return None if models is None else Server(name, f"http://127.0.0.1:{port}/v1", models)


async def _read(port: int, received: bytearray) -> None:
    """Fill ``received`` with the answer, up to its limit."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_ASK % port)
        while len(received) < MAX_BYTES and (piece := await reader.read(MAX_BYTES - len(received))):
            received += piece
    finally:
        writer.transport.abort()


class _Received:
    """Bytes that were read from a socket already."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._received)


def read_models(received: bytes) -> tuple[str, ...] | None:
    """Names of models in an answer; None if it is no list of models, or one of a gateway like this, which would be
    asked for what it asks for."""
    answer = http.client.HTTPResponse(_Received(received))  # type: ignore[arg-type]
    try:
        answer.begin()
        if answer.status != 200 or any(name.lower().startswith("x-sluicegate-") for name in answer.headers):
            return None
        listed = json.loads(answer.read())["data"] or []
        names = [entry["id"] for entry in listed[:MAX_MODELS]]
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return None
    return tuple(dict.fromkeys(name for name in names if _is_usable(name)))


def _is_usable(name: object) -> bool:
    """Whether a file can name it: a text that moves no cursor, and no pattern."""
    return isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isprintable() and not set(name) & set("*?[")
