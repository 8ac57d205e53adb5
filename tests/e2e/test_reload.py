"""Reload loses nothing (REL-01, REL-04, REL-05): no request fails, is cut, or sees two files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import signal
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.journal import body_of, header_of
from tests.support.scale import often
from tests.support.sse import read_events

RELOADS = 100
STREAMS = 100
MANY = often(300, 1000)  # reloads
CHAT = "/v1/chat/completions"
PAGE = 4096


def config(url: str, number: int) -> str:
    """A file in which everything that a request can meet tells its number."""
    return f"""
listen: 127.0.0.1:8080
providers:
  one: {{kind: openai, base_url: "{url}", api_keys: [sk-{number}-a, sk-{number}-b]}}
  two: {{kind: openai, base_url: "{url}", api_key: sk-{number}-c}}
routes:
  chat:
    models: [fast, only-{number}]
    policies:
      - headers: {{request: {{set: {{x-file: "{number}"}}}}, response: {{set: {{x-file: "{number}"}}}}}}
    target:
      split:
        of:
          - {{weight: {1 + number % 9}, target: one/model-{number}}}
          - {{weight: 3, target: two/model-{number}}}
"""


def asked(name: str, words: list[str], *, stream: bool, **script: Any) -> dict[str, Any]:
    """A chat request that is answered with these words."""
    messages = [{"role": "user", "content": "Hello"}]
    told = {"id": name, "tokens": words, **script}
    return {"model": "fast", "messages": messages, "stream": stream, "script": told}


class Seen(NamedTuple):
    """What a client saw of one answer."""

    name: str
    status: int
    file: str | None
    generation: str | None
    is_whole: bool


class Load:
    """Clients that ask without a pause until they are told to stop."""

    def __init__(self, wire: Any, port: int) -> None:
        self._wire = wire
        self._port = port
        self._stop = False
        self.running = 0  # streams at this moment
        self.seen: list[Seen] = []

    def stop(self) -> None:
        """Let what runs end; ask no more."""
        self._stop = True

    async def streams(self, client: int) -> None:
        """One stream after another, of very different lengths; the first is longer than several reloads."""
        chance = random.Random(client)
        connection = await self._wire(self._port)
        for number in range(10_000):
            if self._stop:
                return
            words = [f"{client}.{number}.{at} " for at in range(12 if not number else chance.randint(2, 12))]
            gap = chance.choice((20, 100, 400))
            name = f"stream {client} {number}"
            self.running += 1
            await connection.request("POST", CHAT, asked(name, words, stream=True, gap_ms=gap))
            status, body = await connection.answer()
            self.running -= 1
            events = [event.data for event in read_events(body)]
            is_whole = events[-1:] == ["[DONE]"] and text_of(events) == "".join(words)
            self.note(name, status, connection, is_whole)

    async def requests(self, client: int) -> None:
        """One answer in one piece after another."""
        connection = await self._wire(self._port)
        for number in range(10_000):
            if self._stop:
                return
            name = f"request {client} {number}"
            status, body = await connection.exchange("POST", CHAT, asked(name, ["a ", "b"], stream=False))
            text = json.loads(body)["choices"][0]["message"]["content"] if status == 200 else ""
            self.note(name, status, connection, text == "a b")
            await asyncio.sleep(0.02)

    def note(self, name: str, status: int, connection: Any, is_whole: bool) -> None:
        """Keep what an answer looked like."""
        file, generation = connection.header("x-file"), connection.header("x-sluicegate-generation")
        self.seen.append(Seen(name, status, file, generation, is_whole))


def text_of(events: list[str | None]) -> str:
    """The words of a stream of chat chunks."""
    chunks = [json.loads(data) for data in events if data and data != "[DONE]"]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


async def test_a_hundred_reloads_under_load(gateway: Any, wire: Any, upstream: Any, tmp_path: Path) -> None:
    """Nothing fails, nothing is cut, and whatever a request meets comes from one file: model, keys, headers."""
    (tmp_path / "gateway1" / "config").mkdir(parents=True)
    running = gateway(config(upstream.url, 1), name="config/gateway.yaml")
    load = Load(wire, running.port)
    clients = [asyncio.ensure_future(load.streams(number)) for number in range(STREAMS)]
    clients += [asyncio.ensure_future(load.requests(number)) for number in range(4)]
    at_once = []
    for number in range(2, RELOADS + 2):
        running.write(config(upstream.url, number))
        await running.reloaded(number)
        at_once.append(load.running)
    load.stop()
    await asyncio.gather(*clients)

    assert [one for one in load.seen if one.status != 200 or not one.is_whole] == []
    sent = {json.loads(body_of(one))["script"]["id"]: one for one in upstream.journal().requests()}
    assert len(sent) == len(load.seen)
    files_of = defaultdict(set)
    for one in load.seen:
        request = sent[one.name]
        file = header_of(request, "x-file")
        assert one.file == file
        assert json.loads(body_of(request))["model"] == f"model-{file}"
        assert (header_of(request, "authorization") or "").startswith(f"Bearer sk-{file}-")
        files_of[one.generation].add(file)
    assert all(len(files) == 1 for files in files_of.values())
    assert min(at_once[5:]) > STREAMS * 0.8
    assert len(files_of) > RELOADS * 0.8
    applied = running.log("reload.applied")
    assert [line["generation"] for line in applied] == list(range(2, RELOADS + 2))
    loud = [line["event"] for line in running.log() if line["level"] in ("warning", "error")]
    assert set(loud) <= {"ledger.unpriced"}  # nobody knows what the upstream's models cost
    metrics = running.get("/metrics")[1].decode()
    assert f'sluicegate_config_reloads_total{{result="applied"}} {RELOADS}.0' in metrics
    assert f"sluicegate_config_generation {RELOADS + 1}.0" in metrics
    assert len({one["connection"] for one in sent.values()}) < STREAMS * 3


async def test_a_correction_in_one_route_keeps_every_connection(gateway: Any, wire: Any, upstream: Any) -> None:
    """The provider sees one connection, whatever is changed elsewhere in the file."""
    text = f"""
