"""``kind: simulated``: a provider without network, keys or surprises. The default, and the partner of load tests.

The words of an answer depend on nothing but the request's bytes, the model and the seed. Errors and cut streams are
drawn from the seed and the number of the request, so that a rate is a rate even when all requests are equal.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from proxy.choosing.capability import Capabilities
from proxy.dialects.dialect import Aim
from proxy.errors import Header, UpstreamError, UpstreamTimeout, render_openai
from proxy.exchange import Exchange
from proxy.policy import Answer, Timeouts
from proxy.providers.meaning import failure_of
from proxy.providers.provider import Provider, ProviderContext
from proxy.providers.simulation import behaviour as settings
from proxy.providers.simulation.behaviour import MAX_TOKENS, Behaviour, Behaviours, Fate, fate
from proxy.providers.simulation.made import Drip, Events
from proxy.providers.simulation.operations import OPERATIONS, Job, job_of
from proxy.providers.simulation.request import refused
from proxy.providers.simulation.shelf import Shelf
from proxy.translation.attempt import prepare

_CODES = {400: "invalid_request", 401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
_EVENTS: list[Header] = [(b"content-type", b"text/event-stream; charset=utf-8")]
_EVERYTHING = Capabilities(audio=True, video=True, count_tokens=True, thinking="effort")
_NO_MODEL = "simulated"
_NAMES = {"openai_chat": "chat.completions", "openai_responses": "responses"}


class Simulated(Provider):
    """Answers by itself."""

    __slots__ = ("_behaviours", "_shelf")

    Config = settings.Config

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> Simulated | None:
        """Resolve the settings of every model."""
        _check("", config, context)
        for model, overrides in config.models.items():
            _check(f"models.{model}.", overrides, context)
        return cls(name, Behaviours(config), context.shared(f"simulated {name}", Shelf))

    def __init__(self, name: str, behaviours: Behaviours, shelf: Shelf) -> None:
        super().__init__(name)
        self._behaviours = behaviours
        self._shelf = shelf

    async def send(self, x: Exchange, model: str | None, timeouts: Timeouts) -> Answer:
        """Make the answer, then wait as long as a model would have taken."""
        wanted = model or x.model or _NO_MODEL
        behaviour = self._behaviours.of(wanted)
        shelf = self._shelf
        shelf.requests += 1
        doom = fate(behaviour, shelf.requests)
        if doom.status is not None:
            await _wait(behaviour.first_token, x, timeouts)
            raise _failure(doom.status, behaviour, self.name)
        if x.endpoint.dialect is None:
            job = job_of(x, self.outbound_body(x, model), wanted, behaviour, shelf)
            return await self._answer(x, x.endpoint.name, job, doom, timeouts)
        turn = await prepare(x, model, self)
        job = job_of(x, turn.body, wanted, behaviour, shelf)
        try:
            answer = await self._answer(
                x, "responses.count" if turn.counts else _NAMES[turn.outbound.name], job, doom, timeouts
            )
        except UpstreamError as error:
            raise turn.failure(error) from error.__cause__
        return await turn.receive(answer)

    async def _answer(self, x: Exchange, name: str, job: Job, doom: Fate, timeouts: Timeouts) -> Answer:
        if x.attempts:
            x.attempts[-1].dispatch(x)
        operation = OPERATIONS.get(name)
        if operation is None:
            raise refused(404, f"The simulated provider has no {name}.", code="not_found")
        made, behaviour = await operation(job), job.behaviour
        if isinstance(made, Events):
            return await _stream(made, behaviour, doom, x, timeouts)
        await _wait(behaviour.first_token + behaviour.gap * (made.tokens - 1), x, timeouts)
        return Answer(200, [(b"content-type", made.content_type)], body=made.body)

    def aim(self, model: str) -> Aim:
        """It refuses nothing."""
        return Aim(model=model, capabilities=_EVERYTHING)

    def describe(self) -> str:
        """There is no address."""
        return "the simulation inside the gateway"


async def _stream(made: Events, behaviour: Behaviour, doom: Fate, x: Exchange, timeouts: Timeouts) -> Answer:
    await _wait(behaviour.first_token, x, timeouts)
    drip = Drip(made, behaviour.gap, timeouts.gap, doom.cut_after)
    return Answer(200, list(_EVENTS), chunks=drip, close=drip.close, is_sse=True)


async def _wait(seconds: float, x: Exchange, timeouts: Timeouts) -> None:
    """Wait, within the limits that any provider has."""
    if seconds <= 0:
        return
    limit = min(timeouts.first_token, x.deadline - time.monotonic())
    await asyncio.sleep(min(seconds, max(limit, 0)))
    if seconds > limit:
        raise UpstreamTimeout(
            f"The provider sent no content within its `first_token` timeout of {timeouts.first_token:g} s."
        )


def _failure(status: int, behaviour: Behaviour, name: str) -> Exception:
    """A scripted error, read as any provider's would be."""
    body = render_openai(status, _CODES.get(status, "simulated_error"), f"A simulated error ({status}).")
    headers: list[Header] = [(b"content-type", b"application/json")]
    if behaviour.retry_after is not None:
        headers.append((b"retry-after-ms", b"%d" % round(behaviour.retry_after * 1000)))
    return failure_of(status, headers, body, name)


def _check(at: str, given: Any, context: ProviderContext) -> None:
    """What the schema cannot say."""
    if given.tokens is not None and not 0 <= given.tokens <= MAX_TOKENS:
        context.fail(f"{given.tokens} tokens; between 0 and {MAX_TOKENS}", f"{at}tokens")
    for field in ("error_rate", "cut_rate"):
        rate = getattr(given, field)
        if rate is not None and not 0 <= rate <= 1:
            context.fail(f"{rate} is not a share between 0 and 1", f"{at}{field}")
    for index, status in enumerate(given.errors or ()):
        if not 400 <= status <= 599:
            context.fail(f"{status} is not the status of an error (400 to 599)", f"{at}errors[{index}]")
    if given.errors == ():
        context.fail("an empty list of errors; leave it out or name a status", f"{at}errors")
