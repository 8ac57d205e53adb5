"""An answer through the filters of policies: whole, or event by event as it flows, in whatever dialect.

A stream is read into the neutral form and written anew, so what no filter has seen is not delivered, not even by
mistake. Of a whole answer only the texts that a filter has changed are replaced in its bytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import msgspec

from proxy.chat import Choice, Completion, Delta, Event, Refusal
from proxy.dialects.table import DIALECTS
from proxy.errors import UpstreamError
from proxy.exchange import Exchange, Reply
from proxy.filters.filtered_events import FilteredEvents
from proxy.filters.filtering import Sieve, Stopped, through
from proxy.guarding.carriers import carriers, splice
from proxy.guarding.spelled import SPELLED, SPOKEN, spelled, without
from proxy.policy import Answer, Filter, Halt
from proxy.translation.answers import completion_of, reply_of
from proxy.translation.attempt import read
from proxy.translation.translated import whole

# What answers say that they are.
_OBJECTS = frozenset(("chat.completion", "text_completion", "response", "list", "embedding", "model", "message"))
_MEDIA = (b"audio/", b"image/", b"video/")


async def filtered(x: Exchange, answer: Answer, filter_: Filter) -> Reply | None:
    """Put ``filter_`` into the way of ``answer``; a Reply if it stops an answer that is whole."""
    if answer.socket is not None:
        halt = filter_.unread("a connection of messages both ways")
        return None if halt is None else _refusal(x, halt)
    if isinstance(answer.chunks, FilteredStream | FilteredEvents):
        answer.chunks.add(filter_)
        return None
    kind = _kind(x, answer)
    if kind == "stream":
        stream = (FilteredEvents if x.endpoint.dialect is None else FilteredStream)(x, answer, filter_)
        if answer.body is None:
            answer.chunks = stream
            return None
        parts = [part async for part in stream]
        answer.body = b"".join(parts)
        return None
    if kind == "media":
        return None
    if kind == "unknown":
        halt = filter_.unread("an answer of an unknown type")
        return None if halt is None else _refusal(x, halt)
    if answer.body is None and answer.chunks is not None:
        try:
            answer.body = await whole(answer.chunks)
        except UpstreamError as error:
            answer.discard()
            return x.refuse(error.http_status, error.error_code, error.message)
        answer.chunks = None
    return await _whole(x, answer, filter_, kind)


def _kind(x: Exchange, answer: Answer) -> str:
    """``stream`` of events, ``json``, ``text``; ``media``, which is no text; or ``unknown``."""
    said = next((value for name, value in answer.headers if name == b"content-type"), b"").lower()
    if answer.is_sse or said.startswith(b"text/event-stream"):
        return "stream"
    if b"json" in said or (not said and answer.body is not None):
        return "json"
    if said.startswith(b"text/"):
        return "text"
    return "media" if said.startswith(_MEDIA) or x.endpoint.name == "audio.speech" else "unknown"


async def _whole(x: Exchange, answer: Answer, filter_: Filter, kind: str) -> Reply | None:
    body = answer.body or b""
    try:
        if kind == "json":
            msgspec.json.decode(body, type=msgspec.Raw)
            answer.body = await _spliced(x, body, filter_)
            return None
        if kind == "text":
            answer.body = (await _texts([body.decode()], filter_))[0].encode()
            return None
    except Stopped as stopped:
        return _halted(x, answer, stopped.halt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        kind = "unreadable"
    halt = filter_.unread(f"an answer ({kind})")
    return None if halt is None else _refusal(x, halt)


async def _spliced(x: Exchange, body: bytes, filter_: Filter) -> bytes:
    names = SPOKEN if x.endpoint.name.startswith("audio.") else SPELLED
    found = carriers(body)
    own = [carrier for carrier in found if carrier.text not in _OBJECTS and names.isdisjoint(carrier.steps)]
    rows = spelled(found, names)
    texts = await _texts([*(carrier.text for carrier in own), *rows], filter_)
    changes = [(one, text) for one, text in zip(own, texts[: len(own)], strict=True) if text != one.text]
    body = splice(body, changes)
    if any(carrier.steps[-1] == "transcript" for carrier, _ in changes):  # what is heard says it, too
        names |= {"data"}
    elif not rows or not (changes or texts[len(own) :] != rows):
        return body
    return msgspec.json.encode(without(msgspec.json.decode(body), names))  # they would tell what has been replaced


async def _texts(texts: Iterable[str], filter_: Filter) -> list[str]:
    """Each as a block of its own.

    Raises:
        Stopped: the filter has stopped the answer.
    """
    told: list[str] = []
    for block, text in enumerate(texts):
        out = await through([filter_], Delta(0, "text", text, block))
        out += await through([filter_], (0, block))
        told.append("".join(delta.text for delta in out))
    return told


def _halted(x: Exchange, answer: Answer, halt: Halt) -> Reply | None:
    """The answer says in its dialect why it says nothing; another than a model's becomes a refusal."""
    if x.endpoint.dialect is None or x.endpoint.operation == "count_tokens":
        return _refusal(x, halt)
    completion = completion_of(x, answer.body or b"", is_sse=False) or Completion(id="", model=x.model, choices=[])
    completion.id, completion.service_tier = "", None  # they may be what it was stopped for
    completion.choices = [
        Choice(parts=[Refusal(halt.message)], stop="content_filter", index=index)
        for index in [choice.index for choice in completion.choices] or [0]
    ]
    reply = reply_of(x, completion, stream=False)
    if reply is None:
        return _refusal(x, halt)
    answer.body = reply.body
    return None


def _refusal(x: Exchange, halt: Halt) -> Reply:
    return x.refuse(400, halt.code, halt.message)


class FilteredStream:
    """A stream in its caller's dialect through filters, the innermost first. An async iterator over bytes."""

    __slots__ = ("_answer", "_frames", "_over", "_reader", "_sieve", "_source", "_writer")

    def __init__(self, x: Exchange, answer: Answer, filter_: Filter) -> None:
        dialect = DIALECTS[x.endpoint.dialect]
        chat = x.chat or read(x)
        self._answer = answer
        self._source: AsyncIterator[bytes] = answer.chunks if answer.chunks is not None else _one(answer.body or b"")
        self._frames = dialect.frames()
        self._reader = dialect.reader()
        self._writer = dialect.writer(chat)
        self._sieve = Sieve(filter_)
        self._over = False

    def add(self, filter_: Filter) -> None:
        """One more, further out."""
        self._sieve.filters.append(filter_)

    def __aiter__(self) -> FilteredStream:
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            try:
                chunk = await anext(self._source)
            except StopAsyncIteration:
                self._over = True
                events = self._read(self._frames.finish()) + ([] if self._sieve.ended else self._reader.finish())
            else:
                events = self._read(self._frames.feed(chunk))
            out = self._writer.feed(await self._sieve.feed(events))
            if self._sieve.halted:
                self._over = True
                self._answer.discard()
            if out:
                return out
        raise StopAsyncIteration

    def _read(self, frames: list[bytes]) -> list[Event]:
        return [event for frame in frames for event in self._reader.feed(frame)]


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body
