"""Takes as documents: whatever the bytes are, they are found again; and what is usual is easy to read."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cassettes.take import Cut, Part, Request, Response, Take, blocks, write

DECODER = msgspec.json.Decoder(Take)
USUAL = b'data: {"a": 1}\n\nevent: done\ndata: {"b":"\xc3\xa9"}\n\ndata: [DONE]\n\n'


def document(body: bytes = b"{}", answer: bytes | None = None, parts: list[Part] | None = None) -> bytes:
    """A take with these bytes."""
    response = Response(status=200, headers={"content-type": "application/json"}, after=1.5)
    take = Take(recorded="2026-11-21T12:00:00Z", request=Request(method="POST", path="/v1"), response=response)
    return write(take, body, answer, parts or [])


def whole(answer: bytes) -> bytes:
    """The same bytes, written and read."""
    return DECODER.decode(document(answer=answer)).response.content()


def streamed(parts: list[Part]) -> bytes:
    """The same for a stream."""
    events = DECODER.decode(document(parts=parts)).response.events
    assert events is not None
    assert all(one.at <= other.at for one, other in pairwise(events))
    return b"".join(event.content() for event in events)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"b":[],"c":{"d":"\xc3\xa9\\u00e9"}}',
        b'{"a": 1, "b": [1, 2]}',
        b'{\n  "a": 1.50,\n  "b": {}\n}\n',
        b'{"a":1 ,  "b":2}',
        b'{"a":1,\r\n"b":2}',
        b'  {"a":1}',
        b'"\n',
        b'{"a":1}}',
        b"[1,2",
        b'"text"',
        b"null",
        b"",
        b"plain",
        b"\xff\x00",
        b'{"a":"\xff"}',
        b"---\n",
    ],
)
def test_a_whole_answer_is_found_again(body: bytes) -> None:
    assert whole(body) == body


@given(st.binary() | st.text().map(str.encode) | st.recursive(st.none() | st.text(), st.lists).map(msgspec.json.encode))
def test_any_answer_is_found_again(body: bytes) -> None:
    assert whole(body) == body
    assert b"\n---\n" not in document(answer=body)


@given(
    st.lists(
        st.tuples(
            st.just(0.0),
            st.sampled_from(
                [USUAL, USUAL[:20], USUAL[20:], b": ping\n\n", b"\r\n\r\n", b'data: 1, "at": 9\n\n', b"\xff"]
            )
            | st.binary(),
        )
    )
)
def test_any_stream_is_found_again(parts: list[Part]) -> None:
    assert streamed(parts) == b"".join(data for _, data in parts)


@pytest.mark.parametrize(
    "evil",
    [
        b'data: 1, "at": 5\n\n',
        b"data: [1\n\ndata: 2]\n\ndata: 3,4\n\n",
        b'data: "a\n\n',
        b"data: {} \n\n",
        b"data: {}\ndata: {}\n\n",
        b"data: [DONE]\n\ndata: 1\n\n",
        b"event: \ndata: 1\n\n",
        b"data: \n\n",
    ],
)
def test_what_looks_like_an_event_is_found_again(evil: bytes) -> None:
    assert streamed([(0.0, evil)]) == evil


def test_what_is_usual_reads_well() -> None:
    """Bodies laid out, an event a line; the same whether it comes in one part or byte by byte."""
    text = document(b'{"model":"m"}', parts=[(0.04, USUAL)]).decode()
    lines = [
        '      {"at": 0.0, "data": {"a": 1}},',
        '      {"at": 0.0, "event": "done", "data": {"b":"é"}},',
        '      {"at": 0.0, "text": "data: [DONE]\\n\\n"}',
    ]
    assert "\n".join(lines) in text
    assert '    "body": {\n      "model": "m"\n    }' in text
    assert document(b'{"model":"m"}', parts=[(0.0, USUAL[at : at + 1]) for at in range(len(USUAL))]).decode() == text
    answer = document(answer=b'{"a":{"b":1}}').decode()
    assert '    "layout": "compact",\n    "body": {\n      "a": {\n        "b": 1\n      }\n    }' in answer


def test_a_request_keeps_its_value() -> None:
    found = DECODER.decode(document(b'{"b":1.0,"a":"x"}', b"")).request
    assert found.content().replace(b" ", b"").replace(b"\n", b"") == b'{"b":1.0,"a":"x"}'


def test_an_event_comes_when_its_last_byte_has() -> None:
    parts = [(1.0, b"data: 1\n"), (2.0, b"\ndata: 2\n\ndata"), (3.0, b": 3\n\n"), (4.0, b"da")]
    assert blocks(parts) == [(2.0, b"data: 1\n\n"), (2.0, b"data: 2\n\n"), (3.0, b"data: 3\n\n"), (4.0, b"da")]


def test_unknown_keys_are_refused() -> None:
    """Nothing is skipped in silence."""
    with pytest.raises(msgspec.ValidationError, match="unknown field `more`"):
        DECODER.decode(document(answer=b"").replace(b'"status"', b'"more": 1, "status"'))


def test_a_cut_is_kept() -> None:
    response = Response(status=200, cut=Cut(at=3.0, status=502, code="upstream_unavailable", message="gone"))
    take = Take(recorded="x", request=Request(method="POST", path="/"), response=response)
    assert DECODER.decode(write(take, b"", None, [])).response.cut == response.cut
