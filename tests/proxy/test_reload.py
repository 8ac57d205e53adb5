"""What was built is what was seen, and nothing that goes wrong ends the watching."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from policies.table import POLICIES, TARGETS
from proxy.app import Current
from proxy.config.compile import Built, Tables, build
from proxy.config.model import GatewayConfig
from proxy.providers.table import PROVIDERS
from proxy.reload import MAX_TRIES, Reloader, is_news, look, settle
from proxy.runtime import Shared
from proxy.telemetry.metrics import Metrics

Step = Callable[[], None]


def text(number: int, more: str = "", provider: str = "sim") -> str:
    """A file; its only model is called by its number."""
    return f"""{more}
providers: {{{provider}: {{kind: simulated}}}}
routes: {{chat: {{models: [model-{number}], target: {provider}/x}}}}
"""


class Files:
    """A folder with a file, and builds of it. ``during`` holds what happens while the next builds run, in turn."""

    def __init__(self, folder: Path) -> None:
        self.main = folder / "gateway.yaml"
        self.shared = Shared()
        self.during: list[Step] = []
        self.builds = 0
        self.main.write_text(text(1))

    def build(self, generation: int = 1) -> Built:
        """What the gateway does, and what happens meanwhile."""
        self.builds += 1
        step = self.during.pop(0) if self.during else None
        built = build(
            self.main,
            Tables(POLICIES, TARGETS, PROVIDERS),
            environ={},
            shared=self.shared,
            generation=generation,
            now=lambda: 0.0,
        )
        if step is not None:
            step()
        return built


def model(built: Built) -> str:
    """The model of what was built."""
    assert built.config is not None
    assert built.config.routes["chat"].models is not None
    return built.config.routes["chat"].models[0]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """One folder."""
    return Files(tmp_path)


def test_touching_is_no_news_and_content_is(files: Files) -> None:
    """Also content that cannot be read, and that it can be read again."""
    seen = look([files.main])
    files.main.chmod(0o600)
    os.utime(files.main)
    now = look([files.main])
    assert now != seen
    assert not is_news(now, seen)
    before = files.main.stat()
    files.main.write_text(text(2))
    os.utime(files.main, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert is_news(look([files.main]), seen)
    files.main.unlink()
    gone = look([files.main])
    assert is_news(gone, seen)
    files.main.mkdir()
    assert is_news(look([files.main]), gone)


def test_a_file_that_nobody_writes_is_read_once(files: Files) -> None:
    """The usual case costs one build."""
    built, seen = settle(files.build, look([files.main]))
    assert (files.builds, model(built), seen) == (1, "model-1", look([files.main]))


async def test_a_file_written_while_it_is_read_is_read_again(files: Files) -> None:
    """And what the first build held is given back."""
    files.during = [lambda: _write(files.main, text(2))]
    built, seen = settle(files.build, look([files.main]))
    assert (files.builds, model(built)) == (2, "model-2")
    assert built.runtime is not None
    built.runtime.release()
    await files.shared.sweep()
    assert len(files.shared) == 0
    assert not is_news(look([files.main]), seen)


def test_there_and_back_is_noticed(files: Files) -> None:
    """The content is the same before and after the build, but it was another one that was built."""
    files.main.write_text(text(1))
    before = look([files.main])
    files.main.write_text(text(2))
    files.during = [lambda: _write(files.main, text(1))]
    built, _ = settle(files.build, before)
    assert (files.builds, model(built)) == (2, "model-1")


def test_what_never_rests_is_taken_and_looked_at_again(files: Files) -> None:
    """After a few tries; it does not count as seen."""
    files.during = [lambda number=number: _write(files.main, text(number)) for number in range(10, 20)]  # type: ignore[misc]
    built, seen = settle(files.build, look([files.main]))
    assert files.builds == MAX_TRIES
    assert built.runtime is not None
    assert is_news(look(seen), seen)


def test_an_included_file_counts_before_it_is_known(files: Files) -> None:
    """It may change while it is read for the first time."""
    part = files.main.with_name("part.yaml")
    part.write_text("log: {level: info}\n")
    files.main.write_text(text(1, "include: [part.yaml]"))
    files.during = [lambda: _write(part, "log: {level: debug}\n")]
    built, seen = settle(files.build, look([files.main]))
    assert built.config is not None
    assert built.config.log.level == "debug"
    assert set(seen) == {files.main, part}
    assert not is_news(look(seen), seen)


def _write(path: Path, content: str) -> None:
    path.write_text(content)


class Reloading:
    """A reloader on a folder, without a server."""

    def __init__(self, files: Files) -> None:
        first = settle(files.build, look([files.main]))
        assert first.built.runtime is not None
        self.files = files
        self.metrics = Metrics()
        self.current = Current(first.built.runtime)
        self.applied: list[GatewayConfig] = []
        self.stop = asyncio.Event()
        self.told = LogCapture()
        self.reloader = Reloader(
            self.current,
            files.build,
            first,
            shared=files.shared,
            metrics=self.metrics,
            log=structlog.wrap_logger(None, processors=[self.told]),
            applied=self.applied.append,
        )

    @property
    def generation(self) -> int:
        """In use."""
        return self.current.runtime.generation

    async def reaches(self, generation: int) -> None:
        """Wait for it."""
        async with asyncio.timeout(5):
            while self.generation < generation:
                await asyncio.sleep(0.01)

    def metric(self, name: str) -> float | None:
        """A value as it is exposed."""
        lines = dict(line.rsplit(" ", 1) for line in self.metrics.render().decode().splitlines() if line[0] != "#")
        return float(lines[name]) if name in lines else None


@pytest.fixture
async def reloading(files: Files) -> AsyncIterator[Reloading]:
    """Not watching yet."""
    found = Reloading(files)
    yield found
    found.stop.set()
    await found.reloader.aclose()
    await files.shared.aclose()


async def test_what_is_known_is_not_built_again(reloading: Reloading) -> None:
    """Unless somebody asks for it."""
    assert await reloading.reloader.reload()
    assert (reloading.generation, reloading.files.builds) == (1, 1)
    assert await reloading.reloader.reload(forced=True)
    assert reloading.generation == 2


async def test_a_bad_file_is_told_and_a_good_one_forgets_it(reloading: Reloading) -> None:
    """Problems and metrics follow; a bad file is built once."""
    reloading.files.main.write_text("routes: [")
    assert not await reloading.reloader.reload()
    assert not await reloading.reloader.reload()
    assert (reloading.generation, reloading.files.builds) == (1, 2)
    assert "gateway.yaml:" in reloading.current.problems[0]
    assert reloading.metric("sluicegate_config_last_reload_successful") == 0
    assert reloading.metric('sluicegate_config_reloads_total{result="refused"}') == 1
    reloading.files.main.write_text(text(2))
    assert await reloading.reloader.reload()
    assert (reloading.generation, reloading.current.problems) == (2, ())
    assert reloading.metric("sluicegate_config_last_reload_successful") == 1
    assert [config.routes["chat"].models for config in reloading.applied] == [("model-2",)]


async def test_an_error_in_a_build_is_told_and_the_watching_goes_on(reloading: Reloading) -> None:
    """Once per content: it would fail again."""

    def fail() -> None:
        raise KeyError("properties")

    reloading.files.during = [fail]
    reloading.files.main.write_text(text(2))
    watching = asyncio.ensure_future(reloading.reloader.watch(reloading.stop))
    async with asyncio.timeout(5):
        while not reloading.current.problems:
            await asyncio.sleep(0.01)
    assert "KeyError" in reloading.current.problems[0]
    assert reloading.metric('sluicegate_config_reloads_total{result="failed"}') == 1
    assert [(line["event"], line["log_level"]) for line in reloading.told.entries] == [("reload.failed", "error")]
    assert not await reloading.reloader.reload()
    reloading.files.main.write_text(text(3))
    await reloading.reaches(2)
    assert (model_of(reloading), reloading.current.problems) == ("model-3", ())
    reloading.stop.set()
    await watching


def model_of(reloading: Reloading) -> str:
    """The model of the generation in use."""
    return next(name for name, _ in reloading.current.runtime.router.model_names())


async def test_watching_survives_a_folder_that_goes(reloading: Reloading) -> None:
    """With the file in it; when both are back, they are watched."""
    watching = asyncio.ensure_future(reloading.reloader.watch(reloading.stop))
    folder = reloading.files.main.parent
    aside = folder.with_name("aside")
    folder.rename(aside)
    async with asyncio.timeout(5):
        while not reloading.current.problems:
            await asyncio.sleep(0.01)
    aside.rename(folder)
    await reloading.reaches(2)
    for number in range(3, 6):
        reloading.files.main.write_text(text(number))
        await reloading.reaches(number)
    assert model_of(reloading) == "model-5"
    reloading.stop.set()
    await watching


async def test_an_old_generation_is_closed_when_its_last_request_has_ended(reloading: Reloading) -> None:
    """Not before; and the one in use is not touched."""
    old, held = reloading.current.runtime, len(reloading.files.shared)
    old.enter()
    reloading.files.main.write_text(text(2, provider="other"))
    assert await reloading.reloader.reload()
    await asyncio.sleep(0.05)
    assert len(reloading.files.shared) == held + 2  # another pool, and another target's health
    old.leave()
    async with asyncio.timeout(5):
        while len(reloading.files.shared) > held:
            await asyncio.sleep(0.01)


async def test_a_refused_file_leaves_nothing_open(reloading: Reloading) -> None:
    """What it would have needed is closed at once."""
    held = len(reloading.files.shared)
    reloading.files.main.write_text(text(2, provider="other") + "colour: blue\n")
    assert not await reloading.reloader.reload()
    assert len(reloading.files.shared) == held


async def test_reloads_asked_for_at_once_follow_one_another(reloading: Reloading) -> None:
    """Each generation has a number of its own."""
    await asyncio.gather(*(reloading.reloader.reload(forced=True) for _ in range(10)))
    assert (reloading.generation, len(reloading.applied)) == (11, 10)
