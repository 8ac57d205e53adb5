"""Upgrade to WebSocket: the same checks before it, bounds after it."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.gate import Client, Gate, running, until
from tests.faults.test_framing import HOST, assert_refused, get

UPGRADE = (
    HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running(tmp_path_factory.mktemp("websocket"), max_websocket_message=100_000, write_timeout=1.0) as gate:
        yield gate


def frame(payload: bytes, opcode: int = 1) -> bytes:
    size = len(payload)
    header = bytes([0x80 | opcode])
    header += bytes([0x80 | size]) if size < 126 else bytes([0x80 | 127]) + struct.pack("!Q", size)
    return header + bytes(4) + payload


def opened(gate: Gate, *, small_buffer: bool = False) -> Client:
    client = gate.client(small_buffer=small_buffer)
    client.send(get(b"/ws", UPGRADE))
    assert client.receive(b"\r\n\r\n").startswith(b"HTTP/1.1 101")
    return client


def test_messages_go_both_ways(gate: Gate) -> None:
    client = opened(gate)
    client.send(frame(b"hello"))
    assert client.receive(b"hello") == b"\x81\x05hello"
    client.send(frame(struct.pack("!H", 1000), opcode=8))
    assert client.receive_all()
    assert gate.noted("websocket ended 1000")


def test_message_over_the_limit_ends_the_session(gate: Gate) -> None:
    client = opened(gate)
    client.send(frame(bytes(100_001)))
    answer = client.receive_all()
    assert answer[:1] == b"\x88"
    assert struct.unpack("!H", answer[2:4])[0] == 1009


@pytest.mark.parametrize(
    "headers",
    [UPGRADE + b"Host: other\r\n", UPGRADE + b"X: a\rb\r\n", UPGRADE + b"Content-Length: 1\r\nContent-Length: 2\r\n"],
)
def test_malformed_head_is_refused_before_the_upgrade(gate: Gate, headers: bytes) -> None:
    assert_refused(gate.exchange(get(b"/ws", headers)))


def test_bytes_behind_an_upgrade_are_refused(gate: Gate) -> None:
    assert_refused(gate.exchange(get(b"/ws", UPGRADE) + frame(b"too soon")))


def test_client_that_pings_and_does_not_read_is_closed(tmp_path: Path) -> None:
    """Long before the write timeout: its unread answers are bounded in size."""
    with running(tmp_path) as gate:
        before = gate.memory()
        client = opened(gate, small_buffer=True)
        pings = frame(os.urandom(125), opcode=9) * 1000
        ended = False
        for _ in range(300):
            try:
                client.socket.sendall(pings)
            except OSError:
                ended = True
                break
        assert ended
        assert gate.memory() - before < 16 * 1024 * 1024


def test_client_that_leaves_ends_the_session(gate: Gate) -> None:
    ended = gate.count("end ws")
    opened(gate).reset()
    assert until(lambda: gate.count("end ws") > ended, 1.0)
    assert "Traceback" not in gate.log


def test_session_ends_with_the_drain(tmp_path: Path) -> None:
    with running(tmp_path, drain=0.5) as gate:
        client = opened(gate)
        gate.terminate()
        assert not client.ended(0.3)
        answer = client.receive_all()
        assert struct.unpack("!H", answer[2:4])[0] == 1012
        assert gate.process.wait(3) == 0