listen: 127.0.0.1:8080
providers:
  up: {{kind: openai, base_url: "{upstream.url}"}}
  typo: {{kind: openai, base_url: "{upstream.url}", optional: true}}
routes:
  chat: {{models: [fast], target: up/fast}}
  other: {{models: [NAME], target: up/other}}
"""
    running = gateway(text)
    connection = await wire(running.port)
    for number in range(2, 12):
        assert (await connection.exchange("POST", CHAT, asked("x", ["a"], stream=False)))[0] == 200
        running.write(text.replace("NAME", f"other-{number}"))
        await running.reloaded(number)
    assert len(upstream.journal().entries("connected")) == 1
    assert not upstream.journal().entries("closed")
    await running.logged("reload.applied", changes=['routes.other.models: ["other-10"] → ["other-11"]'])


async def test_a_provider_that_goes_closes_its_connections(gateway: Any, wire: Any, upstream: Any) -> None:
    """Not before its last stream has ended."""
    text = f"""
listen: 127.0.0.1:8080
providers:
  up: {{kind: openai, base_url: "{upstream.url}"}}
routes:
  chat: {{models: [fast], target: up/fast}}
"""
    running = gateway(text)
    connection = await wire(running.port)
    assert (await connection.exchange("POST", CHAT, asked("x", ["a"], stream=False)))[0] == 200
    await connection.request("POST", CHAT, asked("long", ["a", "b", "c"], stream=True, gap_ms=150))
    assert await connection.head() == 200
    running.write(text.replace("up:", "next:").replace("up/", "next/"))
    await running.reloaded(2)
    assert read_events(await connection.whole())[-1].data == "[DONE]"
    await upstream.journal().wait("closed", connection=upstream.journal().entries("connected")[0]["connection"])
    assert (await connection.exchange("POST", CHAT, asked("x", ["a"], stream=False)))[0] == 200
    assert len(upstream.journal().entries("connected")) == 2


async def test_a_limited_key_rests_on_after_a_reload(gateway: Any, wire: Any, upstream: Any) -> None:
    """What is known of a key survives, by the account's name."""
    limited = {"status": 429, "headers": {"retry-after": "60"}}
    text = f"""
listen: 127.0.0.1:8080
providers:
  up: {{kind: openai, base_url: "{upstream.scripted(at={"sk-limited": limited})}", api_keys: [sk-limited, sk-good]}}
routes:
  chat: {{models: [fast, other-1], target: up/fast}}
"""
    running = gateway(text)
    connection = await wire(running.port)
    for number in range(2, 6):
        for _ in range(4):
            assert (await connection.exchange("POST", CHAT, {"model": "fast", "messages": []}))[0] == 200
        running.write(text.replace("other-1", f"other-{number}"))
        await running.reloaded(number)
    keys = [header_of(one, "authorization") for one in upstream.journal().requests()]
    assert keys.count("Bearer sk-limited") == 1


