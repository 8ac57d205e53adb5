"""Several processes on one listening socket, and the supervisor that keeps them alive and ends them."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from time import monotonic
from types import FrameType
from typing import Any

from proxy.server.serve import bind

_log = logging.getLogger("proxy.server")

Entry = Callable[[list[socket.socket]], None]

# A worker that lived so long did not die of its start: the next one follows at once. Others wait, longer each time.
_HEALTHY_AFTER = 5.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
WRONG_CONFIG = 2  # the exit status of a worker that would fail again in the same way
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"


class Workers:
    """Runs ``count`` processes of ``entry(sockets)``; ``run`` returns the exit status when all have ended.

    ``entry`` must be picklable: a function of a module, or a ``functools.partial`` of one. SIGTERM and SIGINT end the
    workers, SIGHUP is passed on. A worker has ``patience`` seconds to end, then it is killed. ``on_death(pid)`` is
    called in the supervisor for each worker that died by itself. The metrics of all workers meet in one directory.
    """

    def __init__(
        self,
        entry: Entry,
        *,
        host: str,
        port: int,
        count: int,
        patience: float,
        on_started: Callable[[int], None] | None = None,
        on_death: Callable[[int], None] | None = None,
    ) -> None:
        self._entry = entry
        self._host = host
        self._port = port
        self._count = count
        self._patience = patience
        self._on_started = on_started
        self._on_death = on_death
        self._spawn = multiprocessing.get_context("spawn")
        self._sockets: list[socket.socket] = []
        self._slots: list[_Slot] = []
        self._signals: list[int] = []
        self._status = 0

    def run(self) -> int:
        self._sockets = bind(self._host, self._port)
        metrics = tempfile.mkdtemp(prefix="sluicegate-metrics-")
        inherited = os.environ.get(_METRICS_DIR)
        os.environ[_METRICS_DIR] = metrics
        wakeup, writer = socket.socketpair()
        handlers = self._watch_signals(wakeup, writer)
        try:
            self._slots = [_Slot() for _ in range(self._count)]
            if self._on_started is not None:
                self._on_started(self._sockets[0].getsockname()[1])
            self._supervise(wakeup)
        finally:
            self._end_all(wakeup)
            signal.set_wakeup_fd(-1)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            wakeup.close()
            writer.close()
            shutil.rmtree(metrics, ignore_errors=True)
            os.environ.pop(_METRICS_DIR)
            if inherited is not None:
                os.environ[_METRICS_DIR] = inherited
        return self._status

    def _watch_signals(self, wakeup: socket.socket, writer: socket.socket) -> dict[signal.Signals, Any]:
        """Collect signals, each of which also wakes the reader of ``wakeup``; the handlers until now are returned."""
        wakeup.setblocking(False)
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        return {number: signal.signal(number, self._note_signal) for number in _SIGNALS}

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _supervise(self, wakeup: socket.socket) -> None:
        while True:
            now = monotonic()
            for slot in self._slots:
                if slot.process is None and slot.starts_at <= now:
                    slot.start(self._spawn.Process(target=_work, args=(self._entry, self._sockets)))
            next_start = min((slot.starts_at for slot in self._slots if slot.process is None), default=now + 60.0)
            self._sleep(wakeup, max(0.0, next_start - now))
            if not self._pass_on_signals():
                return
            for slot in self._slots:
                if slot.process is not None and slot.process.exitcode is not None and not self._bury(slot):
                    return

    def _sleep(self, wakeup: socket.socket, timeout: float) -> None:
        """Until a worker dies, a signal comes or the time is over."""
        alive = [slot.process.sentinel for slot in self._slots if slot.process is not None and slot.alive]
        if len(alive) < sum(slot.process is not None for slot in self._slots):
            timeout = 0.0  # one died before we could watch it
        with contextlib.suppress(BlockingIOError):
            if wakeup in wait([wakeup, *alive], timeout):
                wakeup.recv(4096)

    def _pass_on_signals(self) -> bool:
        """Hand SIGHUP to the workers; false when a signal says that it is time to end."""
        numbers, self._signals = self._signals, []
        if signal.SIGHUP in numbers:
            for slot in self._slots:
                slot.kill(signal.SIGHUP)
        return all(number == signal.SIGHUP for number in numbers)

    def _bury(self, slot: _Slot) -> bool:
        """Note the death of a worker and when the next one starts; false when there is no point in another."""
        process = slot.process
        assert process is not None
        assert process.pid is not None
        status = process.exitcode
        process.join()
        if self._on_death is not None:
            self._on_death(process.pid)
        if status == WRONG_CONFIG:
            self._status = WRONG_CONFIG
            return False
        slot.process = None
        slot.deaths = 0 if monotonic() - slot.started > _HEALTHY_AFTER else slot.deaths + 1
        pause = min(_FIRST_PAUSE * 2**slot.deaths, _LONGEST_PAUSE) if slot.deaths else 0.0
        slot.starts_at = monotonic() + pause
        _log.error("worker %d died (status %s); the next one starts in %.1f s", process.pid, status, pause)
        return True

    def _end_all(self, wakeup: socket.socket) -> None:
        """Ask every worker to end, again at a second signal, and kill what is left when the patience is over."""
        for sock in self._sockets:
            sock.close()
        for slot in self._slots:
            slot.kill(signal.SIGTERM)
        ends = monotonic() + self._patience
        while any(slot.alive for slot in self._slots) and (left := ends - monotonic()) > 0:
            self._sleep(wakeup, left)
            numbers, self._signals = self._signals, []
            if any(number != signal.SIGHUP for number in numbers):
                for slot in self._slots:
                    slot.kill(signal.SIGTERM)
        for slot in self._slots:
            slot.kill(signal.SIGKILL)
            if slot.process is not None:
                slot.process.join()


class _Slot:
    """The place of one worker; another process takes it when that one dies."""

    def __init__(self) -> None:
        self.process: SpawnProcess | None = None
        self.started = 0.0
        self.starts_at = 0.0
        self.deaths = 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.exitcode is None

    def start(self, process: SpawnProcess) -> None:
        self.started = monotonic()
        self.process = process
        # A hang-up that is passed on while the worker still starts waits there, instead of killing it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def kill(self, number: int) -> None:
        if self.process is not None and self.process.pid is not None and self.process.exitcode is None:
            os.kill(self.process.pid, number)


def _work(entry: Entry, sockets: list[socket.socket]) -> None:
    """The life of a worker: ends with the supervisor, even if that one is killed."""
    # Ctrl-C reaches the whole group; the supervisor decides and sends SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the application listens to it
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), name="supervisor-watch", daemon=True).start()
    entry(sockets)


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
