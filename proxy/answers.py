"""An answer as its caller has received it, read back into the neutral form."""

from __future__ import annotations

from proxy.chat import Completion, End
from proxy.dialects.dialect import Dialect
from proxy.dialects.table import DIALECTS
from proxy.errors import UpstreamError
from proxy.exchange import Exchange
from proxy.gather import Gather


def completion_of(x: Exchange, body: bytes, *, is_sse: bool) -> Completion | None:
    """The answer to ``x`` whose whole bytes are ``body``; None if it is no answer to a conversation, or unreadable."""
    endpoint = x.endpoint
    if endpoint is None or endpoint.dialect is None or endpoint.operation == "count_tokens":
        return None
    dialect = DIALECTS[endpoint.dialect]
    try:
        return _gathered(dialect, body) if is_sse else dialect.read_answer(body)
    except (UpstreamError, KeyError, ValueError):  # what a provider may have written, passed on as it is
        return None


def _gathered(dialect: Dialect, body: bytes) -> Completion:
    frames, reader, gather = dialect.frames(), dialect.reader(), Gather()
    ended = False
    for frame in [*frames.feed(body), *frames.finish()]:
        events = reader.feed(frame)
        ended = ended or any(isinstance(event, End) for event in events)
        gather.feed(events)
    if not ended:
        gather.feed(reader.finish())
    return gather.completion()
