"""Watch → load → check → compile → swap → drain. A bad file changes nothing; the watcher never stops watching."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import watchfiles

from proxy.app import Current
from proxy.config.compile import Built, changes
from proxy.config.model import GatewayConfig
from proxy.runtime import Runtime
from proxy.telemetry.log import Logger
from proxy.telemetry.metrics import Metrics

# Editors write in several steps; events closer together than this are one change. Milliseconds.
DEBOUNCE_MS = 50
# Some file systems (network mounts, overlays) send no events: the contents are compared at this interval all the same.
POLL_S = 5.0
# A file that keeps changing while it is read is read again this often before it is taken as it is.
MAX_TRIES = 3


class Reloader:
    """Keeps ``current`` at the newest valid file.

    ``build`` turns the files on disk into a generation of the given number; it blocks, so it runs in a thread.
    """

    def __init__(
        self,
        current: Current,
        build: Callable[[int], Built],
        first: Built,
        *,
        metrics: Metrics,
        log: Logger,
        applied: Callable[[GatewayConfig], None],
    ) -> None:
        self._current = current
        self._build = build
        self._built = first  # the one in use
        self._files = first.files  # of the newest attempt, good or bad: an error may be mended in any of them
        self._seen = _contents(first.files)
        self._applied = applied
        self._metrics = metrics
        self._log = log
        self._lock = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()
        metrics.generation.set(current.runtime.generation)
        metrics.reload_ok.set(1)

    async def watch(self, stop: asyncio.Event) -> None:
        """Reload on every change of content until ``stop`` is set."""
        while not stop.is_set():
            files = self._files
            async for _ in _ticks({path.parent for path in files}, stop):
                await self.reload()
                if self._files != files:  # other directories to watch from now on
                    break

    async def reload(self, *, forced: bool = False) -> bool:
        """Take the files on disk if their content has changed; True if what is in use is what is on disk."""
        async with self._lock:
            seen = await asyncio.to_thread(_contents, self._files)
            if seen == self._seen and not forced:
                return not self._current.problems
            built = await self._build_settled(seen)
            if built.runtime is None:
                self._refuse(built)
                return False
            self._swap(built, built.runtime)
            return True

    async def _build_settled(self, seen: dict[Path, bytes | None]) -> Built:
        """A build of which it is certain that no file changed under it, so that no later change is taken for seen."""
        for _ in range(MAX_TRIES):
            built = await asyncio.to_thread(self._build, self._current.runtime.generation + 1)
            after = await asyncio.to_thread(_contents, built.files)
            self._files, self._seen = built.files, after
            if all(path in seen and seen[path] == content for path, content in after.items()):
                break
            if built.runtime is not None:
                await built.runtime.aclose()
            seen = after
        else:
            built = await asyncio.to_thread(self._build, self._current.runtime.generation + 1)
            self._seen = {}  # still changing: whatever is there at the next tick counts as new
        return built

    def _refuse(self, built: Built) -> None:
        self._current.problems = tuple(str(problem) for problem in built.problems)
        self._metrics.reload_ok.set(0)
        self._metrics.reloads.labels("refused").inc()
        self._log.error(
            "reload.refused",
            problems=self._current.problems,
            still_serving=self._current.runtime.generation,
        )

    def _swap(self, built: Built, runtime: Runtime) -> None:
        old, previous = self._current.runtime, self._built
        assert built.config is not None
        assert previous.config is not None
        self._built = built
        self._current.runtime = runtime
        self._current.problems = ()
        self._metrics.generation.set(runtime.generation)
        self._metrics.reload_ok.set(1)
        self._metrics.reloads.labels("applied").inc()
        self._applied(built.config)
        changed = changes(previous.config, built.config)
        self._log.info("reload.applied", generation=runtime.generation, digest=runtime.digest, changes=changed)
        for notice in built.notices:
            self._log.warning("config.notice", notice=str(notice))
        task = asyncio.create_task(self._retire(old), name=f"retire generation {old.generation}")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _retire(self, old: Runtime) -> None:
        """Close an old generation when its last request has ended, or when the longest request has had its time."""
        if not await old.drain(old.longest_request):
            self._log.warning("reload.drain_expired", generation=old.generation, in_flight=old.in_flight)
        await old.aclose()

    async def aclose(self) -> None:
        """Stop waiting for old generations."""
        for task in list(self._retiring):
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)


def _contents(files: tuple[Path, ...]) -> dict[Path, bytes | None]:
    """What stands in each file now; None where it cannot be read."""
    found: dict[Path, bytes | None] = {}
    for path in files:
        try:
            found[path] = path.read_bytes()
        except OSError:
            found[path] = None
    return found


async def _ticks(directories: set[Path], stop: asyncio.Event) -> AsyncIterator[None]:
    """One tick per burst of changes in these directories, and one per ``POLL_S`` where nothing is heard.

    Directories are watched, not files: editors rename over a file and orchestrators swap a symlink beside it.
    """
    present = [path for path in directories if path.is_dir()]
    async for _ in watchfiles.awatch(
        *present,
        watch_filter=None,
        debounce=1600,
        step=DEBOUNCE_MS,
        recursive=False,
        stop_event=stop,
        rust_timeout=int(POLL_S * 1000),
        yield_on_timeout=True,
    ):
        yield
