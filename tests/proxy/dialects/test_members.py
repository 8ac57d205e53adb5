"""Edited bytes decode to the edited object, and all that was not named stays as it was spelled."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.members import Members, apply

_VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)
_NAMES = st.sampled_from(["a", "b", "c", "é", 'q"', "\\", "\ud83d\ude00"]) | st.text(
    st.characters(codec="utf-8"), max_size=4
)


def _spelled(value: dict[str, Any], indent: int | None, ascii_only: bool) -> bytes:
    return json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")


@given(
    value=st.dictionaries(_NAMES, _VALUES, max_size=6),
    indent=st.none() | st.integers(0, 2),
    ascii_only=st.booleans(),
    data=st.data(),
)
def test_edits_do_what_they_say(value: dict[str, Any], indent: int | None, ascii_only: bool, data: Any) -> None:
    """Dropped, renamed, replaced and added at once; judged by a decoder."""
    body = _spelled(value, indent, ascii_only)
    value = msgspec.json.decode(body)
    names = sorted(value)
    some = st.sets(st.sampled_from(names)) if names else st.just(set[str]())
    drop, renamed, replaced = data.draw(some), data.draw(some), data.draw(some)
    add = data.draw(st.dictionaries(st.sampled_from(["new 1", "new 2"]), st.integers(), max_size=2))
    edited = apply(
        body,
        Members(body).edits(
            drop=drop,
            rename={name: f"was {name}" for name in renamed},
            replace=dict.fromkeys(replaced, b"[7]"),
            add={name: msgspec.json.encode(one) for name, one in add.items()},
        ),
    )
    expected = {
        (f"was {name}" if name in renamed else name): ([7] if name in replaced else one)
        for name, one in value.items()
        if name not in drop
    }
    assert msgspec.json.decode(edited) == expected | add
    assert list(msgspec.json.decode(edited)) == [*expected, *add]


@given(value=st.dictionaries(_NAMES, _VALUES, max_size=6), indent=st.none() | st.integers(0, 2))
def test_members_stand_where_a_decoder_finds_them(value: dict[str, Any], indent: int | None) -> None:
    body = b" \n" + _spelled(value, indent, True)
    found = Members(body).found
    assert {one.name: msgspec.json.decode(body[slice(*one.value)]) for one in found} == msgspec.json.decode(body)
    assert [msgspec.json.decode(body[slice(*one.key)]) for one in found] == [one.name for one in found]


@given(value=st.dictionaries(st.sampled_from("abc"), _VALUES, min_size=2, max_size=3), data=st.data())
def test_what_is_not_dropped_keeps_its_bytes(value: dict[str, Any], data: Any) -> None:
    body = _spelled(value, None, True)
    gone = data.draw(st.sampled_from(sorted(value)))
    edited = apply(body, Members(body).edits(drop={gone}))
    for member in Members(body).found:
        if member.name != gone:
            assert body[member.key[0] : member.value[1]] in edited


@pytest.mark.parametrize(
    ("body", "drop", "expected"),
    [
        (b'{"a":1,"b":2,"c":3}', "a", b'{"b":2,"c":3}'),
        (b'{"a":1,"b":2,"c":3}', "b", b'{"a":1,"c":3}'),
        (b'{"a":1,"b":2,"c":3}', "c", b'{"a":1,"b":2}'),
        (b'{"a":1,"b":2,"c":3}', "ab", b'{"c":3}'),
        (b'{"a":1,"b":2,"c":3}', "bc", b'{"a":1}'),
        (b'{"a":1,"b":2,"c":3}', "ac", b'{"b":2}'),
        (b'{ "a" : 1 , "b" : 2 }', "ab", b"{  }"),
        (b'{ "a" : 1 ,\n "b" : 2 }', "a", b'{ "b" : 2 }'),
        (b'{"a":12,"b":0,"a":1}', "b", b'{"a":12,"a":1}'),
        (b'{"a":12,"b":0,"a":1}', "a", b'{"b":0}'),
        (b'{"\\u0061":1,"b":2}', "a", b'{"b":2}'),
        (b"{}", "a", b"{}"),
    ],
)
def test_commas_go_with_their_members(body: bytes, drop: str, expected: bytes) -> None:
    assert apply(body, Members(body).edits(drop=set(drop))) == expected


@pytest.mark.parametrize(
    ("body", "drop", "expected"),
    [
        (b"{}", "", b'{"n":1}'),
        (b"{ }", "", b'{ "n":1}'),
        (b'{"a":1}', "", b'{"a":1,"n":1}'),
        (b'{"a":1}', "a", b'{"n":1}'),
        (b'{"a":1,"b":2}', "b", b'{"a":1,"n":1}'),
        (b'{"a":1,"b":2}', "a", b'{"b":2,"n":1}'),
    ],
)
def test_members_are_added_behind_the_last(body: bytes, drop: str, expected: bytes) -> None:
    assert apply(body, Members(body).edits(drop=set(drop), add={"n": b"1"})) == expected


def test_an_object_inside_is_edited_in_place() -> None:
    body = b'[{"x":{"role":"developer","content":"\\u00e9"}}]'
    start = body.index(b'{"role"')
    inner = Members(body, (start, len(body) - 2))
    assert apply(body, inner.edits(replace={"role": b'"system"'})) == body.replace(b"developer", b"system")


def test_without_edits_the_bytes_are_the_same_object() -> None:
    body = b'{"a":1}'
    assert apply(body, []) is body


def test_two_edits_of_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="two edits"):
        apply(b"abc", [(0, 2, b""), (1, 3, b"")])


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b'{"a":1', b'{"a" 1}', b"[" * 5000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no "):
        Members(body)
