"""What is special about a database at the other end of a network."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from proxy.ledger.books import Books
from proxy.ledger.export import NoLedger, Selection, open_source
from proxy.ledger.postgres import UNREACHABLE, VERSION, PostgresSink, has_extra
from proxy.ledger.usage import usage
from proxy.ledger.writer import SinkFailed
from tests.support.environment import free_port
from tests.support.ledger import AS_VERSION_1, in_postgres, opened, settled
from tests.support.postgres import Postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One for all of them."""
    made = Postgres()
    yield made
    made.close()


async def test_a_server_that_goes_and_comes_back(server: Postgres, tmp_path: Path) -> None:
    """Requests go on meanwhile, it is said how many rows wait, and nothing is lost."""
    ledger = in_postgres(server.fresh("returns"))
    books = Books(tmp_path, ledger.make)
    books.start()
    rows = [opened(number) for number in range(300)]
    for row in rows[:100]:
        books.open(row)
    await books.flushed()
    server.stop()
    for row in rows[100:]:
        books.open(row)
    for row in rows[:200]:
        books.settle(settled(row))
    async with asyncio.timeout(10):
        while not books.problem:
            await asyncio.sleep(0.01)
    assert books.problem.endswith("; 300 rows wait")
    server.start()
    async with asyncio.timeout(10):
        await books.flushed()
        while books.problem:
            await asyncio.sleep(0.01)
    for row in rows[200:]:
        books.settle(settled(row))
    await books.aclose()
    assert list(ledger.statuses().values()) == ["ok"] * 300
    assert list(tmp_path.iterdir()) == []


def test_replicas_that_begin_together(server: Postgres) -> None:
    """One creates the tables, others wait for it."""
    ledger = in_postgres(server.fresh("together"))

    def begin(number: int) -> None:
        sink = ledger.make()
        sink.write([opened(number)], [])
        sink.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(8)))
    assert len(ledger.statuses()) == 8


def test_tables_of_a_newer_version_are_left_alone(server: Postgres) -> None:
    """Nothing is lost: the rows wait for the right program."""
    url = server.fresh("newer")
    sink = PostgresSink(url)
    sink.write([], [])
    sink.close()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE ledger_version SET version = version + 1")
    with pytest.raises(SinkFailed, match="newer version"):
        sink.write([opened(1)], [])


def test_tables_of_an_older_version_are_brought_up_to_date(server: Postgres) -> None:
    """By the first replica that is new, once; who reads them before that is told."""
    url = server.fresh("older")
    sink = PostgresSink(url)
    sink.write([settled(opened(1))], [])
    sink.close()
    with psycopg.connect(url) as connection:
        for statement in (*AS_VERSION_1, "UPDATE ledger_version SET version = 1"):
            connection.execute(statement.encode())
    with pytest.raises(NoLedger, match="of an older version"):
        open_source(url)
    for number in (2, 3):
        sink.write([settled(opened(number), cache="exact", saved=7)], [])
        sink.close()
    rows = in_postgres(url).rows()
    assert [(row.cache, row.saved) for row in rows] == [("", 0), ("exact", 7), ("exact", 7)]
    source = open_source(url)
    assert source.query("SELECT version FROM ledger_version") == [(VERSION,)]
    groups = usage(source, Selection(), ["cache"]).groups
    assert [(one.names, one.requests, one.attempts, one.hits, one.saved) for one in groups] == [
        (("exact",), 2, 0, 2, 14),
        (("",), 1, 1, 0, 0),
    ]
    source.close()


@pytest.mark.parametrize("url", ["postgresql://u:s3cret@127.0.0.1:{}/x", "postgresql://u:s3cret@[::1", "s3cret"])
def test_what_is_said_of_an_address_holds_no_secret(url: str) -> None:
    """Wherever the client stumbles over it."""
    assert has_extra()
    with pytest.raises(SinkFailed) as failed:
        PostgresSink(url.format(free_port())).write([opened(1)], [])
    assert str(failed.value) == UNREACHABLE
