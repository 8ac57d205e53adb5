"""The number of input tokens, as ``/v1/responses/input_tokens`` tells it."""

from __future__ import annotations

import msgspec

from proxy.dialects.dialect import counted, decode


class _Counted(msgspec.Struct):
    input_tokens: int


def write_count(tokens: int) -> bytes:
    """The number for a client."""
    return b'{"object":"response.input_tokens","input_tokens":%d}' % tokens


def read_count(body: bytes) -> int:
    """The number as a provider tells it.

    Raises:
        BadAnswer: there is none.
    """
    return counted(decode(body, _Counted).input_tokens)
