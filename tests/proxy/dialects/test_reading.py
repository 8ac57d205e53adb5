"""What a client sent, and where it is wrong."""

from __future__ import annotations

import msgspec
import pytest

from proxy.dialects.reading import Again, read_json, read_known, wrong
from proxy.errors import BadRequest


class _Item(msgspec.Struct):
    role: str
    size: int = 0


class _Body(msgspec.Struct):
    items: list[_Item]
    named: dict[str, int] = {}


_DECODER = msgspec.json.Decoder(_Body)


def test_what_fits_is_read() -> None:
    assert read_json(b'{"items":[{"role":"a"}],"more":1}', _DECODER).items == [_Item("a")]


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        (b'{"items":[{"role":"a"},{"role":1}]}', "items[1].role", "Expected `str`, got `int`"),
        (b'{"items":[{}]}', "items[0].role", "is required"),
        (b"{}", "items", "is required"),
        (b'{"items":[],"named":{"x":"y"}}', "named[...]", "Expected `int`"),
        (b"[]", "", "Expected `object`"),
    ],
)
def test_the_place_is_named(body: bytes, param: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_json(body, _DECODER)
    assert caught.value.param == param
    assert says in caught.value.message
    assert caught.value.error_code == "invalid_request"


@pytest.mark.parametrize("body", [b"", b"{", b'{"items":\xff}', b'{"items":[' * 5000, b'"\\ud800"'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        read_json(body, _DECODER)
    assert caught.value.error_code in ("invalid_json", "invalid_request")


def test_a_long_word_of_the_client_is_not_repeated_whole() -> None:
    assert len(wrong("x" * 10_000, "no").message) <= 300


class _KnownBody(_Body, forbid_unknown_fields=True):
    """Without other members."""


_KNOWN: msgspec.json.Decoder[_Body] = msgspec.json.Decoder(_KnownBody)
_ANY: msgspec.json.Decoder[_Body] = msgspec.json.Decoder(_Body)


def test_a_request_tells_by_its_type_whether_all_its_members_are_known() -> None:
    assert type(read_known(b'{"items":[]}', _KNOWN, _ANY)) is _KnownBody
    assert type(read_known(b'{"items":[],"more":1}', _KNOWN, _ANY)) is _Body
    with pytest.raises(BadRequest) as caught:
        read_known(b'{"items":[{"role":1}],"more":1}', _KNOWN, _ANY)
    assert caught.value.param == "items[0].role"


def test_a_body_is_decoded_once_more_only_when_it_is_asked() -> None:
    again = Again(b'{"a":[{"b":5}]}')
    assert again.at("a", 0, "b") == 5
    Again(b"no JSON")
    with pytest.raises(msgspec.DecodeError):
        Again(b"no JSON").at("a")
