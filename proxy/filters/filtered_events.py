"""Streams of what is no conversation through filters: completions, transcripts, pictures and whatever else comes as
JSON in events. Each event is written anew; what flows from event to event is one text, and the rest is looked at whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from proxy.chat import Delta, Kind
from proxy.exchange import Exchange
from proxy.filters.filtering import Stopped, through
from proxy.guarding.carriers import carriers, splice
from proxy.policy import Answer, Filter, Halt
from proxy.wire.sse import Splitter, data_of

_DONE = b"[DONE]"
_MAX_KNOWN = 64  # texts that were looked at and are not looked at again, as every event has them
_MAX_FLOWS = 1024  # texts of one answer
_ENDS = (".done", ".completed", ".incomplete", ".failed", ".cancelled")
_WHERE = ("item_id", "output_index", "content_index", "summary_index")  # by which texts are told apart
_SPELLED = ("logprobs", "tokens", "words")  # members that repeat a text in pieces
_ASIDE = -1  # the block of what comes whole


class FilteredEvents:
    """An async iterator over bytes."""

    __slots__ = ("_answer", "_flows", "_known", "_over", "_source", "_splitter", "_stopped", "_x", "filters")

    def __init__(self, x: Exchange, answer: Answer, filter_: Filter) -> None:
        self.filters = [filter_]
        self._x = x
        self._answer = answer
        self._source: AsyncIterator[bytes] = answer.chunks if answer.chunks is not None else _one(answer.body or b"")
        self._splitter = Splitter()
        self._known: dict[str, str] = {}
        self._flows: dict[bytes, _Flow] = {}
        self._stopped: _Flow | None = None  # in which a filter has stopped the answer
        self._over = False

    def add(self, filter_: Filter) -> None:
        """One more, further out."""
        self.filters.append(filter_)

    def __aiter__(self) -> FilteredEvents:
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            out: list[bytes] = []
            try:
                try:
                    frames = self._splitter.feed(await anext(self._source))
                except StopAsyncIteration:
                    self._over = True
                    frames = self._splitter.finish()
                for frame in frames:
                    await self._frame(frame, out)
                if self._over:
                    out += await self._rest()
            except Stopped as stopped:
                self._over = True
                self._answer.discard()
                out += self._halted(stopped)
            if out:
                return b"".join(out)
        raise StopAsyncIteration

    async def _frame(self, frame: bytes, out: list[bytes]) -> None:
        data = data_of(frame)
        if data is None:  # comments: nobody reads them
            return
        if data == _DONE:
            out += [*await self._rest(), b"data: [DONE]\n\n"]
            return
        try:
            event = msgspec.json.decode(data, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            for filter_ in self.filters:
                if (halt := filter_.unread("an event that is no JSON")) is not None:
                    raise Stopped(halt, []) from None
            out.append(frame)
            return
        kind = str(event.get("type", ""))
        if kind.endswith(_ENDS):
            out += await self._rest()
        if isinstance(event.get("choices"), list):
            await self._choices(event)
        elif kind.endswith(".delta") and isinstance(event.get("delta"), str):
            flow = self._flow((kind, *(event.get(name) for name in _WHERE)), event)
            event["delta"] = await self._told(flow, event["delta"])
        for name in _SPELLED:
            event.pop(name, None)
        out.append(_written(await self._whole(event)))

    async def _choices(self, event: dict[str, Any]) -> None:
        for choice in event["choices"]:
            if not isinstance(choice, dict) or not isinstance(choice.get("text"), str):
                continue
            for name in _SPELLED:
                if name in choice:
                    choice[name] = None
            index = choice.get("index")
            head: dict[str, Any] = {name: event[name] for name in ("id", "object", "created", "model") if name in event}
            flow = self._flow(("choice", index), {**head, "choices": [{"index": index, "finish_reason": None}]})
            choice["text"] = await self._told(flow, choice["text"])
            if choice.get("finish_reason") is not None:
                choice["text"] += await self._end(flow)

    def _flow(self, key: tuple[Any, ...], like: dict[str, Any]) -> _Flow:
        """The text that this piece goes on with."""
        found = self._flows.get(msgspec.json.encode(key))
        if found is None:
            if len(self._flows) >= _MAX_FLOWS:
                raise Stopped(Halt("The provider's stream cannot be read."), [])
            found = self._flows[msgspec.json.encode(key)] = _Flow(len(self._flows), str(key[0]), like)
        return found

    async def _told(self, flow: _Flow, text: str) -> str:
        """What may be told of a text after this piece of it."""
        flow.is_open = True
        try:
            told = await through(self.filters, Delta(flow.number, flow.kind, text, 0)) if text else []
        except Stopped as stopped:
            self._stopped = flow
            raise stopped
        return "".join(delta.text for delta in told)

    async def _end(self, flow: _Flow) -> str:
        """What was held back of a text."""
        if not flow.is_open:
            return ""
        try:
            told = await through(self.filters, (flow.number, 0))
        except Stopped as stopped:
            self._stopped = flow
            raise stopped
        flow.is_open = False
        return "".join(delta.text for delta in told)

    async def _rest(self) -> list[bytes]:
        """Events with what was held back, where nobody said that it ended."""
        return [_written(flow.saying(text)) for flow in self._flows.values() if (text := await self._end(flow))]

    async def _whole(self, event: dict[str, Any]) -> dict[str, Any]:
        """Everything else that an event says."""
        body = msgspec.json.encode(event)
        changes = []
        for carrier in carriers(body):
            steps = carrier.steps
            if not carrier.is_name and (steps[-1] == "delta" or (steps[0] == "choices" and steps[-1] == "text")):
                continue
            text = self._known.get(carrier.text)
            if text is None:
                text = await self._looked(carrier.text)
            if text != carrier.text:
                changes.append((carrier, text))
        return msgspec.json.decode(splice(body, changes), type=dict[str, Any]) if changes else event

    async def _looked(self, text: str) -> str:
        told = await through(self.filters, Delta(0, "text", text, _ASIDE))
        told += await through(self.filters, (0, _ASIDE))
        found = "".join(delta.text for delta in told)
        if len(self._known) < _MAX_KNOWN:
            self._known[text] = found
        return found

    def _halted(self, stopped: Stopped) -> list[bytes]:
        """The end that a filter has made."""
        out: list[bytes] = []
        flow = self._stopped
        if flow is not None and (text := "".join(delta.text for delta in stopped.told)):
            out.append(_written(flow.saying(text)))
        if self._x.endpoint.operation == "text_completion":
            ends = [flow for flow in self._flows.values() if flow.is_open] or [_Flow(0, "choice", {"choices": [{}]})]
            out += (_written(flow.saying("", "content_filter")) for flow in ends)
            return [*out, b"data: [DONE]\n\n"]
        return [*out, self._x.style.event(400, stopped.halt.code, stopped.halt.message)]


class _Flow:
    """One text that comes in pieces. ``like``: an event that holds a piece of it."""

    __slots__ = ("_like", "is_open", "kind", "number")

    def __init__(self, number: int, kind: str, like: dict[str, Any]) -> None:
        self.number = number
        self.kind: Kind = "arguments" if "arguments" in kind else "text"
        self.is_open = False
        self._like = like

    def saying(self, text: str, finish: str | None = None) -> dict[str, Any]:
        """An event like the others that says this alone."""
        if "choices" not in self._like:
            return {**self._like, "delta": text}
        choice = {"index": 0, "logprobs": None, **self._like["choices"][0], "text": text, "finish_reason": finish}
        return {**self._like, "choices": [choice]}


def _written(event: dict[str, Any]) -> bytes:
    kind = event.get("type")
    name = b"event: %b\n" % kind.encode() if isinstance(kind, str) and kind.isprintable() and kind else b""
    return b"%bdata: %b\n\n" % (name, msgspec.json.encode(event))


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body
