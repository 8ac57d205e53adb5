"""Watch → load → check → compile → swap → drain. A bad file changes nothing; the watcher never stops watching."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import watchfiles

from proxy.app import Current
from proxy.config.compile import Built, changes
from proxy.config.files import MAX_FILE, read_bounded
from proxy.config.model import GatewayConfig
from proxy.garbage import look_now
from proxy.runtime import Runtime, Shared
from proxy.targets.checks import take_over
from proxy.telemetry.log import Logger
from proxy.telemetry.metrics import Metrics

# Editors write in several steps; events closer together than this are one change. Milliseconds.
QUIET_MS = 50
# In a directory that is never quiet (somebody writes a log there) the file is looked at this often all the same.
LONGEST_NOISE_MS = 200
# Some file systems (network mounts, overlays) send no events: the contents are compared at this interval all the same.
POLL_S = 1.0
# A file that keeps changing while it is read is read again this often before it is taken as it is.
MAX_TRIES = 3


class Sight(NamedTuple):
    """What stood in a file at one moment. ``stamp`` tells apart two writings of the same content."""

    content: bytes | str  # its digest, or why it cannot be read
    stamp: tuple[int, int]


# By file; None where it has not been looked at.
Look = dict[Path, Sight | None]


class Settled(NamedTuple):
    """What was built, and the files that decide about it as they were before."""

    built: Built
    seen: Look


def look(files: Iterable[Path]) -> Look:
    """What stands in each file now. Blocks."""
    return {path: _sight(path) for path in files}


def is_news(now: Look, seen: Look) -> bool:
    """Whether any content differs between two looks at the same files. A file that was only touched is no news."""
    return _contents(now) != _contents(seen)


def settle(build: Callable[[], Built], before: Look) -> Settled:
    """Build until no file has changed meanwhile: what was built is then what was seen. Blocks.

    ``before`` is a fresh look at the files that are known so far. What never comes to rest is taken as it is; the next
    look finds that it is not what was seen.
    """
    for left in reversed(range(MAX_TRIES)):
        built = build()
        after = look(built.files)
        if not left or all(before.get(path) == sight for path, sight in after.items()):
            break
        if built.runtime is not None:
            built.runtime.release()
        before = after
    return Settled(built, {path: before.get(path) for path in built.files})


def _contents(found: Look) -> list[bytes | str | None]:
    return [None if sight is None else sight.content for sight in found.values()]


def _sight(path: Path) -> Sight:
    content: bytes | str
    try:
        content = hashlib.sha256(read_bounded(path, MAX_FILE)).digest()
    except ValueError as error:
        content = str(error)
    try:
        state = path.stat()
    except (OSError, ValueError):
        return Sight(content, (0, 0))
    return Sight(content, (state.st_ino, state.st_ctime_ns))


class Reloader:
    """Keeps ``current`` at the newest valid file.

    ``build`` turns the files on disk into a generation of the given number; it blocks, so it runs in a thread.
    ``applied`` is called after each swap. ``log`` may be replaced.
    """

    def __init__(
        self,
        current: Current,
        build: Callable[[int], Built],
        first: Settled,
        *,
        shared: Shared,
        metrics: Metrics,
        log: Logger,
        applied: Callable[[GatewayConfig], None],
    ) -> None:
        self.log = log
        self._current = current
        self._build = build
        self._config = first.built.config  # of the generation in use
        self._seen = first.seen  # of the newest attempt, good or bad: an error may be mended in any of its files
        self._shared = shared
        self._metrics = metrics
        self._applied = applied
        self._lock = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()
        metrics.generation.set(current.runtime.generation)
        metrics.reload_ok.set(1)

    async def watch(self, stop: asyncio.Event) -> None:
        """Reload on every change of content until ``stop`` is set, whatever happens."""
        told = ""
        while not stop.is_set():
            await self.reload()
            try:
                await self._watch_places(await asyncio.to_thread(_places, self._seen), stop)
            except Exception as error:  # no more watches to be had, or a directory that just went
                if told != (told := str(error)):
                    self.log.warning("reload.cannot_watch", reason=told, looking_every_s=POLL_S)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), POLL_S)

    async def _watch_places(self, places: dict[Path, int], stop: asyncio.Event) -> None:
        """Reload on every tick, until it is in other directories that changes are to be expected."""
        async with contextlib.aclosing(_ticks(places, stop)) as ticks:
            async for _ in ticks:
                await self.reload()
                if await asyncio.to_thread(_places, self._seen) != places:
                    return

    async def reload(self, *, forced: bool = False) -> bool:
        """Take the files on disk if their content has changed; True if what is in use is what is on disk."""
        async with self._lock:
            try:
                found = await asyncio.to_thread(self._rebuild, forced)
                if found is None:
                    pass  # no news
                elif found.runtime is None:
                    await self._refuse(found)
                else:
                    await self._swap(found, found.runtime)
            except Exception as error:
                self._fail(error)
            return not self._current.problems

    def _rebuild(self, forced: bool) -> Built | None:
        """What stands on disk now; None if it is known. Blocks."""
        now = look(self._seen)
        if not forced and not is_news(now, self._seen):
            return None
        self._seen = now  # also if building fails in a way that nobody thought of: it would fail again
        built, self._seen = settle(lambda: self._build(self._current.runtime.generation + 1), now)
        return built

    async def _refuse(self, built: Built) -> None:
        problems = tuple(str(problem) for problem in built.problems)
        self._keep_serving("refused", problems)
        self.log.error("reload.refused", problems=problems, still_serving=self._current.runtime.generation)
        await self._shared.sweep()

    def _fail(self, error: Exception) -> None:
        problem = f"the gateway failed to take over the file ({type(error).__name__}); its log has the details"
        self._keep_serving("failed", (problem,))
        self.log.error("reload.failed", exc_info=error, still_serving=self._current.runtime.generation)

    def _keep_serving(self, result: str, problems: tuple[str, ...]) -> None:
        self._current.problems = problems
        self._metrics.reload_ok.set(0)
        self._metrics.reloads.labels(result).inc()

    async def _swap(self, built: Built, runtime: Runtime) -> None:
        assert built.config is not None
        old, self._current.runtime = self._current.runtime, runtime
        take_over(runtime.checks, old.checks)
        for keys in runtime.key_sets:
            keys.start()
        before, self._config = self._config, built.config
        self._current.problems = ()
        self._retire(old)
        self._metrics.generation.set(runtime.generation)
        self._metrics.reload_ok.set(1)
        self._metrics.reloads.labels("applied").inc()
        self._applied(built.config)
        lines = await asyncio.to_thread(changes, before, built.config)
        self.log.info("reload.applied", generation=runtime.generation, digest=runtime.digest, changes=lines)
        for notice in built.notices:
            self.log.warning("config.notice", notice=str(notice))

    def _retire(self, old: Runtime) -> None:
        task = asyncio.create_task(self._close(old), name=f"retire generation {old.generation}")
        self._retiring.add(task)
        task.add_done_callback(self._retired)

    def _retired(self, task: asyncio.Task[None]) -> None:
        self._retiring.discard(task)
        look_now()  # its parts hold each other

    async def _close(self, old: Runtime) -> None:
        """Close an old generation when its last request has ended, or when the longest request has had its time."""
        if not await old.drain(old.longest_request):
            self.log.warning("reload.drain_expired", generation=old.generation, in_flight=old.in_flight)
        old.release()
        try:
            await self._shared.sweep()
        except Exception as error:
            self.log.error("reload.close_failed", generation=old.generation, exc_info=error)

    async def aclose(self) -> None:
        """Stop waiting for old generations."""
        for task in list(self._retiring):
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)


def _places(files: Iterable[Path]) -> dict[Path, int]:
    """The directories in which these files can change, each with its inode: another one in its place is news. Blocks.

    Directories are watched, not files: editors rename over a file and orchestrators swap a symlink beside it.
    """
    found: dict[Path, int] = {}
    for path in files:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # missing, not a path, links in a circle
            for directory in (path.parent, path.resolve().parent):
                found[directory] = directory.stat().st_ino
    return found


async def _ticks(places: Iterable[Path], stop: asyncio.Event) -> AsyncGenerator[None]:
    """One tick per burst of changes in these directories, and one per ``POLL_S`` where nothing is heard."""
    bursts = watchfiles.awatch(
        *places,
        watch_filter=None,
        debounce=LONGEST_NOISE_MS,
        step=QUIET_MS,
        recursive=False,
        stop_event=stop,
        rust_timeout=int(POLL_S * 1000),
        yield_on_timeout=True,
    )
    async with contextlib.aclosing(bursts):
        async for _ in bursts:
            yield
