"""Reading a head; the many malformed ones are in ``tests/faults/test_framing.py``, on a real connection."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.server.head import CHUNKED, Head, Refusal, check_partial, read_head
from proxy.server.limits import ServerLimits

LIMITS = ServerLimits()
USUAL = (
    b"POST /v1/chat%2Fx/completions?a=b&c HTTP/1.1\r\nHost: gate:8080\r\nAuthorization: Bearer sk-1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n"
)


def accept(block: bytes) -> Head:
    head = read_head(block, LIMITS)
    assert isinstance(head, Head), head
    return head


def test_usual_head_is_read() -> None:
    head = accept(USUAL)
    assert (head.method, head.path, head.raw_path, head.query) == (
        "POST",
        "/v1/chat/x/completions",
        b"/v1/chat%2Fx/completions",
        b"a=b&c",
    )
    assert head.length == 12
    assert head.keep_alive
    assert head.headers[1] == (b"authorization", b"Bearer sk-1")
    assert len(head.headers) == 5


@pytest.mark.parametrize(
    ("version", "connection", "keeps"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"close", False),
        (b"1.1", b"Keep-Alive, Close", False),
        (b"1.1", b"keep-alive", True),
        (b"1.1", b"close, keep-alive", False),
        (b"1.0", b"", False),
        (b"1.0", b"keep-alive", False),
    ],
)
def test_who_may_keep_the_connection(version: bytes, connection: bytes, keeps: bool) -> None:
    line = b"Connection: " + connection + b"\r\n" if connection else b""
    assert accept(b"GET / HTTP/" + version + b"\r\nHost: a\r\n" + line + b"\r\n").keep_alive is keeps


def test_two_connection_lines_are_one_list() -> None:
    head = accept(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x-a\r\nX-A: 1\r\nConnection: close\r\n\r\n")
    assert not head.keep_alive
    assert (b"x-a", b"1") not in head.headers


def test_chunked_and_expect_and_upgrade_are_seen() -> None:
    head = accept(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
    assert head.length == CHUNKED
    assert head.expects_continue
    head = accept(b"GET /v1/realtime HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n")
    assert head.upgrade == b"websocket"
    head = accept(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n")
    assert head.upgrade == b""


def test_unknown_expectation_is_417() -> None:
    refusal = read_head(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", LIMITS)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 417


def test_underscored_name_beside_its_hyphenated_twin_is_refused() -> None:
    assert isinstance(read_head(b"GET / HTTP/1.1\r\nHost: a\r\nx-team: 1\r\nX_Team: 2\r\n\r\n", LIMITS), Refusal)
    assert accept(b"GET / HTTP/1.1\r\nHost: a\r\nX_Team: 2\r\n\r\n").headers[1] == (b"x_team", b"2")


def test_every_prefix_of_a_good_head_may_wait_for_the_rest() -> None:
    for end in range(1, len(USUAL)):
        assert check_partial(USUAL[:end], LIMITS) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    check_partial(data, LIMITS)
    read_head(data + b"\r\n\r\n", LIMITS)


def test_single_byte_changes_never_move_the_end_of_the_message() -> None:
    """Whatever one byte does to a head: it is refused, or its body is as long as the digits say, or chunked."""
    rng = random.Random(7)
    for _ in range(20_000):
        block = bytearray(USUAL)
        block[rng.randrange(len(block))] = rng.randrange(256)
        head = read_head(bytes(block), LIMITS)
        if isinstance(head, Head):
            said = [value for name, value in head.headers if name == b"content-length"]
            assert head.length == (int(said[0]) if said else 0)
            assert len(said) <= 1
            assert block.count(b"\r\n\r\n") == 1
