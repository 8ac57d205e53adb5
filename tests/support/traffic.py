"""A gateway with every policy on, and many requests through it at once."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from tests.support.gateway import Gateway
from tests.support.scale import PATIENCE
from tests.support.wire import Cut, Wire

T = TypeVar("T")
R = TypeVar("R")

KEY = "sk-client-of-the-tests"
CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "Hello, 世界"}]
# Authenticated, identified, and JSON: what an official client sends.
HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
POLL = 0.01  # seconds between looks at another process


def config(url: str, *, server: str = "", timeouts: str = "", provider: str = "", key: str = KEY) -> str:
    """Model `fast` is renamed on its way, any other keeps its name; every policy runs on both routes."""
    hashed = hashlib.sha256(key.encode()).hexdigest()
    return f"""
listen: 127.0.0.1:8080
server: {{{server}}}
timeouts: {{{timeouts}}}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-upstream{provider}}}
tenants:
  acme: {{models: ["*"], teams: {{search: {{keys: {{web: {{hash: "sha256:{hashed}"}}}}}}}}}}
policies:
  all:
    - authenticate
    - allow_models
    - headers: {{request: {{set: {{x-team: search}}, pass: [x-passed]}}, response: {{set: {{x-served-by: gate}}}}}}
    - tags: {{accept: [user]}}
routes:
  renamed: {{models: [fast], policies: [{{use: all}}], target: up/gpt-4o-mini}}
  any: {{policies: [{{use: all}}], target: up/*}}
"""


def ask(*, model: str = "fast", stream: bool = False, **script: Any) -> bytes:
    """A chat request whose answer follows ``script``."""
    request: dict[str, Any] = {"model": model, "messages": MESSAGES, "stream": stream}
    if script:
        request["script"] = script
    return json.dumps(request).encode()


def answer_of(body: bytes, content_type: str = "text/event-stream", **more: Any) -> dict[str, Any]:
    """The script of an answer with exactly this body."""
    return {"body64": base64.b64encode(body).decode(), "content_type": content_type, **more}


def as_named(name: str) -> dict[str, str]:
    """Headers of a request that the upstream's journal can be asked for by name: see ``named``."""
    return {**HEADERS, "idempotency-key": name}


def named(requests: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Journalled requests by the name that ``as_named`` gave them."""
    return {value: one for one in requests for header, value in one["headers"] if header == "idempotency-key"}


async def at_once(
    port: int, jobs: Iterable[T], do: Callable[[Wire, T], Awaitable[R]], *, connections: int = 16
) -> list[R]:
    """``do(wire, job)`` for every job over a few connections that are kept; the results in the order of the jobs."""
    waiting = list(enumerate(jobs))[::-1]
    results: dict[int, R] = {}

    async def work() -> None:
        wire: Wire | None = None
        try:
            while waiting:
                number, job = waiting.pop()
                if wire is None:
                    wire = await Wire.open(port)
                results[number] = await do(wire, job)
                if wire.ended is not None or wire.header("connection") == "close":
                    wire.close()
                    wire = None
                else:
                    wire.log.clear()
        finally:
            if wire is not None:
                wire.close()

    await asyncio.gather(*(work() for _ in range(min(connections, len(waiting)))))
    return [results[number] for number in sorted(results)]


async def told(wire: Wire) -> tuple[int, bytes, str]:
    """Status, what came of the body, and how the answer ended: `whole`, `fin` or `reset`."""
    try:
        status = await wire.head()
        return status, await wire.whole(), "whole"
    except Cut as cut:
        wire.ended = wire.ended or "fin"
        return wire.status, cut.body, cut.how


def code_of(body: bytes) -> str:
    """The code of an error in OpenAI's shape, or in Google's for who came with its header; fails if it is none."""
    error = json.loads(body)["error"]
    if error.keys() == {"code", "message", "status", "details"}:
        reason: str = error["details"][0]["reason"]
        return reason
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["type"]
    code: str = error["code"]
    return code


def open_sockets(gateway: Gateway) -> int:
    """How many sockets the gateway holds: connections, and a few of its own. Its watcher's files come and go."""
    count = 0
    for one in Path(f"/proc/{gateway.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += one.readlink().name.startswith("socket:")
    return count


async def settled(gateway: Gateway, sockets: int, *, timeout: float = PATIENCE) -> None:
    """Wait until nothing is in flight and the gateway holds no more than so many sockets."""
    end = time.monotonic() + timeout
    while in_flight(gateway) or open_sockets(gateway) > sockets:
        assert time.monotonic() < end, f"{in_flight(gateway)} in flight, {open_sockets(gateway)} sockets, not {sockets}"
        await asyncio.sleep(POLL)


async def idle(gateway: Gateway, *, timeout: float = PATIENCE) -> None:
    """Wait until the gateway works at nothing: a WebSocket of the test before may still be saying goodbye (2 s)."""
    end = time.monotonic() + timeout
    while left := await asyncio.to_thread(in_flight, gateway):
        assert time.monotonic() < end, f"{left} requests are still in flight"
        await asyncio.sleep(0.02)


def in_flight(gateway: Gateway) -> int:
    """Requests that the gateway is working at."""
    for line in gateway.get("/metrics")[1].decode().splitlines():
        if line.startswith("sluicegate_requests_in_flight "):
            return int(float(line.split()[1]))
    raise AssertionError("the gateway does not count its requests")
