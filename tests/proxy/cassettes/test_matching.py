"""When two requests are one, and how the nearest differs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.cassettes.matching import Match, canonical, clean_query, fits, nearest, rules
from proxy.cassettes.take import Raw, Request


def request(body: Any, *, path: str = "/v1/x", query: str = "", type_: str = "application/json") -> Request:
    """A request with a JSON body, or with these bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method="POST", path=path, query=query, type=type_, body=Raw(content))


def same(one: Request, other: Request, match: Any = "lenient") -> bool:
    """Whether they are one."""
    return canonical(one, rules(match)) == canonical(other, rules(match))


def test_order_and_white_space_do_not_count() -> None:
    assert same(request({"a": 1, "b": {"c": 2, "d": 3}}), request(b'{ "b":{"d":3,"c":2},\n"a":1}'), "strict")
    assert not same(request({"a": [1, 2]}), request({"a": [2, 1]}))
    assert not same(request({"a": 1}), request({"a": 1}, path="/v1/y"))
    assert not same(request({"a": 1}), request({"a": 1}, query="x=1"))


def test_what_changes_no_answer_is_left_out_unless_strict() -> None:
    plain, tagged = request({"model": "m"}), request({"model": "m", "user": "u", "metadata": {"a": 1}})
    assert same(plain, tagged)
    assert not same(plain, tagged, "strict")
    assert not same(plain, request({"model": "m", "stream_options": {"include_usage": True}}))


def test_members_may_be_chosen() -> None:
    one, other = (
        request({"model": "m", "messages": [1], "seed": 1}),
        request({"model": "m", "messages": [1], "seed": 2}),
    )
    assert not same(one, other)
    assert same(one, other, Match(fields=("model", "messages")))
    assert same(one, other, Match(ignore=("seed",)))
    assert not same(request([1]), request([2]), Match(fields=("model",)))


def test_a_form_is_compared_without_its_boundary() -> None:
    forms = [
        request(f'--{mark}\r\nname="a"\r\n--{mark}--'.encode(), type_=f"multipart/form-data; boundary={mark}")
        for mark in ("abc", "xyz")
    ]
    assert same(*forms)


def test_credentials_are_no_part_of_a_query() -> None:
    assert clean_query(b"key=secret&alt=sse&a=1&api_key=x") == "a=1&alt=sse"


@pytest.mark.parametrize(
    ("sent", "is_same"),
    [("I am x, y!", True), ("I am , !", True), ("I am x, y?", False), ("You are x, y!", False), ("I am x!", False)],
)
def test_stars_stand_for_anything(sent: str, is_same: bool) -> None:
    recorded = canonical(request({"a": "I am ***, ***!"}), Match()).split(b"***")
    assert fits(canonical(request({"a": sent}), Match()), recorded) is is_same


def test_stars_do_not_overlap() -> None:
    assert not fits(b"ab", [b"ab", b"b"])
    assert not fits(b"xaby", [b"x", b"ab", b"b", b"y"])


def test_the_nearest_has_the_fewest_differences() -> None:
    requests = [
        request({"model": "m", "messages": [{"content": "Hello world"}]}),
        request({"model": "m", "messages": [{"content": "Goodbye"}]}),
        request({"model": "m", "messages": [{"content": "Hello word"}]}, path="/v1/y"),
    ]
    found = nearest(requests, request({"model": "m", "messages": [{"content": "Hello word"}], "n": True}), Match())
    assert found is not None
    at, differences = found
    assert at == 0
    assert differences == [
        'messages[0].content: recorded "Hello world", sent "Hello word"',
        "n: recorded nothing, sent true",
    ]
    assert nearest([], requests[0], Match()) is None


def test_differences_are_short() -> None:
    """Of long texts the place is shown; of many values the first few."""
    one = request({"text": "x" * 5000 + "A" + "y" * 5000, **{f"k{at}": at for at in range(50)}})
    other = request({"text": "x" * 5000 + "B" + "y" * 5000})
    found = nearest([one], other, Match())
    assert found is not None
    assert len(found[1]) == 4
    assert "xA" in found[1][0]
    assert "xB" in found[1][0]
    assert all(len(text) < 300 for text in found[1])


def test_bytes_differ_by_their_digest() -> None:
    found = nearest([request(b"\xff\x00")], request(b"\xff\x01"), Match())
    assert found is not None
    assert found[1][0].startswith("body: recorded ")
