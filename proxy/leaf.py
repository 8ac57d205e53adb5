"""The leaf of the target tree: one attempt at one model of one provider."""

from __future__ import annotations

import asyncio
import time

import msgspec

from proxy.errors import GatewayError, UpstreamError, UpstreamTimeout
from proxy.exchange import Attempt, Exchange
from proxy.policy import Answer, Choice, Target, Timeouts
from proxy.providers.provider import Provider


class Leaf(Target):
    """``provider/model``, or ``provider/*`` for the model that the caller named (``model`` None)."""

    __slots__ = ("_streamed", "_whole", "model", "name", "provider")

    def __init__(self, name: str, provider: Provider, model: str | None, timeouts: Timeouts) -> None:
        self.name = name
        self.provider = provider
        self.model = model
        self._streamed = timeouts
        # An answer that is not streamed has its first token when it has its last: only the total bounds it.
        self._whole = msgspec.structs.replace(timeouts, first_token=timeouts.total)

    async def send(self, x: Exchange) -> Answer:
        """One attempt, noted on the exchange whatever becomes of it."""
        attempt = Attempt(self.name)
        x.attempts.append(attempt)
        started = time.monotonic()
        if started >= x.deadline:
            attempt.outcome, attempt.reason = "error", "timeout"
            raise UpstreamTimeout("The request's total time was used up before this attempt.")
        try:
            answer = await self.provider.send(x, self.model, self._streamed if x.stream else self._whole)
        except UpstreamError as error:
            attempt.outcome, attempt.reason, attempt.status = "error", error.meaning, error.http_status
            raise
        except asyncio.CancelledError:
            attempt.outcome = "cancelled"
            raise
        finally:
            attempt.duration = time.monotonic() - started
            x.upstream_wait += attempt.duration
        attempt.outcome, attempt.status, attempt.first_byte = "ok", answer.status, attempt.duration
        answer.target = self.name if self.model is not None else f"{self.name[:-1]}{x.model}"
        return answer

    def explain(self, x: Exchange) -> Choice:
        """The leaf itself: it is willing, unless the request cannot be said to its provider."""
        model = self.model or x.model
        to = f"sends to {self.provider.describe()}" + (f" as {model}" if model else "")
        try:
            body, dropped = self.provider.preview(x, model)
            return Choice(self.name, True, to, body=body, dropped=dropped)
        except GatewayError as error:
            return Choice(self.name, False, f"cannot take this request: {error.message}")

    def leaves(self) -> tuple[str, ...]:
        """Its own name."""
        return (self.name,)
