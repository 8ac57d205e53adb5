"""One request and its answer, on a real connection."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from tests.faults.gate import Gate, running
from tests.faults.test_framing import CHUNKED, HOST, get, post

CLOSE = b"Connection: close\r\n"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with running(tmp_path_factory.mktemp("cycle")) as gate:
        yield gate


def test_application_that_fails_gives_a_500_without_its_reason(gate: Gate) -> None:
    answer = gate.get("/crash")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500")
    assert msgspec.json.decode(body)["error"]["code"] == "internal_error"
    assert b"purpose" not in answer
    assert "ZeroDivisionError" in gate.log


def test_answer_that_dies_is_seen_to_be_cut(gate: Gate) -> None:
    """What was sent arrives; the end that would make it whole does not."""
    chunked = gate.get("/die")
    assert b"4\r\nhalf\r\n" in chunked
    assert not chunked.endswith(b"0\r\n\r\n")
    length = gate.get("/die?length")
    assert b"content-length: 100\r\n" in length
    assert length.endswith(b"\r\n\r\nhalf")


def test_answer_that_dies_in_http_1_0_is_reset(gate: Gate) -> None:
    """There the end of the connection is the end of the body, so only a reset tells."""
    client = gate.client()
    client.send(b"GET /die HTTP/1.0\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        while client.socket.recv(1000):
            pass


def test_header_with_a_line_end_is_never_sent(gate: Gate) -> None:
    answer = gate.get("/inject")
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"x-evil" not in answer


def test_head_request_gets_no_body(gate: Gate) -> None:
    answer = gate.exchange(b"HEAD /headers HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"\r\ncontent-length: " in answer


def test_client_that_asks_first_is_told_to_continue(gate: Gate) -> None:
    client = gate.client()
    client.send(post(b"Content-Length: 4\r\nExpect: 100-continue\r\n" + CLOSE))
    assert client.receive(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"abcd")
    assert client.receive_all().endswith(b"4 bytes")


def test_answer_before_the_end_of_the_body_ends_the_connection(gate: Gate) -> None:
    client = gate.client()
    client.send(post(b"Content-Length: 100\r\n", b"some").replace(b"/ ", b"/early ", 1))
    answer = client.receive_all()
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"\r\nconnection: close\r\n" in answer


def test_large_answer_arrives_whole(gate: Gate) -> None:
    answer = gate.exchange(get(b"/large?3000000", HOST + CLOSE))
    assert len(answer.partition(b"\r\n\r\n")[2]) == 3_000_000


def test_body_in_pieces_arrives_whole(gate: Gate) -> None:
    client = gate.client()
    client.send(post(CHUNKED + CLOSE))
    for _ in range(50):
        client.send(b"4000\r\n" + bytes(0x4000) + b"\r\n")
    client.send(b"0\r\n\r\n")
    assert client.receive_all().endswith(b"%d bytes" % (50 * 0x4000))


def test_answer_says_its_date_and_no_software(gate: Gate) -> None:
    head = gate.get().lower()
    assert b"\r\ndate: " in head
    assert b"\r\nserver:" not in head
