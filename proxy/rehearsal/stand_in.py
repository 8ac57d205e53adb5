"""Asked in the place of a provider when nothing may be sent: what it would be sent is kept, its answer is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from proxy.chat import Choice, Completion, Losses, Text, Usage
from proxy.dialects.dialect import Aim, Dialect, json_headers
from proxy.errors import (
    BadAnswer,
    BadCredential,
    ContentRefused,
    ContextTooLong,
    Header,
    ModelNotFound,
    Overloaded,
    RateLimited,
    Unavailable,
    Unsupported,
    UpstreamError,
    UpstreamTimeout,
    render_openai,
)
from proxy.exchange import Exchange
from proxy.gather import events_of
from proxy.policy import Answer, Timeouts
from proxy.providers.meaning import failure_of
from proxy.providers.provider import Provider, ProviderContext
from proxy.providers.simulated import Simulated
from proxy.providers.simulation.behaviour import Behaviours
from proxy.providers.simulation.behaviour import Config as Simulation
from proxy.providers.simulation.made import Whole
from proxy.providers.simulation.operations import OPERATIONS, job_of
from proxy.providers.simulation.shelf import Shelf
from proxy.rehearsal.cases import Behaviour, Doing, Tokens
from proxy.translation.attempt import Turn, prepare

GREETING = "Hello from the test."
_BYTES_OF_A_TOKEN = 4
# By the words of a script, and by the meanings that failures have in the ledger.
FAILURES: dict[str, type[UpstreamError]] = {
    "down": Unavailable,
    "unavailable": Unavailable,
    "timeout": UpstreamTimeout,
    "rate_limited": RateLimited,
    "overloaded": Overloaded,
    "bad_answer": BadAnswer,
    "bad_credential": BadCredential,
    "context_too_long": ContextTooLong,
    "content_refused": ContentRefused,
    "model_not_found": ModelNotFound,
}


class Asked(NamedTuple):
    """One request as a provider would have had it."""

    target: str
    body: bytes


class Script:
    """What the providers of one run do, and what they were asked."""

    __slots__ = ("_doing", "asked")

    def __init__(self) -> None:
        self._doing: dict[str, list[Doing]] = {}
        self.asked: list[Asked] = []

    def begin(self, upstream: Mapping[str, tuple[Doing, ...]]) -> None:
        """For the next request; what was asked before is forgotten."""
        self._doing = {name: list(doing) for name, doing in upstream.items()}
        self.asked = []

    def next(self, provider: str, model: str) -> Doing | None:
        """What is to be done now: by the target's own entry, else by that of its provider. The last is repeated."""
        doing = self._doing.get(f"{provider}/{model}") or self._doing.get(provider)
        if not doing:
            return None
        return doing.pop(0) if len(doing) > 1 else doing[0]

    def stand_in(self, provider: Provider) -> Provider:
        """In the place of ``provider``."""
        return StandIn(provider, self)


