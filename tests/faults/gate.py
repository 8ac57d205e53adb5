"""A running server for fault tests, and a client that writes bytes as they are told."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.support.scale import PATIENCE

_ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Whether ``condition`` becomes true in time."""
    ends = time.monotonic() + patience
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True


class Client:
    """One connection of raw bytes."""

    def __init__(self, port: int, *, small_buffer: bool = False) -> None:
        self.socket = socket.socket()
        if small_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def receive(self, ending: bytes) -> bytes:
        """What comes, up to ``ending`` or the end."""
        data = b""
        while not data.endswith(ending) and (more := self.socket.recv(65536)):
            data += more
        return data

    def receive_all(self) -> bytes:
        """Everything until the server closes; a reset counts as a close."""
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while more := self.socket.recv(65536):
                data += more
        return data

    def ended(self, within: float) -> bool:
        """Whether the server ends the connection within so many seconds; what it sends before is dropped."""
        ends = time.monotonic() + within
        left = within
        while left >= 0 and select.select([self.socket], [], [], left)[0]:
            try:
                if not self.socket.recv(65536):
                    return True
            except ConnectionResetError:
                return True
            left = ends - time.monotonic()
        return False

    def reset(self) -> None:
        """Leave with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


class Gate:
    """A server process with short limits, and its journal."""

    def __init__(self, journal: Path, **limits: float) -> None:
        self._journal = journal
        journal.touch()
        self._log = journal.with_suffix(".log")
        command = [sys.executable, "-m", "tests.faults.journalled", str(journal), msgspec.json.encode(limits).decode()]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=_ROOT)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self._clients: list[Client] = []
        self._own_sockets = self._sockets()

    def client(self, *, small_buffer: bool = False) -> Client:
        client = Client(self.port, small_buffer=small_buffer)
        self._clients.append(client)
        return client

    def exchange(self, data: bytes) -> bytes:
        """Send ``data`` on a new connection, and all that comes until it is closed."""
        client = self.client()
        client.send(data)
        return client.receive_all()

    def get(self, path: str = "/") -> bytes:
        return self.exchange(b"GET %b HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n" % path.encode())

    @property
    def journal(self) -> list[str]:
        return self._journal.read_text().splitlines()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def noted(self, line: str, patience: float = PATIENCE) -> bool:
        return until(lambda: line in self.journal, patience)

    def count(self, word: str) -> int:
        return sum(line.startswith(word) for line in self.journal)

    def memory(self) -> int:
        """Resident bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")

    def connections(self) -> int:
        """Open connections of the server, as the system counts them."""
        return self._sockets() - self._own_sockets

    def _sockets(self) -> int:
        count = 0
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                count += entry.readlink().name.startswith("socket:")
        return count

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def running(directory: Path, **limits: float) -> Iterator[Gate]:
    gate = Gate(directory / "journal", **limits)
    try:
        yield gate
    finally:
        gate.close()
