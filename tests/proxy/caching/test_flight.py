"""Those who wait together: who leads, and what becomes of the others. CAC-06."""

from __future__ import annotations

import asyncio

import pytest

from proxy.caching.flight import Flight, Flights

KEY = b"k"


def begun() -> tuple[Flights[str], Flight[str]]:
    """A flight, led by the test."""
    flights: Flights[str] = Flights()
    return flights, flights.begin(KEY)


async def waiting(flight: Flight[str], many: int = 5) -> list[asyncio.Task[object]]:
    """So many who wait."""
    tasks: list[asyncio.Task[object]] = [asyncio.create_task(flight.board(60)) for _ in range(many)]
    await asyncio.sleep(0)
    return tasks


async def test_all_get_what_the_leader_has() -> None:
    flights, flight = begun()
    tasks = await waiting(flight)
    flight.share("answer")
    assert await asyncio.gather(*tasks) == ["answer"] * 5
    assert await flight.board(60) == "answer"  # also who comes later
    flight.land()
    assert flights.find(KEY) is None


async def test_another_leads_when_the_leader_leaves() -> None:
    flights, flight = begun()
    tasks = await waiting(flight)
    flight.leave()
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == [None]
    assert len(rest) == 4
    assert flights.find(KEY) is flight
    flight.share("answer")
    assert await asyncio.gather(*rest) == ["answer"] * 4


async def test_nobody_is_left() -> None:
    """Neither when the leader leaves alone, nor when all have left before one could lead."""
    flights, flight = begun()
    flight.leave()
    assert len(flights) == 0
    flight = flights.begin(KEY)
    tasks = await waiting(flight)
    flight.leave()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(flights) == 0


async def test_a_failure_is_tried_once_more() -> None:
    flights, flight = begun()
    tasks = await waiting(flight)
    flight.fail("first")
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == [None]
    flight.fail("second")
    assert await asyncio.gather(*rest) == ["second"] * 4
    assert len(flights) == 0  # who comes now begins anew


async def test_patience_ends() -> None:
    flights, flight = begun()
    with pytest.raises(TimeoutError):
        await flight.board(0.01)
    flight.leave()
    assert len(flights) == 0


async def test_one_that_is_over_does_not_end_the_next() -> None:
    flights, old = begun()
    old.land()
    new = flights.begin(KEY)
    old.land()
    assert flights.find(KEY) is new
