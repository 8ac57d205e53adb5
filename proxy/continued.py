"""A streamed answer that breaks off is gone on with by another target, from the text that the client already has.

The client sees one stream. What cannot be gone on with (a tool call has begun, several answers were asked for) fails
as it does without this: with an error event.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from proxy.capability import Reach
from proxy.chat import Chat, Message, Text
from proxy.errors import GatewayError, UpstreamError
from proxy.exchange import Exchange
from proxy.health import Health
from proxy.policy import Answer, Choice, Target
from proxy.price import Price
from proxy.seam import Told
from proxy.translated import Translated

MAX = 2  # times that one answer is gone on with
PROMPT = "Continue exactly where your answer was cut off. Repeat nothing, add no introduction."


class Continued(Target):
    """Sends to ``target``, and again where a conversation's stream breaks off half-way."""

    __slots__ = ("target",)

    def __init__(self, target: Target) -> None:
        self.target = target

    async def send(self, x: Exchange) -> Answer:
        """The answer of the target, whose stream knows how to go on."""
        endpoint = x.endpoint
        if not x.stream or endpoint.dialect is None or endpoint.operation == "count_tokens":
            return await self.target.send(x)
        x.keeps_events = True
        answer = await self.target.send(x)
        translated = answer.translated
        if isinstance(translated, Translated) and translated.chat is not None:
            thread = _Thread(self.target, x, answer, translated.chat)
            translated.on_failure = thread.go_on
            answer.close = thread.close
        return answer

    def explain(self, x: Exchange) -> Choice:
        """What the tree would do."""
        return self.target.explain(x)

    def leaves(self) -> tuple[str, ...]:
        """Of the tree."""
        return self.target.leaves()

    def healths(self) -> tuple[Health, ...]:
        """Of the tree."""
        return self.target.healths()

    def reaches(self) -> frozenset[Reach]:
        """Of the tree."""
        return self.target.reaches()

    def prices(self) -> frozenset[Price]:
        """Of the tree."""
        return self.target.prices()


class _Thread:
    """One answer and whoever gives it at the moment."""

    __slots__ = ("_answer", "_chat", "_close", "_count", "_failed", "_target", "_x")

    def __init__(self, target: Target, x: Exchange, answer: Answer, chat: Chat) -> None:
        self._target = target
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
        """The stream that brings the rest; None if there is none."""
        x, chat = self._x, self._chat
        if not told.can_go_on or self._count >= MAX or time.monotonic() >= x.deadline:
            return None
        if (chat.n or 1) > 1 or chat.logprobs:
            return None
        self._count += 1
        self.close()
        attempt = self._answer.attempt
        if attempt is not None:
            attempt.end("error", error.error_code)
            self._failed.add(attempt.target)
        try:
            answer = await self._target.send(self._twin(told.text))
        except GatewayError:
            return None  # the client is told what broke its stream, not why nobody could mend it
        self._close, self._answer.attempt = answer.close, answer.attempt
        translated = answer.translated
        if not isinstance(translated, Translated):
            answer.discard()
            return None
        x.degraded = error.meaning
        return translated

    def _twin(self, text: str) -> Exchange:
        """The request for the rest. What comes of it belongs to the first; only the whole answer is remembered."""
        x = self._x
        twin = x.beside()
        twin.attempts, twin.skipped, twin.notes = x.attempts, x.skipped, x.notes
        twin.excluded = frozenset(self._failed)
        twin.conversations = None
        twin.chat = self._chat
        if text:
            so_far = [Message("assistant", [Text(text)]), Message("user", [Text(PROMPT)])]
            twin.chat = replace(self._chat, messages=[*self._chat.messages, *so_far])
        return twin
