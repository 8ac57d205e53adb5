"""Values are found where a decoder would find them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.spans import item_spans, items, members, value_at, where

_VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


@given(
    value=st.dictionaries(st.text(max_size=5), _VALUES, max_size=5),
    indent=st.none() | st.integers(0, 2),
    ascii_only=st.booleans(),
)
def test_members_are_where_they_stand(value: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    found = members(body)
    assert {json.loads(b'"%b"' % name): json.loads(body[start:end]) for name, (start, end) in found.items()} == value


@given(
    value=st.lists(_VALUES, max_size=5), indent=st.none() | st.integers(0, 2), before=st.sampled_from(["", " ", "x"])
)
def test_items_are_where_they_stand(value: list[Any], indent: int | None, before: str) -> None:
    body = (before + json.dumps(value, indent=indent)).encode()
    assert [json.loads(body[start:end]) for start, end in items(body, before.count("x"))] == value


@given(
    value=st.dictionaries(st.sampled_from("abc"), _VALUES | st.just({"a": 1, "b": [1]}) | st.just([1]), max_size=3),
    name=st.sampled_from("abc"),
    indent=st.none() | st.integers(0, 2),
)
def test_a_decoded_member_is_found_again(value: dict[str, Any], name: str, indent: int | None) -> None:
    """Also where an equal one stands further down."""
    body = json.dumps(value, indent=indent).encode()
    raw = {key: bytes(one) for key, one in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}
    if name not in raw:
        with pytest.raises(ValueError, match="no b"):
            where(body, name.encode(), b"\0")
        return
    span = where(body, name.encode(), raw[name])
    assert body[slice(*span)] == raw[name]
    if isinstance(value[name], list):
        inner = [bytes(one) for one in msgspec.json.decode(raw[name], type=list[msgspec.Raw])]
        assert item_spans(body, span[0], inner) == items(body, span[0])


def test_an_item_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="another item"):
        item_spans(b"[1,2]", 0, [b"1", b"3"])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"a"', b'{"a":', b'{"a":1', b'{"a":[}', b'{"a":1 "b":2}', b"{1:2}"]
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"byte|closed"):
        members(body)


def test_a_name_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        members(b'{"a":1,"a":2}')


def test_there_must_be_a_list_and_a_value() -> None:
    with pytest.raises(ValueError, match="no \\["):
        items(b"{}", 0)
    with pytest.raises(ValueError, match="no value"):
        value_at(b"  ", 0)
