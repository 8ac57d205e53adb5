"""BAD-02, STR-02, STR-03: clients that drip, stall, do not read or leave hold nothing beyond their deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.gate import Client, Gate, running, until
from tests.faults.test_framing import CHUNKED, HOST, assert_refused, get, post

LIMITS = {
    "header_timeout": 0.8,
    "body_timeout": 0.8,
    "body_total_timeout": 2.0,
    "keep_alive": 1.2,
    "write_timeout": 1.0,
}
SLACK = 1.0  # of the sweep, and of a busy machine


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running(tmp_path_factory.mktemp("slow"), **LIMITS) as gate:
        yield gate


def drip(client: Client, data: bytes, seconds: float) -> float:
    """Send a byte every 0.1 s until the server ends the connection; how long that took."""
    begun = time.monotonic()
    for byte in data:
        client.send(bytes([byte]))
        if client.ended(0.1):
            break
        if time.monotonic() - begun > seconds:
            break
    return time.monotonic() - begun


def test_dripping_head_ends_at_the_header_timeout(gate: Gate) -> None:
    client = gate.client()
    taken = drip(client, get(headers=HOST * 20), 5.0)
    assert LIMITS["header_timeout"] - 0.1 <= taken <= LIMITS["header_timeout"] + SLACK


def test_half_a_head_gets_a_408(gate: Gate) -> None:
    assert_refused(gate.exchange(b"GET / HTTP/1.1\r\nHo"), 408)


def test_silent_connection_ends_at_the_header_timeout_without_a_word(gate: Gate) -> None:
    begun = time.monotonic()
    assert gate.exchange(b"") == b""
    assert time.monotonic() - begun <= LIMITS["header_timeout"] + SLACK


def test_stalled_body_gets_a_408_and_its_task_is_cancelled(gate: Gate) -> None:
    answer = gate.exchange(post(b"Content-Length: 1000\r\n", b"some"))
    assert_refused(answer, 408)
    assert gate.noted("cancelled echo refused")


@pytest.mark.parametrize("framing", [b"Content-Length: 1000\r\n", CHUNKED])
def test_dripping_body_ends_at_the_total_timeout(gate: Gate, framing: bytes) -> None:
    client = gate.client()
    client.send(post(framing))
    taken = drip(client, b"1\r\nx\r\n" * 100, 6.0)
    assert LIMITS["body_timeout"] < taken <= LIMITS["body_total_timeout"] + SLACK


def test_idle_connection_ends_after_keep_alive(gate: Gate) -> None:
    client = gate.client()
    client.send(get())
    client.receive(b"0 bytes")
    assert not client.ended(LIMITS["header_timeout"])
    assert client.ended(LIMITS["keep_alive"] - LIMITS["header_timeout"] + SLACK)


def test_second_request_has_its_own_header_timeout(gate: Gate) -> None:
    client = gate.client()
    client.send(get())
    client.receive(b"0 bytes")
    time.sleep(0.5)
    client.send(b"GET / HT")
    time.sleep(0.5)
    client.send(b"TP/1.1\r\n" + HOST + b"\r\n")
    assert client.receive(b"0 bytes").startswith(b"HTTP/1.1 200")


def test_client_that_does_not_read_is_held_then_closed(gate: Gate) -> None:
    """The upstream side is paused within 256 KiB, and the connection ends at the write timeout."""
    before = gate.count("took")
    clients = [gate.client(small_buffer=True) for _ in range(10)]
    for client in clients:
        client.send(get(b"/flood"))
    begun = time.monotonic()
    assert until(lambda: gate.count("cancelled flood client_gone") == 10)
    assert LIMITS["write_timeout"] - 0.1 <= time.monotonic() - begun <= LIMITS["write_timeout"] + SLACK
    assert (gate.count("took") - before) * 16384 / 10 <= 256 * 1024


def test_client_that_reads_slowly_but_steadily_gets_its_answer(gate: Gate) -> None:
    size = 2 * 1024 * 1024
    client = gate.client(small_buffer=True)
    client.send(get(b"/large?%d" % size, HOST + b"Connection: close\r\n"))
    received = 0
    begun = time.monotonic()
    while more := client.socket.recv(4096):
        received += len(more)
        if time.monotonic() - begun < 2.5:
            time.sleep(0.02)
    assert time.monotonic() - begun > LIMITS["write_timeout"] * 2
    assert received > size


def test_unread_last_answer_does_not_hold_its_connection(tmp_path: Path) -> None:
    with running(tmp_path, **LIMITS) as gate:
        client = gate.client(small_buffer=True)
        client.send(get(b"/large?400000", HOST + b"Connection: close\r\n"))
        assert gate.noted("end large")
        time.sleep(LIMITS["write_timeout"] + SLACK)
        assert gate.connections() == 0


def test_body_that_the_application_does_not_read_waits_outside(gate: Gate) -> None:
    """No deadline of the client's runs while it is the application that makes it wait."""
    body = bytes(4 * 1024 * 1024)
    before = gate.memory()
    client = gate.client()
    client.socket.setblocking(False)
    script = post(b"Content-Length: %d\r\nConnection: close\r\n" % len(body), body).replace(b"/ ", b"/unread?2 ", 1)
    data = memoryview(script)
    sent = 0
    ends = time.monotonic() + 1.2
    while time.monotonic() < ends:
        try:
            sent += client.socket.send(data[sent:])
        except BlockingIOError:
            time.sleep(0.02)
    assert gate.memory() - before < 2 * 1024 * 1024
    client.socket.settimeout(5)
    client.socket.sendall(data[sent:])
    assert client.receive_all().endswith(b"%d bytes" % len(body))


