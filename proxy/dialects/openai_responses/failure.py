"""Errors that a provider tells in place of an answer, or in the middle of a stream."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.errors import BadAnswer, UpstreamError
from proxy.providers.meaning import failure_in


def failure_of(told: Any) -> UpstreamError:
    """What an error object means, of a response or of an event."""
    if isinstance(told, dict) and isinstance(told.get("error"), dict):
        told = told["error"]
    if not isinstance(told, dict):
        return BadAnswer("the provider sent an error that cannot be read")
    words = {key: value for key in ("code", "type", "message") if isinstance(value := told.get(key), str | int)}
    return failure_in(msgspec.json.encode(words))
