"""A streamed answer that breaks off is gone on with by another target, from the text that the client already has.

The client sees one stream. What cannot be gone on with honestly (a call of a tool has begun, JSON of a given shape or
several answers were asked for) fails as it does without this: with an error event.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from proxy.around import Around
from proxy.chat import Chat
from proxy.errors import GatewayError, UpstreamError
from proxy.exchange import Begun, Exchange
from proxy.policy import Answer, Choice, Target
from proxy.reports import Reports
from proxy.targets.needs import estimate, needs_of
from proxy.targets.seam import Told
from proxy.translation.attempt import read_aside
from proxy.translation.translated import Translated

MAX = 2  # times that one answer is gone on with
# Failures that say nothing about the conversation: elsewhere it may do well.
_ELSEWHERE = frozenset({"rate_limited", "overloaded", "unavailable", "timeout", "bad_answer"})


class Continued(Around):
    """Sends to ``inner``, and again where a conversation's stream breaks off half-way."""

    __slots__ = ("_reports", "_route")

    def __init__(self, inner: Target, route: str = "", reports: Reports | None = None) -> None:
        super().__init__(inner)
        self._route = route
        self._reports = reports or Reports()

    async def send(self, x: Exchange) -> Answer:
        """The answer of the target, whose stream knows how to go on."""
        x.keeps_events = await _may_go_on(x)
        answer = await self.inner.send(x)
        translated = answer.translated
        if isinstance(translated, Translated) and translated.chat is not None:
            thread = _Thread(self, x, answer, translated.chat)
            translated.on_failure = thread.go_on
            answer.close = thread.close
        return answer

    def tell(self, result: str) -> None:
        """What became of a stream that had broken off: continued, failed (by all who were asked), or barred."""
        self._reports.tell("stream.broken", route=self._route, result=result)

    def explain(self, x: Exchange) -> Choice:
        """What the tree would do."""
        choice = self.inner.explain(x)
        if not x.stream:
            return choice
        return replace(choice, why=f"{choice.why}; if the stream breaks off, another goes on with it")


async def _may_go_on(x: Exchange) -> bool:
    """Whether the answer will be a stream of which half is of use to somebody else."""
    if not x.stream or x.endpoint.dialect is None or x.endpoint.operation == "count_tokens":
        return False
    chat = await read_aside(x)
    speaks = chat.modalities is not None and "audio" in chat.modalities
    return (chat.n or 1) == 1 and not chat.logprobs and chat.format is None and not speaks


class _Thread:
    """One answer and whoever gives it at the moment."""

    __slots__ = ("_answer", "_chat", "_close", "_count", "_failed", "_root", "_x")

    def __init__(self, root: Continued, x: Exchange, answer: Answer, chat: Chat) -> None:
        self._root = root
        self._x = x
        self._answer = answer
        self._chat = chat
        self._close: Callable[[], None] | None = answer.close
        self._count = 0
        self._failed: set[str] = set()

    def close(self) -> None:
        """Release the connection of whoever gives the answer."""
        if self._close is not None:
            self._close()

    async def go_on(self, error: UpstreamError, told: Told) -> Translated | None:
        """The stream that brings the rest; None if there is none: then the client is told what broke it."""
        why = self._why_not(error, told)
        if why is not None:
            self._note("barred", f"no: {why}")
            return None
        self._leave(error)
        told.settle(needs_of(self._x).input_tokens, estimate)
        try:
            answer = await self._root.inner.send(self._twin(told.text))
        except GatewayError as failed:
            self._note("failed", f"no: {failed.message}")
            return None
        self._count += 1
        self._close, self._answer.attempt = answer.close, answer.attempt
        translated = answer.translated
        if not isinstance(translated, Translated):
            answer.discard()
            self._note("failed", f"no: {answer.target} cannot")
            return None
        self._x.degraded = error.meaning
        self._note("continued", f"by {answer.target} after {len(told.text)} characters: {error.error_code}")
        return translated

    def _why_not(self, error: UpstreamError, told: Told) -> str | None:
        hindrance = told.hindrance(proves=self._x.endpoint.dialect != "openai_chat")
        if hindrance is not None:
            return hindrance
        if error.meaning not in _ELSEWHERE:
            return error.meaning
        if self._count >= MAX:
            return f"it was {MAX} times already"
        return "its time is over" if time.monotonic() >= self._x.deadline else None

    def _note(self, result: str, text: str) -> None:
        self._x.notes["continued"] = text
        self._root.tell(result)

    def _leave(self, error: UpstreamError) -> None:
        """Be done with whoever has broken off."""
        self.close()
        attempt = self._answer.attempt
        if attempt is not None:
            attempt.end("error", error.error_code)
            self._failed.add(attempt.target)

    def _twin(self, text: str) -> Exchange:
        """The request for the rest. What comes of it belongs to the first; only the whole answer is remembered."""
        x = self._x
        twin = x.beside()
        twin.attempts, twin.skipped, twin.notes = x.attempts, x.skipped, x.notes
        twin.excluded = frozenset(self._failed)
        twin.conversations = None
        twin.chat = self._chat
        twin.begun = Begun(text, estimate(text))
        return twin
