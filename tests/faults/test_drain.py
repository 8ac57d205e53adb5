"""REL-06: SIGTERM is seen at once, streams may end in time, and the process is gone when it said."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.faults.gate import Client, Gate, running, until
from tests.faults.test_framing import HOST, get


def refused(gate: Gate) -> bool:
    try:
        socket.create_connection(("127.0.0.1", gate.port), 1.0).close()
    except ConnectionError:  # or reset, if it was waiting to be accepted
        return True
    return False


def stream(gate: Gate) -> Client:
    client = gate.client()
    client.send(get(b"/stream"))
    client.receive(b"first\n\n\r\n")
    return client


def test_200_live_streams_drain(tmp_path: Path) -> None:
    """New connections are refused long before the end, at which each stream gets a typed event and its proper end."""
    with running(tmp_path, drain=1.0) as gate:
        streams = [stream(gate) for _ in range(200)]
        begun = time.monotonic()
        gate.terminate()
        assert until(lambda: refused(gate), 0.8)
        answers = [client.receive_all() for client in streams]
        assert all(b"event: error\ndata: shutting_down\n\n" in answer for answer in answers)
        assert all(answer.endswith(b"0\r\n\r\n") for answer in answers)
        assert gate.process.wait(4) == 0
        assert 1.0 <= time.monotonic() - begun <= 3.0
        assert "Traceback" not in gate.log


def test_idle_connections_end_with_the_listener(tmp_path: Path) -> None:
    with running(tmp_path, drain=20) as gate:
        client = gate.client()
        client.send(get())
        client.receive(b"0 bytes")
        gate.terminate()
        assert client.ended(0.5)
        assert gate.process.wait(2) == 0


def test_request_in_work_is_finished_and_says_that_it_is_the_last(tmp_path: Path) -> None:
    with running(tmp_path, drain=20) as gate:
        client = gate.client()
        client.send(get(b"/unread?0.5") + get(b"/never"))
        assert gate.noted("waiting")
        gate.terminate()
        answer = client.receive_all()
        assert answer.endswith(b"0 bytes")
        assert b"\r\nconnection: close\r\n" in answer
        assert gate.process.wait(2) == 0
        assert not any("never" in line for line in gate.journal)


def test_readyz_turns_before_the_listener_closes(tmp_path: Path) -> None:
    with running(tmp_path, shutdown_delay=0.6, drain=5) as gate:
        assert gate.get("/readyz").startswith(b"HTTP/1.1 200")
        begun = time.monotonic()
        gate.terminate()
        assert until(lambda: gate.get("/readyz").startswith(b"HTTP/1.1 503"), 0.3)
        assert gate.get().endswith(b"0 bytes")
        assert until(lambda: refused(gate), 5.0)
        assert time.monotonic() - begun >= 0.55
        assert gate.process.wait(2) == 0


def test_request_without_an_answer_gets_a_503_at_the_end(tmp_path: Path) -> None:
    with running(tmp_path, drain=0.3) as gate:
        client = gate.client()
        client.send(get(b"/wait"))
        assert gate.noted("waiting")
        gate.terminate()
        assert client.receive_all().startswith(b"HTTP/1.1 503")
        assert gate.noted("cancelled wait draining")
        assert gate.process.wait(3) == 0


def test_application_that_does_not_listen_cannot_hold_the_process(tmp_path: Path) -> None:
    with running(tmp_path, drain=0.3) as gate:
        client = gate.client()
        client.send(get(b"/deaf"))
        assert gate.noted("deaf")
        begun = time.monotonic()
        gate.terminate()
        gate.process.wait(4)
        assert time.monotonic() - begun <= 0.3 + 2.5


def test_client_that_does_not_read_cannot_hold_the_process(tmp_path: Path) -> None:
    with running(tmp_path, drain=0.3) as gate:
        client = gate.client(small_buffer=True)
        client.send(get(b"/large?5000000"))
        client.socket.recv(10)
        begun = time.monotonic()
        gate.terminate()
        assert gate.process.wait(4) == 0
        assert time.monotonic() - begun <= 0.3 + 2.5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_ends_at_once(tmp_path: Path, number: int) -> None:
    with running(tmp_path, drain=30) as gate:
        client = stream(gate)
        gate.process.send_signal(number)
        assert until(lambda: refused(gate), 5.0)
        assert not client.ended(0.3)
        gate.process.send_signal(number)
        begun = time.monotonic()
        assert gate.process.wait(3) == 0
        assert time.monotonic() - begun <= 1.0


def test_keep_alive_client_is_told_to_leave_during_the_drain(tmp_path: Path) -> None:
    """A connection that is in work when the listener closes serves this answer and no other."""
    with running(tmp_path, drain=20) as gate:
        client = gate.client()
        client.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nab")
        assert gate.noted("request POST /")
        gate.terminate()
        assert until(lambda: refused(gate), 5.0)
        client.send(b"cd" + get(b"/never"))
        assert b"connection: close" in client.receive_all()
        assert gate.process.wait(2) == 0
