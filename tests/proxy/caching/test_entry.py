"""Entries as bytes: the way there and back, and everything that is no entry."""

from __future__ import annotations

import random

import pytest

from proxy.caching.entry import COMPRESS_FROM, Damaged, seal, unseal
from tests.support.caching import entry

KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.mark.parametrize("size", [10, COMPRESS_FROM * 4])
def test_there_and_back(size: int) -> None:
    """Long ones take less room."""
    one = entry(b"a" * size, dropped=("seed",), marks=(1, 2), cost=7, is_sse=True)
    data = seal(KEY, one)
    assert unseal(KEY, data) == one
    assert (len(data) < size) == (size > COMPRESS_FROM)


@pytest.mark.parametrize("size", [10, COMPRESS_FROM * 4])
def test_every_changed_byte_is_found_out(size: int) -> None:
    data = bytearray(seal(KEY, entry(random.Random(1).randbytes(size))))
    for at in (*range(40), len(data) // 2, len(data) - 1):
        data[at] ^= 1
        with pytest.raises(Damaged):
            unseal(KEY, bytes(data))
        data[at] ^= 1
    assert unseal(KEY, bytes(data))


def test_what_is_wrong_is_told() -> None:
    data = seal(KEY, entry())
    for wrong, why in (
        (data[:10], "truncated"),
        (data[:-1], "checksum"),
        (b"", "truncated"),
        (data[:3] + b"\x07" + data[4:], "version"),
        (b"<html>" + data, "version"),
    ):
        with pytest.raises(Damaged, match=why):
            unseal(KEY, wrong)
    with pytest.raises(Damaged, match="checksum"):  # a good one, under another key
        unseal(OTHER, data)
