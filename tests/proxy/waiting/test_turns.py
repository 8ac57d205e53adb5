"""Lines: in order, told at once, left in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from proxy.waiting.turns import Turns

FOREVER = 60.0  # seconds; none of these tests takes so long
Look = Callable[[], Awaitable[float | None]]


class Places:
    """So many are free; who finds one writes down its name."""

    def __init__(self, free: int = 0, again: float = FOREVER) -> None:
        self.free = free
        self.again = again
        self.order: list[str] = []
        self.looks: list[str] = []

    def look(self, name: str) -> Look:
        """As somebody called ``name`` does."""

        async def found() -> float | None:
            self.looks.append(name)
            if not self.free:
                return self.again
            self.free -= 1
            self.order.append(name)
            return None

        return found


async def turned() -> None:
    """Let everybody do what they can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_first_come_first_served() -> None:
    """One place at a time; the line is gone with the last."""
    turns, places = Turns(), Places()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for name in "abcd":
            group.create_task(turns.stand("line", FOREVER, FOREVER, places.look(name)))
        await turned()
        assert (len(turns), "line" in turns, places.looks) == (4, True, [])
        for left in (3, 2, 1, 0):
            places.free = 1
            turns.wake()
            await turned()
            assert len(turns) == left
    assert places.order == list("abcd")
    assert "line" not in turns


async def test_several_places_at_once_are_taken_at_once() -> None:
    """One call tells all of them, in their turn."""
    turns, places = Turns(), Places()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(turns.stand("line", FOREVER, FOREVER, places.look(name)))
        await turned()
        places.free = 3
        turns.wake()
    assert places.order == list("abc")


async def test_who_comes_as_the_first_leaves_is_behind_who_waited() -> None:
    """Even in the moment in which the turn passes on."""
    turns, places = Turns(), Places()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:

        async def first() -> None:
            await turns.stand("line", FOREVER, FOREVER, places.look("a"))
            group.create_task(turns.stand("line", 0, FOREVER, places.look("c")))

        group.create_task(first())
        group.create_task(turns.stand("line", FOREVER, FOREVER, places.look("b")))
        await turned()
        for left in (2, 1, 0):
            places.free = 1
            turns.wake()
            await turned()
            assert len(turns) == left
    assert places.order == list("abc")


async def test_a_line_does_not_wait_for_another() -> None:
    """The second looks, and goes, while the first waits."""
    turns, places = Turns(), Places(free=1)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = group.create_task(turns.stand("one", FOREVER, FOREVER, places.look("a")))
        await turned()
        await turns.stand("two", 0, FOREVER, places.look("b"))
        assert (places.order, len(turns), "one" in turns) == (["b"], 1, True)
        waiting.cancel()
    assert (len(turns), "one" in turns) == (0, False)


async def test_nobody_waits_for_longer_than_it_said() -> None:
    """First in the line or behind; the line goes on without them."""
    turns, places = Turns(), Places(again=0.01)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        stays = group.create_task(turns.stand("line", 0, FOREVER, places.look("stays")))
        await turned()
        await turns.stand("line", 0, 0.02, places.look("goes"))
        assert (len(turns), places.order) == (1, [])
        stays.cancel()
    await turns.stand("line", 0, 0.5, places.look("alone"))
    assert len(turns) == 0
    assert places.looks.count("alone") > 1
    assert "goes" not in places.looks


async def test_who_is_cancelled_leaves_its_place_to_the_next() -> None:
    turns, places = Turns(), Places()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        tasks = [group.create_task(turns.stand("line", FOREVER, FOREVER, places.look(name))) for name in "abc"]
        await turned()
        tasks[0].cancel()
        await turned()
        places.free = 2
        turns.wake()
    assert places.order == list("bc")
    assert len(turns) == 0


async def test_what_becomes_free_during_a_look_is_looked_at() -> None:
    """Nothing that is told is lost while a store is asked."""
    turns = Turns()
    looks = 0

    async def look() -> float | None:
        nonlocal looks
        looks += 1
        if looks == 1:
            turns.wake()
            await asyncio.sleep(0)
            return FOREVER
        return None

    async with asyncio.timeout(5):
        await turns.stand("line", 0, FOREVER, look)
    assert looks == 2


async def test_time_in_the_line_is_time_waited() -> None:
    """Whose turn comes late enough looks at once, and not ``first`` seconds later."""
    turns, places = Turns(), Places(again=0.01)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(turns.stand("line", 0, FOREVER, places.look("a")))
        await turned()
        group.create_task(turns.stand("line", 0.4, 0.9, places.look("b")))
        await turned()
        loop.call_later(0.45, setattr, places, "free", 2)
    assert places.order == ["a", "b"]


async def test_what_a_look_raises_reaches_who_looked() -> None:
    """And the next has its turn."""
    turns, places = Turns(), Places(free=1)

    async def broken() -> float | None:
        raise LookupError("no store")

    with pytest.raises(LookupError, match="no store"):
        await turns.stand("line", 0, FOREVER, broken)
    await turns.stand("line", 0, FOREVER, places.look("next"))
    assert (places.order, len(turns)) == (["next"], 0)
