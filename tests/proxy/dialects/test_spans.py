"""Values are found where a decoder would find them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.spans import items, members, value_at

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
