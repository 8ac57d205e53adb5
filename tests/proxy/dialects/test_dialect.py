"""What all dialects share."""

from __future__ import annotations

import msgspec
import pytest

from proxy.dialects.dialect import decode
from proxy.errors import BadAnswer


class _Answer(msgspec.Struct):
    id: str


def test_what_a_provider_sends_is_read_and_what_is_unknown_is_left() -> None:
    assert decode(b'{"id":"a","more":[1]}', _Answer) == _Answer("a")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"id":1}', b'{"id":"a"', b'{"id":"\xff"}', b"[" * 10_000, b"{}"])
def test_what_cannot_be_read_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        decode(body, _Answer)