async def test_a_stream_outlives_its_key_and_its_model(gateway: Any, wire: Any, upstream: Any) -> None:
    """What runs ends well; the next request is refused."""
    text = f"""
listen: 127.0.0.1:8080
providers:
  up: {{kind: openai, base_url: "{upstream.url}"}}
tenants:
  acme: {{teams: {{search: {{keys: {{web: {{hash: "sha256:{hashlib.sha256(b"sk-abcdef").hexdigest()}"}}}}}}}}}}
routes:
  chat: {{models: [fast], policies: [authenticate], target: up/fast}}
"""
    running = gateway(text)
    known = {"authorization": "Bearer sk-abcdef"}
    first, second = await wire(running.port), await wire(running.port)
    words = [f"{at} " for at in range(10)]
    await first.request("POST", CHAT, asked("x", words, stream=True, gap_ms=100), known)
    assert await first.head() == 200
    without_key = text.replace(hashlib.sha256(b"sk-abcdef").hexdigest(), "0" * 64)
    running.write(without_key)
    await running.reloaded(2)
    assert (await second.exchange("POST", CHAT, asked("y", words, stream=False), known))[0] == 401
    running.write(text.replace("[fast]", "[slow]"))
    await running.reloaded(3)
    assert (await second.exchange("POST", CHAT, asked("y", words, stream=False), known))[0] == 404
    events = [event.data for event in read_events(await first.whole())]
    assert (text_of(events), events[-1]) == ("".join(words), "[DONE]")


@pytest.mark.soak
async def test_many_reloads_leave_nothing_behind(gateway: Any, wire: Any, upstream: Any) -> None:
    """Memory, file descriptors and threads stay where they were, though each file brings pools of its own."""
    running = gateway(config(upstream.url, 1))
    connection = await wire(running.port)

    async def reload_to(number: int) -> None:
        limit = f"sk-{number}-c, max_connections: {100 + number}"
        running.write(config(upstream.url, number).replace(f"sk-{number}-c", limit))
        running.signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while json.loads((await connection.exchange("GET", "/readyz"))[1])["generation"] < number:
            assert time.monotonic() < end, running.output()[-2000:]

    def measure() -> tuple[int, int, int]:
        threads = len(list(Path(f"/proc/{running.pid}/task").iterdir()))
        return running.rss(), running.open_files(), threads

    sizes = []
    for number in range(2, MANY + 2):
        await reload_to(number)
        if number % 10 == 0:
            assert (await connection.exchange("POST", CHAT, asked("x", ["a"], stream=False)))[0] == 200
        if number % (MANY // 20) == 0:
            sizes.append(measure())
    rss, files, threads = zip(*sizes, strict=True)
    assert min(rss[-4:]) - min(rss[4:8]) < 0.6 * MANY * 20 * 1024
    assert max(files[4:]) - min(files[4:]) <= 4
    assert max(threads[4:]) - min(threads[4:]) <= 2
    loud = [line["event"] for line in running.log() if line["level"] in ("warning", "error")]
    assert set(loud) <= {"ledger.unpriced"}  # nobody knows what the upstream's models cost
