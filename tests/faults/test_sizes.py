"""BAD-03: what is too large is refused before it is read, with the right status, and costs no memory."""

from __future__ import annotations

import contextlib
import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.gate import Gate, running, until
from tests.faults.test_framing import CHUNKED, HOST, assert_refused, get, post

MAX_BODY = 256 * 1024
SLACK = 64 * 1024


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running(tmp_path_factory.mktemp("sizes"), max_body=MAX_BODY) as gate:
        yield gate


def filled(size: int) -> bytes:
    """A head of exactly ``size`` bytes in lines of 1 KiB."""
    lines = b""
    while size - len(get(headers=HOST + lines)) > 2048:
        lines += b"X: " + b"x" * 1019 + b"\r\n"
    rest = size - len(get(headers=HOST + lines)) - len(b"X: \r\nConnection: close\r\n")
    return get(headers=HOST + lines + b"X: " + b"x" * rest + b"\r\nConnection: close\r\n")


def test_header_block_of_32_kib_passes_and_one_byte_more_is_431(gate: Gate) -> None:
    assert gate.exchange(filled(32 * 1024)).startswith(b"HTTP/1.1 200")
    assert_refused(gate.exchange(filled(32 * 1024 + 1)), 431)


def test_100_headers_pass_and_one_more_is_431(gate: Gate) -> None:
    usual = HOST + b"Connection: close\r\n"
    assert gate.exchange(get(headers=usual + b"X: x\r\n" * 98)).startswith(b"HTTP/1.1 200")
    assert_refused(gate.exchange(get(headers=usual + b"X: x\r\n" * 99)), 431)


def test_url_of_8_kib_passes_and_one_byte_more_is_414(gate: Gate) -> None:
    close = HOST + b"Connection: close\r\n"
    assert gate.exchange(get(b"/?" + b"x" * (8 * 1024 - 2), close)).startswith(b"HTTP/1.1 200")
    for size in (8 * 1024 + 1, 16 * 1024, 64 * 1024):
        assert_refused(gate.exchange(get(b"/" + b"x" * (size - 1))), 414)


def test_endless_head_is_refused_without_its_end(gate: Gate) -> None:
    assert_refused(gate.exchange(b"GET /" + b"x" * 20_000), 414)
    assert_refused(gate.exchange(b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 20_000), 431)
    boundary = b"Content-Type: multipart/form-data; boundary=" + b"x" * 1_000_000 + b"\r\n"
    assert_refused(gate.exchange(post(boundary)), 431)


def test_announced_body_over_the_limit_is_413_before_any_of_it(gate: Gate) -> None:
    before = gate.count("request")
    assert_refused(gate.exchange(post(b"Content-Length: %d\r\n" % (MAX_BODY + 1))), 413)
    assert_refused(gate.exchange(post(b"Content-Length: %d\r\nExpect: 100-continue\r\n" % (MAX_BODY + 1))), 413)
    assert gate.count("request") == before


def test_body_at_the_limit_passes(gate: Gate) -> None:
    close = b"Connection: close\r\n"
    body = bytes(MAX_BODY)
    answers = [
        gate.exchange(post(close + b"Content-Length: %d\r\n" % MAX_BODY, body)),
        gate.exchange(post(close + CHUNKED, b"%x\r\n" % MAX_BODY + body + b"\r\n0\r\n\r\n")),
    ]
    assert all(answer.endswith(b"%d bytes" % MAX_BODY) for answer in answers)


def test_chunked_body_over_the_limit_is_413_within_64_kib(gate: Gate) -> None:
    client = gate.client()
    client.send(post(CHUNKED))
    sent = 0
    while not client.ended(0.0) and sent < 2 * MAX_BODY:
        client.send(b"1000\r\n" + bytes(4096) + b"\r\n")
        sent += 4096
        time.sleep(0.001)
    assert sent <= MAX_BODY + SLACK
    assert gate.noted("cancelled echo refused")
    assert gate.noted("refused 413 body_too_large")


def test_client_that_is_still_sending_reads_its_413(gate: Gate) -> None:
    """Closing at once would reset the connection and take the answer with it."""
    size = 8 * MAX_BODY
    client = gate.client()
    client.send(post(b"Content-Length: %d\r\n" % size))
    for _ in range(8):
        client.socket.sendall(bytes(size // 64))
        time.sleep(0.02)
    assert_refused(client.receive_all(), 413)


@pytest.mark.parametrize("chunk", [b"1\r\nx\r\n", b"1;a=b\r\nx\r\n"])
def test_body_in_tiny_chunks_may_not_cost_more_than_it_brings(gate: Gate, chunk: bytes) -> None:
    answer = gate.exchange(post(CHUNKED, chunk * 60_000 + b"0\r\n\r\n"))
    assert_refused(answer)
    assert b"too small" in answer


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip"])
def test_compressed_body_is_415_and_never_unpacked(gate: Gate, coding: bytes) -> None:
    before = gate.memory()
    bomb = gzip.compress(bytes(50_000_000))
    headers = b"Content-Encoding: %b\r\nContent-Length: %d\r\n" % (coding, len(bomb))
    assert_refused(gate.exchange(post(headers, bomb)), 415)
    assert gate.memory() - before < 4 * MAX_BODY


def test_requests_behind_one_in_work_wait_outside(tmp_path: Path) -> None:
    """A client may send on; the server takes a bounded part of it and starts one request at a time."""
    with running(tmp_path) as gate:
        before = gate.memory()
        client = gate.client()
        client.send(get(b"/wait"))
        client.socket.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            client.socket.sendall(get(b"/never") * 500_000)
        assert gate.count("request") == 1
        assert gate.memory() - before < 2 * 1024 * 1024


def test_connections_beyond_the_limit_are_told_so(tmp_path: Path) -> None:
    with running(tmp_path, max_connections=8) as gate:
        clients = [gate.client() for _ in range(8)]
        for client in clients:
            client.send(get())
            client.receive(b"0 bytes")
        late = gate.exchange(get())
        assert_refused(late, 503)
        assert b"retry-after: 1\r\n" in late
        clients[0].close()
        assert until(lambda: gate.get().endswith(b"0 bytes"), 1.0)
