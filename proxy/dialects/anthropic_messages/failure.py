"""Errors that a provider tells in place of an answer, or in the middle of a stream."""

from __future__ import annotations

import msgspec

from proxy.errors import BadAnswer, UpstreamError
from proxy.providers.meaning import failure_in


class _Outer(msgspec.Struct):
    error: dict[str, object] | None = None


def failure_of(body: bytes) -> UpstreamError:
    """What an error object means."""
    try:
        msgspec.json.decode(body, type=_Outer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BadAnswer("the provider sent an error that cannot be read")
    return failure_in(body)
