"""Processes under measurement: start, pin, read what they used, end. Linux only: the figures come from ``/proc``."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
PINNED = len(CORES) >= 2
CANDIDATE_CORE, LOAD_CORE = (CORES[0], CORES[-1]) if PINNED else (0, 0)


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run on one core for a while; what is started meanwhile inherits it and stays there."""
    if not PINNED:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A child with a log file for its error output, read through ``/proc`` with all its descendants."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        *,
        core: int,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
    ) -> None:
        self.log = log
        self.started = time.perf_counter()
        with pinned(core), log.open("ab") as errors:
            self.child = subprocess.Popen(
                command, env={**os.environ, **(env or {})}, stdin=stdin, stdout=stdout, stderr=errors
            )

    @property
    def stdout(self) -> IO[bytes]:
        assert self.child.stdout is not None
        return self.child.stdout

    def tree(self) -> list[int]:
        """Its process id and those of its descendants."""
        found, todo = [], [self.child.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in _listed(Path(f"/proc/{pid}/task")):
                with contextlib.suppress(OSError):
                    todo += [int(child) for child in (task / "children").read_text().split()]
        return found

    def cpu(self) -> float:
        """Seconds of processor time that all threads of all its processes have used."""
        nanoseconds = 0
        for pid in self.tree():
            for task in _listed(Path(f"/proc/{pid}/task")):
                with contextlib.suppress(OSError):
                    nanoseconds += int((task / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

    def memory(self) -> int:
        """Resident bytes, all processes added up."""
        return sum(_status(pid, "VmRSS:") for pid in self.tree()) * 1024

    def threads(self) -> int:
        return sum(_status(pid, "Threads:") for pid in self.tree())

    def files(self) -> int:
        """Open file descriptors."""
        return sum(len(_listed(Path(f"/proc/{pid}/fd"))) for pid in self.tree())

    def wait_ready(self, port: int, path: str, patience: float) -> float:
        """Seconds from the start until ``GET path`` answers 200."""
        ask = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n".encode()
        while time.perf_counter() - self.started < patience:
            if self.child.poll() is not None:
                raise RuntimeError(f"it ended with {self.child.returncode}: {self.tail()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as link:
                link.sendall(ask)
                if link.recv(64).split(b" ")[1:2] == [b"200"]:
                    return time.perf_counter() - self.started
            time.sleep(0.003)
        raise RuntimeError(f"not ready after {patience:.0f} s: {self.tail()}")

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:].strip() or "(it printed nothing)"

    def end(self) -> None:
        """Ask it to end; insist after five seconds."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        for stream in (self.child.stdin, self.child.stdout):
            if stream is not None:
                stream.close()


def _listed(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []


def _status(pid: int, field: str) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(field)), 0)
