"""AWS' event stream, judged by botocore's own decoder."""

from __future__ import annotations

import json
import random
from typing import Any
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.eventstream import MAX_MESSAGE, Messages, error_in, read_message, write_message
from proxy.errors import BadAnswer
from tests.support.sayings import cut
from tests.upstream.dialects.bedrock import frame

NAMES = st.text(st.characters(codec="ascii", exclude_characters="\x00"), min_size=1, max_size=40)
HEADERS = st.dictionaries(NAMES, st.text(max_size=60), max_size=5)
MESSAGES = st.lists(st.tuples(HEADERS, st.binary(max_size=200)), max_size=6)


def _theirs(data: bytes) -> list[tuple[dict[str, Any], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [(dict(message.headers), message.payload) for message in buffer]


@given(MESSAGES)
def test_what_is_written_is_what_botocore_reads(messages: list[tuple[dict[str, str], bytes]]) -> None:
    assert _theirs(b"".join(write_message(headers, payload) for headers, payload in messages)) == messages


@given(MESSAGES, st.integers(0, 1 << 30))
def test_what_is_sent_is_read_however_it_is_cut(messages: list[tuple[dict[str, str], bytes]], seed: int) -> None:
    sent = b"".join(frame(headers, payload) for headers, payload in messages)
    cutter = Messages()
    frames = [one for chunk in cut(random.Random(seed), sent) for one in cutter.feed(chunk)] + cutter.finish()
    assert [read_message(one) for one in frames] == messages
    assert b"".join(frames) == sent


def test_headers_of_every_type_are_passed_over() -> None:
    """Only strings are told; the other types have sizes of their own."""
    values = {
        b"true": b"\x00",
        b"false": b"\x01",
        b"byte": b"\x02\x05",
        b"short": b"\x03\x00\x05",
        b"int": b"\x04\x00\x00\x00\x05",
        b"long": b"\x05" + bytes(8),
        b"bytes": b"\x06\x00\x03abc",
        b"text": b"\x07\x00\x03abc",
        b"time": b"\x08" + bytes(8),
        b"uuid": b"\x09" + bytes(16),
        b":last": b"\x07\x00\x00",
    }
    block = b"".join(bytes([len(name)]) + name + value for name, value in values.items())
    message = _framed(block, b"payload")
    assert len(_theirs(message)[0][0]) == len(values)
    assert read_message(message) == ({"text": "abc", ":last": ""}, b"payload")


def _framed(head: bytes, payload: bytes) -> bytes:
    """A message whose headers are these bytes: the sums of one that is right, put together anew."""
    start = (16 + len(head) + len(payload)).to_bytes(4, "big") + len(head).to_bytes(4, "big")
    message = start + crc32(start).to_bytes(4, "big") + head + payload
    return message + crc32(message).to_bytes(4, "big")


@pytest.mark.parametrize(
    "head",
    [
        b"\x05ab",  # a name beyond the headers
        b"\x01a\x0a",  # a type that there is not
        b"\x01a\x07\x00\x09abc",  # a value beyond the headers
        b"\x01a\x07\x00",  # a length cut off
        b"\x01a\x04\x00",  # a number cut off
        b"\x02\xff\xfe\x00",  # a name that is no text
        b"\x01a\x07\x00\x01\xff",  # a value that is no text
        b"\x01a",  # no type
    ],
)
def test_headers_that_make_no_sense_are_a_bad_answer(head: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_message(_framed(head, b""))


def test_a_damaged_byte_is_noticed_wherever_it_is() -> None:
    message = frame({":event-type": "x", ":message-type": "event"}, b'{"a":1}')
    for at in range(len(message)):
        for bit in (0, 7):
            broken = bytearray(message)
            broken[at] ^= 1 << bit
            with pytest.raises(BadAnswer):
                _read_all(bytes(broken))


def _read_all(data: bytes) -> None:
    cutter = Messages()
    for one in [*cutter.feed(data), *cutter.finish()]:
        read_message(one)


def test_a_stream_that_stops_inside_a_message_is_not_whole() -> None:
    message = frame({"a": "b"}, b"payload")
    for end in range(1, len(message)):
        with pytest.raises(BadAnswer):
            _read_all(message + message[:end])
    _read_all(message + message)
    _read_all(b"")


def test_a_size_is_refused_before_the_bytes_are_there() -> None:
    for total, head in ((MAX_MESSAGE + 1, 0), (1 << 31, 0), (15, 0), (100, 85), (1 << 20, 200 << 10)):
        start = total.to_bytes(4, "big") + head.to_bytes(4, "big")
        whole = _framed(b"", b"")
        with pytest.raises(BadAnswer):
            Messages().feed(start + _crc(start) + whole)


def _crc(data: bytes) -> bytes:
    return crc32(data).to_bytes(4, "big")


def test_what_is_no_event_is_an_error_object_of_its_name() -> None:
    assert error_in({":message-type": "event", ":event-type": "x"}, b"{}") is None
    assert error_in({}, b"{}") is None
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    found = json.loads(error_in(headers, b'{"message":"slow","originalStatusCode":429}') or b"")
    assert found["error"] == {"type": "throttlingException", "message": "slow", "originalStatusCode": 429}
    headers = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "it broke"}
    for payload in (b"", b"<html>", b"[1]", b"\xff", b'{"message":5}'):
        said = json.loads(error_in(headers, payload) or b"")["error"]
        assert said["type"] == "InternalFailure"
        assert said["message"] in ("it broke", "")
