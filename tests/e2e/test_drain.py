"""SIGTERM under load (REL-06, P7): seen at once, streams end whole or with a word, and the process goes in time."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from typing import Any

from tests.support.sse import Event, read_events

STREAMS = 200
DRAIN = 3.0
CHAT = "/v1/chat/completions"


def config(url: str, delay: float, drain: float = DRAIN) -> str:
    """One route, and a short end."""
    return f"""
listen: 127.0.0.1:8080
server: {{shutdown: {{delay: {delay}s, drain: {drain}s}}}}
providers:
  up: {{kind: openai, base_url: "{url}"}}
routes:
  chat: {{models: [fast], target: up/fast}}
"""


def asked(tokens: int, gap: int) -> dict[str, Any]:
    """A stream of so many words, so many milliseconds apart."""
    return {"model": "fast", "messages": [], "stream": True, "script": {"tokens": tokens, "gap_ms": gap}}


async def begun(wire: Any, port: int, tokens: int, gap: int) -> Any:
    """A stream whose head has come."""
    connection = await wire(port)
    await connection.request("POST", CHAT, asked(tokens, gap))
    assert await connection.head() == 200
    return connection


async def is_refused(port: int) -> bool:
    """Whether nobody listens there, or listens no more before the connection is accepted."""
    try:
        (await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port), 5)).close()
    except ConnectionError:
        return True
    return False


def error_of(events: list[Event]) -> dict[str, Any]:
    """The error in the last event."""
    found: dict[str, Any] = json.loads(events[-1].data or "{}").get("error", {})
    return found


async def test_200_streams_end_whole_or_with_a_word(gateway: Any, wire: Any, upstream: Any) -> None:
    """Those that can within the drain are whole; the others get the typed error and a proper end of the body."""
    running = gateway(config(upstream.url, 0))
    starting = [begun(wire, running.port, 4, 150) for _ in range(STREAMS // 2)]
    starting += [begun(wire, running.port, 1000, 200) for _ in range(STREAMS // 2)]
    streams = await asyncio.gather(*starting)
    at = time.monotonic()
    running.signal(signal.SIGTERM)
    while not await is_refused(running.port):
        assert time.monotonic() - at < DRAIN / 2, "the listener stays open"
    bodies = await asyncio.gather(*(stream.whole() for stream in streams))
    code = await asyncio.to_thread(running.wait)
    assert (code, time.monotonic() - at < DRAIN + 2.0) == (0, True)
    ends = [read_events(body) for body in bodies]
    assert {events[-1].data for events in ends[: STREAMS // 2]} == {"[DONE]"}
    assert all(len(events) >= 6 for events in ends[: STREAMS // 2])
    assert {error_of(events)["code"] for events in ends[STREAMS // 2 :]} == {"server_shutting_down"}
    assert all(len(events) > 3 for events in ends[STREAMS // 2 :])
    assert len(running.log("request", status=200)) == STREAMS
    assert len(running.log("request", code="server_shutting_down")) == STREAMS // 2
    assert running.log()[-1]["event"] == "serve.stopped"
    assert not [line for line in running.log() if line["level"] == "error"]


async def test_readiness_turns_before_anybody_is_refused(gateway: Any, wire: Any, upstream: Any) -> None:
    """During the delay a kept connection reads 503, and new connections and requests are still served."""
    running = gateway(config(upstream.url, 1))
    kept = await wire(running.port)
    assert (await kept.exchange("GET", "/readyz"))[0] == 200
    stream = await begun(wire, running.port, 4, 100)
    running.signal(signal.SIGTERM)
    async with asyncio.timeout(0.9):
        while (answer := await kept.exchange("GET", "/readyz"))[0] == 200:
            pass
    assert (answer[0], json.loads(answer[1])["status"]) == (503, "draining")
    late = await wire(running.port)
    assert (await late.exchange("POST", CHAT, {"model": "fast", "messages": []}))[0] == 200
    assert (await late.exchange("GET", "/healthz"))[0] == 200
    assert read_events(await stream.whole())[-1].data == "[DONE]"
    async with asyncio.timeout(3):
        while not await is_refused(running.port):
            await asyncio.sleep(0.02)
    assert await asyncio.to_thread(running.wait) == 0


async def test_a_new_file_during_the_drain_disturbs_nobody(gateway: Any, wire: Any, upstream: Any) -> None:
    """Neither a good one nor a bad one, nor a hang-up."""
    running = gateway(config(upstream.url, 0, 10))
    stream = await begun(wire, running.port, 5, 200)
    running.signal(signal.SIGTERM)
    running.write(config(upstream.url, 0, 1).replace("up", "next"))
    running.signal(signal.SIGHUP)
    await asyncio.sleep(0.3)
    running.write("routes: {")
    assert read_events(await stream.whole())[-1].data == "[DONE]"
    assert await asyncio.to_thread(running.wait) == 0
    assert not running.log("background.failed")


async def test_the_end_waits_for_no_old_generation(gateway: Any, wire: Any, upstream: Any) -> None:
    """Streams of three generations end with the drain, and their connections with them."""
    running = gateway(config(upstream.url, 0, 0.5))
    streams = []
    for number in range(2, 5):
        streams.append(await begun(wire, running.port, 1000, 100))
        running.write(config(upstream.url, 0, 0.5).replace("fast]", f"fast, other-{number}]"))
        await running.reloaded(number)
    at = time.monotonic()
    running.signal(signal.SIGTERM)
    bodies = await asyncio.gather(*(stream.whole() for stream in streams))
    assert {error_of(read_events(body))["code"] for body in bodies} == {"server_shutting_down"}
    assert await asyncio.to_thread(running.wait) == 0
    assert time.monotonic() - at < 0.5 + 2.0
    for entry in upstream.journal().requests():
        await upstream.journal().wait("closed", id=entry["id"])
    assert not [line for line in running.log() if line["level"] == "error"]
