"""Keys issued beside a gateway that runs, by its command line and by its API for operators."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from proxy.keys.store import FILE
from tests.support.books import state
from tests.support.gateway import Gateway
from tests.support.nursery import sluicegate

POLL = 0.02  # seconds
LATEST = 1.0  # seconds after which every process knows of a change
TIMEOUT = 30.0
Answer = tuple[int, Any]


def command(running: Gateway, *words: str, status: int = 0) -> str:
    """What ``sluicegate keys`` prints, as typed beside the gateway; it must end with that status."""
    environment = {"SLUICEGATE_STATE_DIR": str(state(running))}
    words = ("keys", *words, "--config", str(running.config))
    done = sluicegate(*words, folder=running.folder, environment=environment, timeout=TIMEOUT)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


async def issue(running: Gateway, *words: str) -> dict[str, Any]:
    """What ``keys`` with these words and ``--json`` says."""
    found: dict[str, Any] = json.loads(await asyncio.to_thread(command, running, *words, "--json"))
    return found


def call(running: Gateway, method: str, path: str, key: str, body: Any = None) -> Answer:
    """A request by one connection of its own, so that any worker may get it; status and answer."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


async def operate(running: Gateway, method: str, path: str, key: str, body: Any = None) -> Answer:
    """The same, without holding up the test."""
    return await asyncio.to_thread(call, running, method, path, key, body)


async def ask(running: Gateway, key: str, model: str = "fast", **more: Any) -> Answer:
    """One question to the chat endpoint."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5} | more
    return await operate(running, "POST", "/v1/chat/completions", key, body)


async def becomes(status: int, look: Callable[[], Awaitable[Answer]], *, in_a_row: int = 1) -> None:
    """Look until the status is as it must be; fails if it is not after the time that every process may take."""
    end, seen = time.monotonic() + LATEST, 0
    while seen < in_a_row:
        began = time.monotonic()
        found, answer = await look()
        if found == status:
            seen += 1
            continue
        assert began < end, (found, answer)
        seen = 0
        await asyncio.sleep(POLL)


def kept(running: Gateway) -> bytes:
    """Everything in the files that issued keys are kept in."""
    return b"".join(path.read_bytes() for path in sorted(state(running).glob(f"{FILE}*")))