class StandIn(Provider):
    """Writes what its provider would be sent, and sends it nowhere. One that is simulated answers by itself."""

    __slots__ = ("_inner", "_script")

    def __init__(self, inner: Provider, script: Script) -> None:
        super().__init__(inner.name, inner.speaks)
        self._inner = inner
        self._script = script
        self.quirks, self.known, self.prices = inner.quirks, inner.known, inner.prices

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> Provider | None:
        """The file cannot ask for one."""
        raise NotImplementedError

    def aim(self, model: str) -> Aim:
        """As the provider's."""
        return self._inner.aim(model)

    def passes(self, x: Exchange, model: str | None) -> bool:
        """As the provider."""
        return self._inner.passes(x, model)

    def native_body(self, x: Exchange, model: str | None, losses: Losses) -> bytes:
        """As the provider's."""
        return self._inner.native_body(x, model, losses)

    def outbound_body(self, x: Exchange, model: str | None) -> bytes:
        """As the provider's."""
        return self._inner.outbound_body(x, model)

    def preview(self, x: Exchange, model: str | None) -> tuple[bytes, tuple[str, ...]]:
        """As the provider's."""
        return self._inner.preview(x, model)

    def describe(self) -> str:
        """Where the provider is."""
        return self._inner.describe()

    async def send(self, x: Exchange, model: str | None, timeouts: Timeouts) -> Answer:
        """What the script says, or what is usual."""
        name = model or x.model
        doing = self._script.next(self.name, name)
        if x.endpoint.name == "realtime":
            raise Unsupported("Nothing is sent here, so no session can be opened.")
        turn = None if x.endpoint.dialect is None else await prepare(x, model, self._inner)
        body = self._inner.outbound_body(x, model) if turn is None else turn.body
        self._script.asked.append(Asked(f"{self.name}/{name}", body))
        if doing is None and isinstance(self._inner, Simulated):
            return await self._inner.send(x, model, timeouts)
        if x.attempts:
            x.attempts[-1].dispatch(x)
        does = doing if isinstance(doing, Behaviour) else Behaviour()
        try:
            await _wait(timeouts.first_token + 1 if doing == "timeout" else does.slow, timeouts)
            self._fail(doing, does)
        except UpstreamError as error:
            raise (error if turn is None else turn.failure(error)) from error.__cause__
        if turn is None:
            return await _made(x, body, name, does)
        return await turn.receive(_answer(turn, name, does))

    def _fail(self, doing: Doing | None, does: Behaviour) -> None:
        """Raise the failure that the script wants, if it wants one."""
        if isinstance(doing, str) and doing in FAILURES:
            raise FAILURES[doing](f"The provider {self.name!r}: {doing}, as scripted.")
        if does.status:
            headers: list[Header] = [(b"content-type", b"application/json")]
            if does.retry_after is not None:
                headers.append((b"retry-after-ms", b"%d" % round(does.retry_after * 1000)))
            body = render_openai(does.status, "scripted", does.message)
            raise failure_of(does.status, headers, body, self.name)


async def _wait(seconds: float, timeouts: Timeouts) -> None:
    """Until the first token, within the limit that any provider has."""
    limit = timeouts.first_token
    await asyncio.sleep(min(seconds, limit))
    if seconds > limit:
        raise UpstreamTimeout(f"The provider sent no content within its `first_token` timeout of {limit:g} s.")


def _answer(turn: Turn, model: str, does: Behaviour) -> Answer:
    """In the dialect that the provider speaks."""
    dialect: Dialect = turn.outbound
    if turn.counts:
        return Answer(200, json_headers(dialect, False), body=dialect.write_count(_tokens(turn.body)))
    text = GREETING if does.text is None else does.text
    told = does.usage or Tokens(input=_tokens(turn.body), output=_tokens(text.encode()))
    usage = Usage(input=told.input, cached_read=told.cached, output=told.output)
    made = Completion(id="scripted", model=model, choices=[Choice(parts=[Text(text)])], usage=usage)
    chat = dialect.read_request(turn.body, model, turn.stream)  # as the provider reads it
    if not turn.stream:
        return Answer(200, json_headers(dialect, False), body=dialect.write_answer(made, chat))
    events = events_of(made)
    told_too = chat.include_usage or does.usage is not None
    writer = dialect.writer(replace(chat, stream=True, include_usage=told_too))
    body = writer.feed(events[:2] if does.cut else events)
    return Answer(200, json_headers(dialect, True), chunks=_flow(body, cut=does.cut), is_sse=True)


async def _flow(body: bytes, *, cut: bool) -> AsyncIterator[bytes]:
    yield body
    if cut:
        raise BadAnswer("The provider's stream ended without its end marker.")


async def _made(x: Exchange, body: bytes, model: str, does: Behaviour) -> Answer:
    """What is no conversation is answered as a simulated provider does."""
    operation = OPERATIONS.get(x.endpoint.name)
    if operation is None:
        raise Unsupported(f"There is no scripted answer to {x.endpoint.name}.")
    made = await operation(job_of(x, body, model, Behaviours(Simulation()).of(model), Shelf()))
    if isinstance(made, Whole):
        return Answer(200, [(b"content-type", made.content_type)], body=made.body)
    whole = b"".join((made.opening, *made.tokens, made.closing))
    return Answer(200, [(b"content-type", b"text/event-stream")], chunks=_flow(whole, cut=does.cut), is_sse=True)


def _tokens(body: bytes) -> int:
    """About so many."""
    return len(body) // _BYTES_OF_A_TOKEN + 1