def test_many_slow_clients_leave_others_alone(gate: Gate) -> None:
    """Silent, half a head, half a body, not reading: all end at their deadline while others are served."""
    before = gate.memory()
    slow: list[Client] = []
    for start in (b"", b"GET / HT", post(b"Content-Length: 9\r\n", b"x"), get(b"/flood")):
        for _ in range(50):
            client = gate.client(small_buffer=True)
            client.send(start)
            slow.append(client)
    for _ in range(20):
        assert gate.get().endswith(b"0 bytes")
    assert gate.memory() - before < 50 * 1024 * 1024
    assert until(lambda: gate.connections() == 0, 4.0)


# Phases in which a client leaves: what it sends, and what the journal says before it goes.
PHASES: dict[str, tuple[bytes, str]] = {
    "before an answer": (get(b"/wait"), "waiting"),
    "in the body": (post(b"Content-Length: 9\r\n", b"x").replace(b"/ ", b"/unread ", 1), "waiting"),
    "in a stream": (get(b"/stream"), "streaming"),
    "with a request behind it": (get(b"/wait") + get(b"/never"), "waiting"),
    "while it does not read": (get(b"/flood"), "took 16384"),
}


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A server with the usual deadlines: none of them helps where a client leaves."""
    with running(tmp_path_factory.mktemp("patient")) as gate:
        yield gate


@pytest.mark.parametrize("leave", [Client.close, Client.reset], ids=["FIN", "RST"])
@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_client_that_leaves_cancels_its_request_at_once(
    patient: Gate, phase: tuple[bytes, str], leave: Callable[[Client], None]
) -> None:
    script, sign = phase
    signs, gone, ended = patient.count(sign), patient.count("cancelled"), patient.count("end")
    client = patient.client(small_buffer=True)
    client.send(script)
    assert until(lambda: patient.count(sign) > signs)
    leave(client)
    assert until(lambda: patient.count("cancelled") == gone + 1 and patient.count("end") == ended + 1, 1.0)
    assert not any("never" in line or "refused" in line for line in patient.journal)
    assert patient.log == ""
