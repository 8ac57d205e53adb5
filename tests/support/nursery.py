"""Starts gateways by forking a process that has imported the program already: a tenth of a second instead of one.

What is forked does what ``python -m proxy.cli`` does, in a folder, with an environment and an output of its own. Run as
a module it is that process: it reads one JSON object a line from its standard input and answers each with a line.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, NoReturn

from tests.support.environment import ROOT, clean_environment


class Child:
    """A process that was forked, to be used like one of ``subprocess``."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, as soon as it has one.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        code = self._ended(None if timeout is None else timeout * 1000)
        if code is None:
            raise subprocess.TimeoutExpired("sluicegate", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, milliseconds: float | None) -> int | None:
        if self.returncode is None:
            poller = select.poll()
            poller.register(self._handle, select.POLLIN)
            if poller.poll(milliseconds):
                self.returncode = self._nursery.ask(reap=self.pid)
                os.close(self._handle)
        return self.returncode


class Nursery:
    """The process that forks."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=clean_environment(PYTHONPATH=str(ROOT)),
        )

    def start(
        self,
        args: Sequence[str],
        folder: Path,
        output: Path,
        environment: dict[str, str],
        *,
        errors: Path | None = None,
        stdin: Path | None = None,
    ) -> Child:
        """``sluicegate`` with these arguments. ``output`` takes what it prints, also of errors if they have no file."""
        files = [str(stdin or os.devnull), str(output), str(errors or "")]
        return Child(self, self.ask(args=list(args), folder=str(folder), files=files, environment=environment))

    def ask(self, **request: Any) -> int:
        """One question and its answer."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with self._lock:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            return int(process.stdout.readline())

    def close(self) -> None:
        """No more."""
        self._process.communicate()


@cache
def nursery() -> Nursery:
    """That of this process."""
    made = Nursery()
    atexit.register(made.close)
    return made


def sluicegate(
    *args: str, folder: Path = ROOT, environment: dict[str, str] | None = None, stdin: bytes = b"", timeout: float = 30
) -> subprocess.CompletedProcess[str]:
    """Run a command and wait.

    Raises:
        subprocess.TimeoutExpired: after ``timeout`` seconds.
    """
    with TemporaryDirectory() as place:
        given, output, errors = (Path(place, name) for name in ("stdin", "stdout", "stderr"))
        given.write_bytes(stdin)
        environment = clean_environment(PYTHONPATH=str(ROOT), **(environment or {}))
        child = nursery().start(args, folder, output, environment, errors=errors, stdin=given)
        try:
            code = child.wait(timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise
        said, complained = (path.read_text(encoding="utf-8", errors="replace") for path in (output, errors))
        return subprocess.CompletedProcess(args, code, said, complained)


def _serve() -> list[str] | None:
    """Answer until the input ends. In a forked process: return its arguments."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "reap" in request:
            _, status = os.waitpid(request["reap"], 0)
            os.write(1, b"%d\n" % os.waitstatus_to_exitcode(status))
            continue
        pid = os.fork()
        if pid == 0:
            return _settle(request)
        os.write(1, b"%d\n" % pid)
    return None


def _settle(request: dict[str, Any]) -> list[str]:
    """Be the process that was asked for."""
    given, output, errors = request["files"]
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [os.open(given, os.O_RDONLY), os.open(output, write, 0o644)]
    files.append(os.open(errors, write, 0o644) if errors else os.dup(files[1]))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    args: list[str] = request["args"]
    sys.argv = ["sluicegate", *args]
    return args


def _live(main: Callable[[Sequence[str]], int], args: Sequence[str]) -> NoReturn:
    """The whole life of a forked process. Taking its interpreter apart at the end would take a quarter of a second."""
    try:
        code = main(args)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    import genai_prices.data_snapshot  # noqa: F401 - what the gateway itself would import a little later

    from proxy.cli import main

    gc.collect()
    gc.freeze()  # what is shared with the forked ones is not looked through, and so not copied
    if (args := _serve()) is not None:
        _live(main, args)
