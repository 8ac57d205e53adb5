"""Shared state lives as long as a generation holds it; a generation drains before it closes."""

from __future__ import annotations

import asyncio
import random
import sys
import time

import pytest

from proxy.choosing.capability import Reach
from proxy.choosing.health import Health
from proxy.exchange import Exchange
from proxy.pipeline import Pipeline
from proxy.policy import Answer, Choice, Target, Timeouts
from proxy.router import Router, RouteRule
from proxy.runtime import Runtime, Shared


class _Nowhere(Target):
    """A target that is never asked."""

    async def send(self, x: Exchange) -> Answer:
        raise AssertionError

    def explain(self, x: Exchange) -> Choice:
        raise AssertionError

    def leaves(self) -> tuple[str, ...]:
        return ()

    def healths(self) -> tuple[Health, ...]:
        return ()

    def reaches(self) -> frozenset[Reach]:
        return frozenset()


class _Closing:
    """Counts its closings."""

    def __init__(self) -> None:
        self.closed = 0

    async def aclose(self) -> None:
        self.closed += 1


async def test_the_same_name_gives_the_same_object_until_the_last_lease_ends() -> None:
    """A reload that keeps a name keeps its state; one that drops it closes it, once."""
    shared = Shared()
    old, new = shared.lease(), shared.lease()
    kept = old.get("pool:a", _Closing)
    assert old.get("pool:a", _Closing) is kept
    assert new.get("pool:a", _Closing) is kept
    dropped = old.get("pool:b", _Closing)
    old.release()
    old.release()
    await shared.sweep()
    await shared.sweep()
    assert (kept.closed, dropped.closed, len(shared)) == (0, 1, 1)
    new.release()
    await shared.sweep()
    assert (kept.closed, len(shared)) == (1, 0)


async def test_what_nobody_holds_is_found_again_until_it_is_swept() -> None:
    """A provider that is removed and put back at once keeps its connections."""
    shared = Shared()
    old, new = shared.lease(), shared.lease()
    kept = old.get("pool:a", _Closing)
    old.release()
    assert new.get("pool:a", _Closing) is kept
    await shared.sweep()
    assert (kept.closed, len(shared)) == (0, 1)


async def test_one_that_fails_to_close_keeps_no_other_open() -> None:
    """All are closed, then the failure is told."""

    class Failing(_Closing):
        async def aclose(self) -> None:
            raise OSError("the connection is gone")

    shared = Shared()
    lease = shared.lease()
    lease.get("a", Failing)
    other = lease.get("b", _Closing)
    lease.get("c", object)
    lease.release()
    with pytest.raises(ExceptionGroup):
        await shared.sweep()
    assert (other.closed, len(shared)) == (1, 0)


async def test_at_the_end_everything_is_closed() -> None:
    """Held or not."""
    shared = Shared()
    held = shared.lease().get("pool:a", _Closing)
    await shared.aclose()
    await shared.aclose()
    assert (held.closed, len(shared)) == (1, 0)


async def test_threads_that_build_and_a_loop_that_closes_agree_on_who_holds_what() -> None:
    """Nobody is ever handed a closed object, each object is closed once, and none is left."""
    shared = Shared()
    made: list[_Closing] = []
    names = [f"pool:{number}" for number in range(5)]

    def make() -> _Closing:
        made.append(_Closing())
        return made[-1]

    def build(seed: int) -> int:
        chance = random.Random(seed)
        handed_closed = 0
        for _ in range(300):
            lease = shared.lease()
            held = [lease.get(name, make) for name in chance.sample(names, 3)]
            time.sleep(0)
            handed_closed += sum(one.closed for one in held)
            lease.release()
        return handed_closed

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        building = [asyncio.ensure_future(asyncio.to_thread(build, seed)) for seed in range(4)]
        while not all(task.done() for task in building):
            await shared.sweep()
            await asyncio.sleep(0)
    finally:
        sys.setswitchinterval(switch)
    await shared.sweep()
    assert [task.result() for task in building] == [0, 0, 0, 0]
    assert {one.closed for one in made} == {1}
    assert len(shared) == 0


async def test_a_generation_waits_for_its_requests() -> None:
    """Bounded: what does not end in time is told."""
    runtime = Runtime(1, Router([]), {}, "digest", Shared().lease())
    assert await runtime.drain(0)
    runtime.enter()
    runtime.enter()
    assert not await runtime.drain(0.01)
    waiting = asyncio.ensure_future(runtime.drain(10))
    runtime.leave()
    runtime.leave()
    assert await waiting


async def test_a_generation_knows_its_longest_request() -> None:
    """The longest `timeouts.total` of its routes, and a grace."""
    pipelines = [
        Pipeline(name, [], _Nowhere(), slots=0, timeouts=Timeouts(1, 1, 1, total))
        for name, total in (("a", 7), ("b", 3))
    ]
    rules = [RouteRule(one.route, (one.route,), (), (), (), one) for one in pipelines]
    assert 7 < Runtime(1, Router(rules), {}, "digest", Shared().lease()).longest_request < 20
