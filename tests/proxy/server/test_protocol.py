"""The connection: one request after the other, in order, each once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.gate import Gate, running, until
from tests.faults.test_framing import CHUNKED, HOST, get, post

LAST = get(b"/last", HOST + b"Connection: close\r\n").replace(b"/last", b"/headers", 1)
MANY = [
    post(b"Content-Length: 3\r\n", b"abc"),
    get(),
    post(CHUNKED, b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"),
    get(b"http://gate/"),
    post(b"Content-Length: 0\r\n"),
]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running(tmp_path_factory.mktemp("protocol")) as gate:
        yield gate


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50, 10_000])
def test_requests_in_any_pieces_are_answered_in_order(gate: Gate, step: int) -> None:
    client = gate.client()
    data = b"".join(MANY) + LAST
    for start in range(0, len(data), step):
        client.send(data[start : start + step])
    answers = client.receive_all()
    positions = [answers.index(b"\r\n\r\n3 bytes"), answers.index(b"\r\n\r\n5 bytes")]
    assert positions == sorted(positions)
    assert answers.count(b"HTTP/1.1 200") == 6
    assert answers.count(b"\r\n\r\n0 bytes") == 3


def test_many_requests_at_once_are_answered_one_by_one(gate: Gate) -> None:
    before = gate.count("request")
    answers = gate.exchange(get() * 5000 + LAST)
    assert answers.count(b"HTTP/1.1 200") == 5001
    assert gate.count("request") == before + 5001


def test_nothing_is_answered_after_the_last_request(gate: Gate) -> None:
    assert gate.exchange(LAST + get(b"/never")).count(b"HTTP/1.1") == 1
    assert not any("never" in line for line in gate.journal)


def test_connection_serves_request_after_request(gate: Gate) -> None:
    client = gate.client()
    for size in (0, 1, 100_000, 5):
        client.send(post(b"Content-Length: %d\r\n" % size, bytes(size)))
        assert client.receive(b" bytes").endswith(b"\r\n\r\n%d bytes" % size)


def test_request_behind_a_stream_waits_for_its_end(gate: Gate) -> None:
    client = gate.client()
    client.send(get(b"/unread?0.3"))
    client.send(get() + LAST)
    answers = client.receive_all()
    assert answers.count(b"HTTP/1.1 200") == 3
    assert until(lambda: gate.count("end unread") == 1)
