"""Answers of a provider, and errors that stand in their place or in the middle of a stream."""

from __future__ import annotations

import msgspec

from proxy.dialects.gemini.wire import ANSWER, Answer
from proxy.errors import BadAnswer
from proxy.providers.meaning import failure_in


def read_body(body: bytes) -> Answer:
    """An answer or an event of one.

    Raises:
        UpstreamError: it is an error, or cannot be read.
    """
    try:
        answer = ANSWER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadAnswer(f"the provider's answer cannot be read: {wrong}") from wrong
    if bytes(answer.error) not in (b"", b"null"):
        raise failure_in(body)
    return answer
