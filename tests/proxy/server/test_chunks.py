"""Decoding a chunked body; the malformed ones are in ``tests/faults/test_framing.py``."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.server.chunks import ChunkError, Chunks

BODY = b"4\r\nabcd\r\n1A;ext=1\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: x\r\n\r\n"
CONTENT = b"abcdabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("step", range(1, len(BODY) + 5))
def test_body_is_the_same_at_every_split(step: int) -> None:
    chunks, content = Chunks(1000), b""
    data = BODY + b"NEXT"
    for start in range(0, len(data), step):
        content += chunks.feed(data[start : start + step])
        if chunks.done:
            assert chunks.rest + data[start + step :] == b"NEXT"
            break
    assert content == CONTENT
    assert chunks.done


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20), st.integers(1, 30))
def test_what_was_chunked_comes_out(pieces: list[bytes], step: int) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    chunks = Chunks(10_000)
    content = b"".join(chunks.feed(data[start : start + step]) for start in range(0, len(data), step))
    assert content == b"".join(pieces)
    assert chunks.done


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with contextlib.suppress(ChunkError):
        assert len(Chunks(100).feed(data)) <= 100


def test_size_is_refused_before_the_content_arrives() -> None:
    with pytest.raises(ChunkError) as caught:
        Chunks(1000).feed(b"3e9\r\n")
    assert caught.value.refusal.status == 413
