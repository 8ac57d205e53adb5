"""Checks of accounts, round by round, against an account that does what the test says and a clock that it sets."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from proxy.choosing.health import Health, Rules
from proxy.errors import Unavailable
from proxy.providers.capabilities import CheckConfig
from proxy.reports import Reports
from proxy.targets.checks import Check, Watch, take_over
from proxy.units import Duration
from proxy.upstream import Upstream

SETTINGS = CheckConfig(interval=Duration(10), timeout=Duration(2), failures=2)
LEFT_FOR = 10 * 3 + 2


class Asked:
    """An account that answers with ``status``; an exception is raised, None hangs."""

    def __init__(self) -> None:
        self.status: int | Exception | None = 200
        self.paths: list[str] = []

    async def probe(self, through: Upstream, path: str, within: float) -> int:
        """As told."""
        self.paths.append(path)
        if isinstance(self.status, Exception):
            raise self.status
        if self.status is None:
            await asyncio.Event().wait()
        return self.status or 0


class World:
    """A check with its account, two targets, and everything that it tells."""

    def __init__(self, settings: CheckConfig = SETTINGS) -> None:
        self.now = 1000.0
        self.told: list[tuple[str, dict[str, Any]]] = []
        reports = Reports()
        reports.listener = lambda event, fields: self.told.append((event, fields))
        self.check = Check("up", settings, reports, clock=lambda: self.now, seed=1)
        self.account = Asked()
        self.healths = (Health("up/a"), Health("up/b"))
        self.check.follow(self.account, self.healths)

    async def rounds(self, status: int | Exception | None, count: int = 1) -> None:
        """So many rounds with that answer, an interval apart."""
        self.account.status = status
        for _ in range(count):
            self.now += 10
            await self.check.round()

    def states(self) -> list[str]:
        return [health.state(self.now) for health in self.healths]

    def failing(self) -> bool:
        return self.check.failing

    def events(self) -> list[str]:
        return [event for event, _ in self.told if event != "check.round"]


async def test_targets_are_ejected_after_failures_in_a_row_and_readmitted_by_the_first_good_round() -> None:
    """One failure is none; every failing round lengthens the ejection; each change is told once."""
    world = World()
    await world.rounds(503)
    await world.rounds(200)
    await world.rounds(503)
    assert world.states() == ["closed", "closed"]
    assert not world.failing()
    await world.rounds(503)
    assert world.states() == ["open", "open"]
    assert world.failing()
    assert {health.last_failure for health in world.healths} == {"check"}
    await world.rounds(503, 5)
    assert [health.open_until for health in world.healths] == [world.now + LEFT_FOR] * 2
    await world.rounds(200)
    assert world.states() == ["closed", "closed"]
    await world.rounds(200)
    assert world.events() == ["check.failing", "check.recovered"]
    assert [fields["result"] for event, fields in world.told if event == "check.round"].count("failed") == 8


@pytest.mark.parametrize(
    ("answer", "wanted", "good"),
    [
        (200, (), True),
        (302, (), True),
        (429, (), True),
        (404, (), False),
        (401, (), False),
        (500, (), False),
        (404, (200, 404), True),
        (204, (200, 404), False),
        (Unavailable("gone"), (), False),
        (RuntimeError("no credentials"), (), False),
    ],
)
async def test_what_counts_as_good(answer: int | Exception, wanted: tuple[int, ...], good: bool) -> None:
    """Below 400 or a limit, unless the file lists what is good; whatever goes wrong is a failed round."""
    world = World(CheckConfig(failures=1, status=wanted))
    await world.rounds(answer)
    assert world.failing() is not good


async def test_an_account_that_hangs_fails_within_the_timeout() -> None:
    """The reason that is told says so."""
    world = World(CheckConfig(failures=1, timeout=Duration(0.01)))
    await world.rounds(None)
    assert ("check.failing", {"provider": "up", "reason": "timeout", "rounds": 1}) in world.told


async def test_what_others_have_decided_stays() -> None:
    """A breaker's ejection is neither lengthened nor ended, and a drain or a limit is not undone."""
    world = World()
    first, second = world.healths
    first.broke(world.now, Rules(failures=1, eject=200.0))
    until = first.open_until
    second.drained_until = second.limited_until = world.now + 500
    await world.rounds(503, 3)
    assert (first.open_until, second.open_until) == (until, world.now + LEFT_FOR)
    await world.rounds(200)
    assert first.open_until == until
    assert (second.open_until, second.state(world.now)) == (0.0, "drained")
    assert second.limited_until > world.now


async def test_a_target_that_was_ejected_anew_meanwhile_is_its_breakers() -> None:
    """The check readmits only what is still as the check has left it."""
    world = World()
    await world.rounds(503, 2)
    world.healths[0].eject(world.now + 999)
    await world.rounds(200)
    assert world.states() == ["open", "closed"]


async def test_a_new_generation_changes_what_is_ejected_and_keeps_what_is_known() -> None:
    """Targets that are gone are readmitted, new ones ejected with the next failing round."""
    world = World()
    await world.rounds(503, 2)
    added = Health("up/c")
    world.check.follow(world.account, (world.healths[1], added))
    assert world.states() == ["closed", "open"]
    assert world.failing()
    await world.rounds(503)
    assert added.state(world.now) == "open"
    assert world.events() == ["check.failing"]


async def test_a_check_that_nobody_wants_stops_and_readmits() -> None:
    """The next generation has none; the same check may begin again later."""
    world = World()
    watch = Watch(world.check, world.account, world.healths)
    await world.rounds(503, 2)
    take_over((watch,))
    take_over((watch,), (watch,))
    assert world.states() == ["open", "open"]
    assert len([task for task in asyncio.all_tasks() if task.get_name() == "check up"]) == 1
    take_over((), (watch,))
    assert world.states() == ["closed", "closed"]
    asked = len(world.account.paths)
    take_over((watch,))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(world.account.paths) > asked
    await world.check.aclose()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "check up"]


async def test_rounds_are_an_interval_apart_give_or_take_a_tenth() -> None:
    """Drawn anew for each, so that replicas do not ask in step."""
    world = World()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 200:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await world.check.run(sleep)
    assert len(world.account.paths) == 200
    assert all(9 <= seconds <= 11 for seconds in slept)
    assert max(slept) - min(slept) > 1


async def test_any_sequence_of_rounds_leaves_targets_as_the_last_rounds_say() -> None:
    """Against a model that counts failures in a row."""
    draw = random.Random(7)
    world, failed = World(), 0
    for _ in range(500):
        good = draw.random() < 0.4
        await world.rounds(200 if good else 500)
        failed = 0 if good else failed + 1
        assert world.states() == ["open" if failed >= 2 else "closed"] * 2
