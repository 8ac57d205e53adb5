"""CRS-04, FLT-10: a ledger whose file is locked, whose disk is full, or whose server is away.

Requests do not wait for it; what cannot be recorded is refused before it is sent; nothing that was sent is missing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import resource
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.support import books
from tests.support.crowd import Asked, Heard, after, ask, asked_upstream, crowd
from tests.support.gateway import Gateway
from tests.support.house import KEY, QUESTION, House, config, in_order, questions
from tests.support.ledger import in_postgres
from tests.support.postgres import Postgres
from tests.support.scale import PATIENCE
from tests.support.upstream import FakeUpstream

RATE = 60.0  # requests in a second
EVERY = 0.02  # seconds between probes
LAG = 0.1  # seconds that the gateway may keep a probe waiting, beyond what the machine does anyway
BUSY = 1.0  # seconds that it waits for the file each time: so long would be a probe that waits with it


@pytest.fixture
def house(gateway: Any, upstream: FakeUpstream, tmp_path: Path) -> Callable[[str], House]:
    """``house(config_text)``: a state directory with gateways to come."""
    upstream.tell("fast", ttft_ms=5, gap_ms=2)
    return lambda text: House(gateway, text, tmp_path / "state")


async def probed(port: int, is_over: Callable[[], bool]) -> list[float]:
    """Seconds that ``/healthz`` took each time, on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found: list[float] = []
    while not is_over():
        began = time.monotonic()
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: gate\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        found.append(time.monotonic() - began)
        await asyncio.sleep(EVERY)
    writer.transport.abort()
    return found


async def reasons(running: Gateway) -> list[str]:
    """What ``/readyz`` complains of."""
    found = json.loads((await asyncio.to_thread(running.get, "/readyz"))[1])
    assert found["status"] == "ready"
    listed: list[str] = found.get("reasons", [])
    return listed


async def told(running: Gateway, word: str) -> str:
    """The complaint with this word, as soon as it is there."""
    async with asyncio.timeout(PATIENCE):
        while not (found := [reason for reason in await reasons(running) if word in reason]):
            await asyncio.sleep(0.02)
    return found[0]


async def healed(running: Gateway) -> None:
    """Wait until it complains of nothing."""
    async with asyncio.timeout(PATIENCE):
        while await reasons(running):
            await asyncio.sleep(0.02)


async def test_a_locked_file_keeps_nobody_waiting(house: Any, upstream: FakeUpstream) -> None:
    """CRS-04: another program holds the file for three seconds; requests are served, and their rows wait."""
    home: House = house(config(upstream.url))
    running = home.start()
    names = itertools.count()
    heard, usual = await asyncio.gather(
        crowd(running.port, questions(names), RATE, after(1)), probed(running.port, after(1))
    )
    await home.rows(len(heard))
    holder = sqlite3.connect(home.state / "ledger.sqlite", isolation_level=None, timeout=10)
    holder.execute("BEGIN EXCLUSIVE")
    load = asyncio.create_task(crowd(running.port, questions(names), RATE, after(3)))
    lags = asyncio.create_task(probed(running.port, after(3)))
    assert "rows wait" in await told(running, "ledger")
    before = len(heard)
    heard, seconds = heard + await load, await lags
    assert (holder.execute("SELECT count(*) FROM attempts").fetchone()) == (before,)
    holder.execute("ROLLBACK")
    holder.close()
    assert {one.is_served for one in heard} == {True}
    assert len(heard) > before + RATE
    assert max(seconds) < BUSY + 2 * max(usual)  # one probe may wait for the scheduler of a busy machine
    assert median(seconds) <= LAG + 2 * median(usual)
    await healed(running)
    rows = await home.rows(len(heard))
    in_order(rows, heard, asked_upstream(upstream.journal()))
    assert len(rows) == len(heard)


async def test_a_full_disk_refuses_what_it_cannot_record(house: Any, upstream: FakeUpstream) -> None:
    """CRS-04: nobody is asked whose row has no place; what was under way is settled; it mends by itself."""
    home: House = house(config(upstream.url, more="log: {level: error}"))  # its output is a file of that disk, too
    running = home.start()
    names = itertools.count()
    heard = await crowd(running.port, itertools.islice(questions(names), 30), RATE)
    await home.rows()
    under_way = [
        asyncio.create_task(ask(running.port, Asked(f"slow{at}", KEY, QUESTION | {"script": {"ttft_ms": 1500}})))
        for at in range(5)
    ]
    await upstream.journal().until(lambda: len(upstream.journal().requests()) == 35, "35 requests")
    used = max(path.stat().st_size for path in home.state.glob("ledger-*.journal"))
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (used + 1, resource.RLIM_INFINITY))
    during: list[Heard] = []
    async with asyncio.timeout(20):
        while not any(one.status == 503 for one in during):  # until the room is used that the journal has
            during += await crowd(running.port, itertools.islice(questions(names), 100), 3 * RATE)
            assert {one.status for one in during} <= {200, 503}
    during += await crowd(running.port, questions(names), RATE, after(1.0))
    heard += await asyncio.gather(*under_way)
    assert "ledger" in await told(running, "ledger")
    refused = [one for one in during if one.status == 503]
    assert len(refused) > 20
    assert {one.status for one in during} <= {200, 503}
    assert {json.loads(one.body)["error"]["code"] for one in refused} == {"ledger_unavailable"}
    seen = asked_upstream(upstream.journal())
    assert not {one.name for one in refused} & set(seen)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await healed(running)
    heard += during + await crowd(running.port, itertools.islice(questions(names), 30), RATE)
    assert {one.status for one in heard[-30:]} == {200}
    rows = await home.rows(len(upstream.journal().requests()))
    in_order(rows, heard, asked_upstream(upstream.journal()))
    assert Counter(row.user for row in rows) == Counter(asked_upstream(upstream.journal()))
    assert {row.status for row in rows} == {"ok"}
    # The upstream says 5 tokens each time, which is what it is paid for beside the input.
    assert sum(row.output for row in rows if row.source == "reported") == 5 * sum(
        row.source == "reported" for row in rows
    )


@pytest.fixture
def server() -> Iterator[Postgres]:
    """One that this test stops."""
    made = Postgres()
    yield made
    made.close()


async def test_a_server_that_is_away(house: Any, upstream: FakeUpstream, server: Postgres) -> None:
    """FLT-10: requests go on while PostgreSQL does not, `/readyz` says so, and all rows arrive."""
    url = server.url()
    home: House = house(config(upstream.url, more=f'ledger: {{url: "{url}"}}'))
    running = home.start()
    names, is_over = itertools.count(), asyncio.Event()
    load = asyncio.create_task(crowd(running.port, questions(names), RATE, is_over.is_set))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(server.stop)
    assert "rows wait" in await told(running, "ledger")
    before = len(upstream.journal().requests())
    await upstream.journal().until(lambda: len(upstream.journal().requests()) > before + 40, "40 more requests")
    await asyncio.to_thread(server.start)
    await healed(running)
    is_over.set()
    heard = await load
    assert {one.is_served for one in heard} == {True}
    ledger = in_postgres(url)
    async with asyncio.timeout(PATIENCE):
        while len(rows := ledger.rows()) < len(heard) or any(row.status == "open" for row in rows):
            await asyncio.sleep(0.05)
    in_order(rows, heard, asked_upstream(upstream.journal()))
    assert len(rows) == len(heard)
    assert books.rows(home.state) == []
