"""Experiments on their way to the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from proxy.canaries.guard import Guard
from proxy.canaries.guard import Outcome as CanaryOutcome
from proxy.canaries.release import Plan as CanaryPlan
from proxy.canaries.release import Release
from proxy.experiments.feedback import Feedback, UnknownRequest
from proxy.experiments.plan import Allocation, Bandit, Enrolled
from proxy.experiments.service import Experiments, FeedbackUnavailable
from proxy.telemetry.metrics import Metrics
from tests.support.experiments import NOW, PLAN, record, told


class Lines:
    """A log that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def error(self, event: str, **fields: Any) -> None:
        """Remember."""
        self.lines.append((event, fields))


class Clock:
    """Wall clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[Experiments, Lines, Clock]]:
    """In a directory that is not there yet."""
    lines, clock = Lines(), Clock()
    metrics = Metrics()
    service = Experiments(tmp_path / "state", log=lambda: cast(Any, lines), metrics=metrics, now=clock)
    yield service, lines, clock
    await service.aclose()


def _rows(service: Experiments, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(service.path)) as database:
        return database.execute(sql).fetchall()


async def test_nothing_is_written_before_there_is_something(made: tuple[Experiments, Lines, Clock]) -> None:
    """A gateway without experiments has no such file, and knows of no request."""
    service, _, _ = made
    await service.flush()
    with pytest.raises(UnknownRequest):
        await service.say(Feedback("solved", True, request="req_ada_0"), "")
    assert not service.path.exists()


async def test_records_and_plans_are_written(made: tuple[Experiments, Lines, Clock]) -> None:
    """Feedback finds what has ended a moment ago; the rest is written at the end."""
    service, _, _ = made
    service.follow({"short": Enrolled(PLAN)})
    service.recorder.waiting.append(record())
    (joined,) = await service.say(Feedback("solved", True, request="req_ada_0"), "")
    assert (joined.variant, joined.declared) == ("control", True)
    service.recorder.waiting.append(record(number=1))
    await service.aclose()
    assert _rows(service, "SELECT count(*) FROM requests") == [(2,)]
    assert len(_rows(service, "SELECT plan FROM plans")) == 1
    assert service.path.stat().st_mode & 0o077 == 0


async def test_feedback_that_overtakes_its_request_finds_it(made: tuple[Experiments, Lines, Clock]) -> None:
    """A stream's last event is read before the request has ended here."""
    service, _, _ = made
    service.recorder.waiting.append(record("bob"))
    await service.flush()
    saying = asyncio.create_task(service.say(Feedback("solved", True, request="req_ada_0"), ""))
    await asyncio.sleep(0)
    service.recorder.waiting.append(record())
    assert len(await saying) == 1


async def test_a_disk_that_fails_loses_nothing(made: tuple[Experiments, Lines, Clock], tmp_path: Path) -> None:
    """Records wait, feedback is refused, and it is told once."""
    service, lines, _ = made
    (tmp_path / "state").write_text("in the way")
    service.recorder.waiting.append(record())
    for _ in range(2):
        with pytest.raises(FeedbackUnavailable):
            await service.say(Feedback("solved", True, request="req_ada_0"), "")
    assert [event for event, _ in lines.lines] == ["experiments.store"]
    assert service.problem
    (tmp_path / "state").unlink()
    assert len(await service.say(Feedback("solved", True, request="req_ada_0"), "")) == 1
    assert not service.problem


async def test_bandits_learn_and_old_records_go(made: tuple[Experiments, Lines, Clock]) -> None:
    """In the background, until it is cancelled."""
    service, _, clock = made
    allocation = Allocation()
    plan = replace(PLAN, bandit=Bandit("solved", 0.1, 60.0))
    service.follow({"short": Enrolled(plan, allocation)}, retention=3600.0)
    service.recorder.waiting += [record(), record("bob", at=1)]
    running = asyncio.create_task(service.run())
    async with asyncio.timeout(5):
        while (
            allocation.weights is None
            or not service.path.exists()
            or len(_rows(service, "SELECT id FROM requests")) != 1
        ):
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert allocation.weights is not None
    assert sum(allocation.weights) == pytest.approx(1.0)
    assert clock.now == NOW


async def test_what_mirrors_compare_is_written_too(made: tuple[Experiments, Lines, Clock]) -> None:
    """Once, and deleted when it is old."""
    service, _, clock = made
    for number in (1, 2):
        service.compared(told(number))
    await service.flush()
    await service.flush()
    assert _rows(service, "SELECT id, main_length FROM comparisons") == [
        ("req_1-shadow", 31.0),
        ("req_2-shadow", 32.0),
    ]
    clock.now += 91 * 86_400
    await service._purge()
    assert _rows(service, "SELECT id FROM comparisons") == []


async def test_canaries_hear_what_is_said_of_their_answers(made: tuple[Experiments, Lines, Clock]) -> None:
    """By the name that their guard waits for; what is said anew counts in place of what was said."""
    service, _, _ = made
    guard = Guard(outcome=CanaryOutcome("solved", 0.02))
    plan = CanaryPlan("next", "chat", "identity", (0.5, 1.0), 60.0, 10, guard)
    release = Release(plan, now=lambda: NOW)
    service.follow({}, canaries={"next": (release, plan)})
    service.recorder.waiting = [record(experiment="canary/next", variant=f"canary {release.mark}")]
    id = record().id
    (found,) = await service.say(Feedback("solved", True, id), "")
    assert (found.experiment, found.variant, found.declared) == ("canary/next", "canary", True)
    (found,) = await service.say(Feedback("rating", True, id), "")
    assert not found.declared
    outcome = release.progress.canary.outcome
    assert (outcome.count, outcome.good) == (1, 1)
    await service.say(Feedback("solved", False, id), "")
    assert (outcome.count, outcome.good) == (1, 0)
    service.follow({})
    (found,) = await service.say(Feedback("solved", True, id), "")
    assert not found.declared, "the canary is gone"
