"""``kind: sagemaker``: models behind endpoints of AWS SageMaker whose containers speak OpenAI's chat format.

Those of vLLM, TGI and DJL do. A stream comes as SSE text inside AWS' event stream, cut anywhere.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Literal

from yarl import URL

from proxy.dialects.dialect import Aim
from proxy.dialects.endpoint import End
from proxy.dialects.eventstream import Messages, error_in, read_message
from proxy.errors import BadAnswer, Header
from proxy.exchange import Exchange
from proxy.policy import Answer, Timeouts
from proxy.providers.account import Call
from proxy.providers.aws import (
    Access,
    AWSAccount,
    AWSConfig,
    check_access,
    check_base,
    check_headers,
    is_event_stream,
    segment,
)
from proxy.providers.capabilities import Known
from proxy.providers.meaning import failure_in
from proxy.providers.provider import ProviderContext
from proxy.translation.attempt import Turn
from proxy.wire.sse import Scanner, Splitter

_COMPONENT = b"x-amzn-sagemaker-inference-component"
_FINISHED = re.compile(rb'"finish_reason":\s*"')
_DONE = b"data: [DONE]\n\n"
_SSE: Header = (b"content-type", b"text/event-stream; charset=utf-8")


class SageMaker(AWSAccount):
    """Endpoints by their names, which are the models' names in the file."""

    __slots__ = ("_served",)

    service = "sagemaker"

    class Config(AWSConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/sagemaker.json``."""

        kind: Literal["sagemaker"] = "sagemaker"
        inference_component: str | None = None
        served_model: str | None = None

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> SageMaker | None:
        """Check region and address, find out how to prove who we are."""
        constant = check_headers(config, context)
        if config.inference_component is not None:
            constant.append((_COMPONENT, config.inference_component.encode()))
        access = check_access(config, context)
        base = check_base(config, f"runtime.sagemaker.{config.region}", context)
        if access is None or base is None:
            return None
        return cls(name, base, access, constant, config, context)

    def __init__(
        self,
        name: str,
        base: URL,
        access: Access,
        constant: list[Header],
        config: Config,
        context: ProviderContext,
    ) -> None:
        super().__init__(name, base, access, constant, config, context, speaks=("openai_chat",))
        self.known = Known("sagemaker", config.models)
        self._served = config.served_model

    def aim(self, model: str) -> Aim:
        """What the container calls the model, with the capabilities that the file tells of the endpoint."""
        return Aim(model=self._served or model, capabilities=self.known.of(model))

    def outbound_body(self, x: Exchange, model: str | None) -> bytes:
        """The body names the model as the container calls it."""
        return super().outbound_body(x, self._served or model)

    def door(self, x: Exchange, turn: Turn, model: str) -> URL:
        """The endpoint."""
        verb = "invocations-response-stream" if turn.stream else "invocations"
        return URL(f"{self._base}/endpoints/{segment(model)}/{verb}", encoded=True)

    async def _dispatch(self, x: Exchange, call: Call, model: str, timeouts: Timeouts) -> Answer:
        """A stream is taken out of its frames, and told as soon as there is something in it."""
        if not x.stream:
            return await super()._dispatch(x, call, model, timeouts)
        answer = await super()._dispatch(x, call._replace(ends=(), expect_json=False), model, timeouts)
        if answer.chunks is None or not is_event_stream(answer):
            return answer
        unwrapped = Unwrapped(answer.chunks, call.ends)
        try:
            await unwrapped.begin()
        except BaseException:
            if answer.close is not None:
                answer.close()
            raise
        answer.chunks, answer.is_sse = unwrapped, True
        answer.headers = [_SSE, *(header for header in answer.headers if not header[0].startswith(b"content-"))]
        return answer


class Unwrapped:
    """The SSE text of the payloads of an event stream, in whole events. Ends cleanly only after the mark ``ends``.

    A container that tells why the answer finished and then forgets the mark has told all: the mark is added.
    """

    __slots__ = ("_chunks", "_finished", "_frames", "_over", "_ready", "_scanner", "_splitter")

    def __init__(self, chunks: AsyncIterator[bytes], ends: tuple[End, ...]) -> None:
        self._chunks = chunks
        self._frames = Messages()
        self._splitter = Splitter()
        self._scanner = Scanner(ends)
        self._finished = False
        self._over = False
        self._ready = b""

    async def begin(self) -> None:
        """Wait for the first content."""
        parts: list[bytes] = []
        size, has_content = 0, False
        while not has_content and not self._over:
            chunk, has_content = await self._next()
            parts.append(chunk)
            size += len(chunk)
            if size > self._scanner.max_event:
                raise BadAnswer(f"the provider sent {size} bytes of comments before any content")
        self._ready = b"".join(parts)

    def __aiter__(self) -> Unwrapped:
        return self

    async def __anext__(self) -> bytes:
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        while not self._over:
            chunk, _ = await self._next()
            if chunk:
                return chunk
        raise StopAsyncIteration

    async def _next(self) -> tuple[bytes, bool]:
        """Whole events of the next chunk, and whether there is content in them."""
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            return self._end()
        events: list[bytes] = []
        for frame in self._frames.feed(chunk):
            events += self._splitter.feed(_payload(frame))
        return self._told(b"".join(events))

    def _end(self) -> tuple[bytes, bool]:
        self._frames.finish()
        self._over = True
        last, has_content = self._told(b"".join(self._splitter.finish()))
        if self._scanner.wants_end and not self._scanner.ended:
            if not self._finished:
                raise BadAnswer("the provider's stream ended without its end marker")
            last = last.rstrip(b"\r\n") + b"\n\n" + _DONE if last else _DONE
        return last, has_content

    def _told(self, events: bytes) -> tuple[bytes, bool]:
        if not events:
            return b"", False
        self._finished = self._finished or _FINISHED.search(events) is not None
        return events, self._scanner.feed(events)


def _payload(frame: bytes) -> bytes:
    headers, payload = read_message(frame)
    if (error := error_in(headers, payload)) is not None:
        raise failure_in(error)
    return payload if headers.get(":event-type") == "PayloadPart" else b""
