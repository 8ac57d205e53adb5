"""Several processes on one socket: shared work, new workers for dead ones, one end for all."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.gate import Client, until
from tests.faults.test_framing import HOST, get

ROOT = Path(__file__).parents[3]
CLOSE = HOST + b"Connection: close\r\n"


class Supervisor:
    """The supervisor's process and what its workers wrote."""

    def __init__(self, directory: Path, count: int, status: int = 0) -> None:
        self.path = directory / "journal"
        self.path.touch()
        self.log = directory / "log"
        command = [sys.executable, "-m", "tests.proxy.server.worker_app", str(count), str(self.path), str(status)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self._clients: list[Client] = []

    def client(self) -> Client:
        self._clients.append(Client(self.port))
        return self._clients[-1]

    def pids(self, word: str) -> list[int]:
        return [int(line.split()[1]) for line in self.path.read_text().splitlines() if line.startswith(word)]

    def ask(self, path: bytes = b"/") -> bytes:
        client = self.client()
        client.send(get(path, CLOSE))
        return client.receive_all()

    def refuses(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1.0).close()
        except ConnectionError:  # or reset, if it was waiting to be accepted
            return True
        return False

    def close(self) -> None:
        for client in self._clients:
            client.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # a session of its own: itself and its workers
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, 2)
    try:
        assert until(lambda: len(supervisor.pids("started")) == 2)
        yield supervisor
    finally:
        supervisor.close()


def test_workers_share_one_socket_and_one_directory_of_metrics(supervisor: Supervisor) -> None:
    answers: dict[bytes, bytes] = {}

    def both() -> bool:
        clients = [supervisor.client() for _ in range(20)]
        for client in clients:
            client.send(get(b"/", CLOSE))
        for client in clients:
            pid, directory = client.receive_all().split(b"\r\n\r\n", 1)[1].split(b"\r\n")[1].split()
            answers[pid] = directory
        return len(answers) == 2

    assert until(both)
    assert {int(pid) for pid in answers} == set(supervisor.pids("started"))
    directory = Path(set(answers.values()).pop().decode())
    assert directory.is_dir()
    supervisor.process.terminate()
    assert supervisor.process.wait(5) == 0
    assert not directory.exists()


def test_dead_worker_is_replaced_within_three_seconds(supervisor: Supervisor) -> None:
    victim = supervisor.pids("started")[0]
    os.kill(victim, signal.SIGKILL)
    begun = time.monotonic()
    assert until(lambda: len(supervisor.pids("started")) == 3, 3.0), supervisor.log.read_text()
    assert time.monotonic() - begun <= 3.0
    assert supervisor.pids("died") == [victim]
    assert supervisor.ask().startswith(b"HTTP/1.1 200")


def test_workers_that_keep_dying_are_not_started_in_a_rush(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, 1, status=3)
    try:
        assert until(lambda: len(supervisor.pids("died")) >= 3)
        assert supervisor.process.poll() is None
        assert "starts in 0.4 s" in supervisor.log.read_text()
    finally:
        supervisor.close()


def test_worker_with_a_wrong_config_ends_everything(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, 2, status=2)
    try:
        assert supervisor.process.wait(8) == 2
    finally:
        supervisor.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_all_workers_and_their_drain_is_bounded(supervisor: Supervisor, number: int) -> None:
    """SIGINT as the terminal sends it: to the whole group."""
    client = supervisor.client()
    client.send(get(b"/hold"))
    client.receive(b"\r\n")
    if number == signal.SIGINT:
        os.killpg(supervisor.process.pid, number)
    else:
        supervisor.process.send_signal(number)
    begun = time.monotonic()
    assert until(supervisor.refuses, 0.5)
    assert supervisor.process.wait(5) == 0
    assert 1.4 <= time.monotonic() - begun <= 4.5
    assert sorted(supervisor.pids("ended")) == sorted(supervisor.pids("started"))
    assert supervisor.pids("died") == []


def test_workers_end_with_a_supervisor_that_was_killed(supervisor: Supervisor) -> None:
    workers = supervisor.pids("started")
    supervisor.process.kill()
    assert until(lambda: not any(map(alive, workers)), 4.0)
    assert sorted(supervisor.pids("ended")) == sorted(workers)


def test_reload_signal_reaches_the_workers_and_ends_nobody(supervisor: Supervisor) -> None:
    supervisor.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert supervisor.process.poll() is None
    assert supervisor.pids("died") == []
    assert supervisor.ask().startswith(b"HTTP/1.1 200")
