"""Canaries go on where they were: over generations, and over processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from proxy.canaries.guard import Guard
from proxy.canaries.keeper import FILE, Keeper, judged_apart
from proxy.canaries.release import Plan, Release
from proxy.jobs.writer import StoreBroken


def _made(name: str = "next", identity: str = "one", sample: int = 10) -> tuple[Release, Plan]:
    plan = Plan(name, "chat", identity, (0.1, 1.0), 0.0, sample, Guard(in_a_row=3))
    return Release(plan, now=lambda: 1000.0), plan


async def _kept(folder: Path, *found: tuple[Release, Plan]) -> Keeper:
    """A new process with these."""
    keeper = Keeper(folder)
    keeper.load()
    keeper.follow({plan.name: (release, plan) for release, plan in found})
    return keeper


async def test_another_process_goes_on(tmp_path: Path) -> None:
    """With the counts, and with what was decided; there is no file before there is a canary."""
    await (await _kept(tmp_path)).aclose()
    assert not (tmp_path / FILE).exists()
    first, second = _made(), _made("other")
    keeper = await _kept(tmp_path, first, second)
    first[0].failed("canary", first[0].era, "timeout", alone=True)
    second[0].act("rollback", "why not", "ann")
    await keeper.aclose()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    again, other = _made(), _made("other")
    await (await _kept(tmp_path, again, other)).aclose()
    assert again[0].progress == first[0].progress
    assert (other[0].share, other[0].progress.reason) == (0.0, "why not")


async def test_another_target_begins_anew(tmp_path: Path) -> None:
    """Also when the first one comes back."""
    first = _made()
    keeper = await _kept(tmp_path, first)
    first[0].act("rollback", "", "ann")
    await keeper.keep()
    second = _made(identity="two")
    keeper.follow({"next": second})
    assert second[0].progress.state == "running"
    await keeper.keep()
    keeper.follow({"next": first})
    assert (first[0].progress.state, first[0].progress.run) == ("running", 2)
    await keeper.aclose()


async def test_other_settings_go_on(tmp_path: Path) -> None:
    """They count from now on."""
    release, plan = _made()
    keeper = await _kept(tmp_path, (release, plan))
    release.act("promote", "", "ann")
    _, changed = _made(sample=99)
    keeper.follow({"next": (release, changed)})
    assert (release.plan.sample, release.progress.state) == (99, "promoted")
    await keeper.aclose()


async def test_one_that_is_left_out_for_a_while_goes_on(tmp_path: Path) -> None:
    """Whether the process is the same, or another one."""
    first = _made()
    keeper = await _kept(tmp_path, first)
    first[0].act("rollback", "", "ann")
    keeper.follow({})
    second = _made()
    keeper.follow({"next": second})
    assert second[0].progress == first[0].progress
    second[0].act("restart", "", "ann")
    second[0].act("promote", "", "ann")
    keeper.follow({})
    await keeper.aclose()
    third = _made()
    await (await _kept(tmp_path, third)).aclose()
    assert third[0].progress.state == "promoted"


async def test_one_whose_past_is_unknown_gets_nothing(tmp_path: Path) -> None:
    """It may have failed before."""
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    release, plan = _made()
    keeper = await _kept(tmp_path, (release, plan))
    assert (release.share, release.progress.state) == (0.0, "rolled_back")
    assert "`restart` begins anew" in release.progress.reason
    with pytest.raises(StoreBroken):
        await keeper.keep()
    assert FILE in keeper.problem
    assert release.is_changed
    await keeper.aclose()


async def test_what_changes_is_kept_soon(tmp_path: Path) -> None:
    """Time passes also for those whom no request moves."""
    clock = [1000.0]
    plan = Plan("next", "chat", "one", (0.1, 1.0), 60.0, 1, Guard(worse_by=0.01))
    release = Release(plan, now=lambda: clock[0])
    keeper = await _kept(tmp_path, (release, plan))
    release.succeeded("canary", release.era, 0.1, None)
    clock[0] += 60
    running = asyncio.create_task(keeper.run())
    async with asyncio.timeout(5):
        while release.share < 1 or release.is_changed:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    await keeper.aclose()
    again = Release(plan, now=lambda: clock[0])
    await (await _kept(tmp_path, (again, plan))).aclose()
    assert again.progress == release.progress


@pytest.mark.parametrize(("names", "workers", "is_said"), [(["next"], 2, True), (["next"], 1, False), ([], 2, False)])
def test_who_starts_several_workers_hears_how_they_judge(names: list[str], workers: int, is_said: bool) -> None:
    """Each by itself."""
    assert ("each worker judges" in judged_apart(names, workers)) is is_said
