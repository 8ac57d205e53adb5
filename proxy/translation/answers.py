"""Answers in the dialect of their callers: read back into the neutral form, taken apart, or made here."""

from __future__ import annotations

import time

from proxy.chat import Completion, End, Event
from proxy.conversations.earlier import new_id
from proxy.dialects.dialect import Dialect, Writer, json_headers
from proxy.dialects.table import DIALECTS
from proxy.errors import BadAnswer, UpstreamError
from proxy.exchange import Exchange, Reply
from proxy.gather import Gather, events_of
from proxy.translation.attempt import read
from proxy.wire.sse import Splitter


def is_conversation(x: Exchange) -> bool:
    """Whether what answers ``x`` has been said by a model."""
    endpoint = x.endpoint
    return endpoint is not None and endpoint.dialect is not None and endpoint.operation != "count_tokens"


def reply_of(x: Exchange, completion: Completion, *, stream: bool) -> Reply | None:
    """``completion`` as the answer to ``x``, as a stream that comes at once if ``stream``; None if ``x`` is no
    conversation. One made here has no id, model and time: it gets them.

    Raises:
        BadRequest: what the caller sent makes no sense.
    """
    if not is_conversation(x):
        return None
    dialect = DIALECTS[x.endpoint.dialect]
    chat = x.chat or read(x)
    completion.id = completion.id or (new_id() if dialect.name == "openai_responses" else f"gen-{x.request_id}")
    completion.model = completion.model or x.model
    completion.created = completion.created or int(time.time())
    body = dialect.writer(chat).feed(events_of(completion)) if stream else dialect.write_answer(completion, chat)
    return Reply(200, body, tuple(json_headers(dialect, stream)))


class Taken:
    """See ``proxy.policy.Pieces``."""

    __slots__ = ("_reader", "_splitter", "_writer", "_x")

    def __init__(self, x: Exchange) -> None:
        self._x = x
        self._splitter = Splitter()
        self._reader = DIALECTS[x.endpoint.dialect].reader()
        self._writer: Writer | None = None

    def split(self, chunk: bytes) -> list[bytes]:
        """Whole events."""
        return self._splitter.feed(chunk)

    def read(self, event: bytes) -> list[Event]:
        """What it says."""
        try:
            return self._reader.feed(event)
        except BadAnswer:  # it passes as it is: the caller may know better
            return []

    def write(self, events: list[Event]) -> bytes:
        """Events in the caller's dialect."""
        if self._writer is None:
            self._writer = DIALECTS[self._x.endpoint.dialect].writer(self._x.chat or read(self._x))
        return self._writer.feed(events)


def completion_of(x: Exchange, body: bytes, *, is_sse: bool) -> Completion | None:
    """The answer to ``x`` whose whole bytes are ``body``; None if it is no answer to a conversation, or unreadable."""
    if not is_conversation(x):
        return None
    dialect = DIALECTS[x.endpoint.dialect]
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
