"""One attempt at a conversation: what is sent to a provider, and how its answer comes back to the caller.

The same dialect on both sides is spliced: the caller's bytes but for the fields that have to change. Everything else
goes through the neutral form, and what gets lost on the way has a name.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Protocol

from msgspec.structs import replace

from proxy.chat import Chat, Completion, Losses
from proxy.conversations.earlier import PREFIX, Conversations, new_id
from proxy.dialects.dialect import Aim, Dialect
from proxy.dialects.endpoint import End
from proxy.dialects.fit import fit
from proxy.dialects.gemini.watch import Watch
from proxy.dialects.prelude import is_prelude
from proxy.dialects.prompt_cache import place
from proxy.dialects.resume import resume
from proxy.dialects.table import DIALECTS
from proxy.errors import Header, Unsupported, UpstreamError
from proxy.exchange import Exchange
from proxy.gather import events_of
from proxy.policy import Answer
from proxy.translation.translated import Translated, Watched, until_content, whole
from proxy.wire.flow import Flow

_OURS = b'"' + PREFIX.encode()
_THEIRS = (b'"previous_response_id"', b'"conversation"')  # what only the provider knows what it means
_LARGE = 512 << 10  # bytes of a request that is read and written off the loop


_NOTHING = Chat(model="", messages=[])  # until the request has been read


class Account(Protocol):
    """What a turn must know of a provider."""

    name: str
    speaks: tuple[str, ...]  # dialects; what the caller speaks is translated into the first if it is not among them

    def aim(self, model: str) -> Aim:
        """What a request to ``model`` is written for."""

    def passes(self, x: Exchange, model: str | None) -> bool:
        """Whether a provider who speaks the caller's dialect can be sent the caller's bytes."""

    def native_body(self, x: Exchange, model: str | None, losses: Losses) -> bytes:
        """The caller's bytes for this provider, who speaks the caller's dialect."""


class Turn:
    """What is sent: ``body`` in the dialect ``outbound``. ``is_native``: the caller's own bytes are."""

    __slots__ = (
        "body",
        "chat",
        "conversations",
        "counts",
        "dropped",
        "ends",
        "identity",
        "inbound",
        "is_native",
        "outbound",
        "scope",
        "stream",
        "told",
        "x",
    )

    def __init__(self, x: Exchange, inbound: Dialect, outbound: Dialect, *, is_native: bool) -> None:
        self.x = x
        self.inbound = inbound
        self.outbound = outbound
        self.is_native = is_native
        self.counts: bool = x.endpoint.operation == "count_tokens"
        self.stream = x.stream and not self.counts
        # The answer is read and written, even between equals: another may have to go on with it.
        self.told = x.keeps_events and self.stream and not (is_native and inbound.name == "openai_responses")
        # Answers of the Responses API are found again by an id of ours.
        self.identity = new_id() if inbound.name == "openai_responses" and not is_native else None
        self.conversations: Conversations | None = x.conversations
        self.scope = scope_of(x)
        self.body = b""
        self.dropped: tuple[str, ...] = ()
        self.chat: Chat = x.chat or x.read or _NOTHING
        self.ends: tuple[End, ...] = x.endpoint.ends if is_native else outbound.ends if self.stream else ()

    @property
    def expects_json(self) -> bool:
        """Whether the answer must be JSON. A stream need not: it may be of another framing, or told whole."""
        return self.is_native or not self.stream

    def failure(self, error: UpstreamError) -> UpstreamError:
        """The provider's own words reach only a caller who speaks its dialect."""
        if not self.is_native:
            error.raw = None
        return error

    async def receive(self, answer: Answer) -> Answer:
        """The provider's answer as the caller's.

        Raises:
            UpstreamError: it cannot be read, or failed before its first content. The connection is closed then.
        """
        answer.dropped = self.dropped
        try:
            if self.is_native and not (self.told and answer.is_sse):
                return await self._pass(answer)
            if self.stream and answer.body is None:
                return await self._flow(answer)
            body = answer.body
            if body is None and answer.chunks is not None:
                body = await whole(answer.chunks)
            return await self._whole(answer, body or b"")
        except BaseException:
            if answer.close is not None:
                answer.close()
            raise

    async def _pass(self, answer: Answer) -> Answer:
        if self.stream and isinstance(answer.chunks, Flow) and answer.is_sse:
            says_nothing = partial(is_prelude, self.outbound.name)
            await until_content(answer.chunks, self.outbound.frames(), self.outbound.reader(), says_nothing)
            if self.inbound.name == "gemini":
                watch = Watch()
                answer.chunks = Watched(answer.chunks, watch.see, watch.is_complete)
        return answer

    async def _whole(self, answer: Answer, body: bytes) -> Answer:
        chat = self.chat
        if self.counts:
            answer.body = self.inbound.write_count(self.outbound.read_count(body))
        else:
            completion = self.outbound.read_answer(body)
            if (charge := self._charge()) is not None:
                charge.told(completion)
            completion.id = self.identity or completion.id
            await self._keep(completion)
            if self.stream:
                answer.body = self.inbound.writer(chat).feed(events_of(completion))
            else:
                answer.body = self.inbound.write_answer(completion, chat)
        answer.headers = self._headers(answer)
        answer.chunks = None
        return answer

    async def _flow(self, answer: Answer) -> Answer:
        assert answer.chunks is not None
        translated = Translated(
            answer.chunks,
            self.outbound.frames(),
            self.outbound.reader(),
            self.inbound.writer(self.chat),
            identity=self.identity,
            keep=self._keep if self._keeps else None,
            chat=self.chat if self.told else None,
            charge=self._charge(),
        )
        await translated.begin()
        answer.translated = translated
        answer.chunks = translated
        answer.headers = self._headers(answer)
        answer.is_sse = True
        return answer

    def _charge(self) -> Any:
        """Of the request that was sent (``proxy.ledger.charge.OpenCharge``)."""
        return self.x.attempts[-1].charge if self.x.attempts else None

    @property
    def _keeps(self) -> bool:
        """Whether the caller's next request may refer to this answer, or will come back without its signatures."""
        if self.conversations is None:
            return False
        return self.inbound.name == "openai_chat" or (self.identity is not None and self.chat.store is not False)

    async def _keep(self, completion: Completion) -> None:
        conversations = self.conversations
        if conversations is None or not self._keeps:
            return
        if self.identity is not None:
            body = self.inbound.write_answer(completion, self.chat)
            await conversations.keep(self.scope, completion.id, self.chat, completion, body)
        else:
            await conversations.remember(self.scope, completion)

    def _headers(self, answer: Answer) -> list[Header]:
        """What tells of the provider's body is replaced; the rest stays."""
        kind = self.inbound.stream_type if self.stream else b"application/json"
        kept = [header for header in answer.headers if not header[0].startswith(b"content-")]
        return [(b"content-type", kind), *kept]


def scope_of(x: Exchange) -> str:
    """Whose conversations an exchange may refer to: those of its key; without identity those of all such callers."""
    who = x.identity
    return "" if who is None else f"{who.organisation}/{who.team}/{who.key}"


async def prepare(x: Exchange, model: str | None, account: Account) -> Turn:
    """The turn of an attempt at ``model`` (None: the caller's).

    Raises:
        BadRequest: what the caller sent makes no sense.
        Unsupported: the provider cannot be asked this, or only with losses on a route that refuses them.
    """
    turn = _begin(x, model, account)
    if turn.is_native:
        return _splice(turn, model, account)
    if x.chat is None:
        chat = await read_aside(x)
        if turn.conversations is not None:
            chat = await turn.conversations.expand(turn.scope, chat)
            if turn.inbound.name == "openai_chat":
                chat = await turn.conversations.remind(turn.scope, chat)
        x.chat = chat
    if len(x.body) > _LARGE:
        return await asyncio.to_thread(_write, turn, x.chat, model, account)
    return _write(turn, x.chat, model, account)


def preview(x: Exchange, model: str | None, account: Account) -> tuple[bytes, tuple[str, ...]]:
    """The body that would be sent and what it could not say, without looking up earlier requests."""
    turn = _begin(x, model, account)
    turn = _splice(turn, model, account) if turn.is_native else _write(turn, x.chat or read(x), model, account)
    return turn.body, turn.dropped


def _begin(x: Exchange, model: str | None, account: Account) -> Turn:
    """Decide between the caller's bytes and a translation, and into what."""
    inbound, speaks = DIALECTS[x.endpoint.dialect], account.speaks
    counts = x.endpoint.operation == "count_tokens"
    if inbound.name in speaks:
        # Only we know what an answer of ours was, so what goes on from it is written anew.
        is_ours = (inbound.name == "openai_responses" and _OURS in x.body) or inbound.is_ours(x.body)
        is_new = is_ours or x.begun is not None or (x.keeps_events and _gets_our_id(x, inbound))
        return Turn(x, inbound, inbound, is_native=not is_new and account.passes(x, model))
    outbound = next((name for name in speaks if not counts or DIALECTS[name].counts), None)
    if outbound is None:
        raise Unsupported(f"The provider {account.name!r} does not count tokens.")
    return Turn(x, inbound, DIALECTS[outbound], is_native=False)


def _gets_our_id(x: Exchange, inbound: Dialect) -> bool:
    """Whether the answer can have an id of ours, as one of several providers must."""
    return inbound.name == "openai_responses" and not any(name in x.body for name in _THEIRS)


def _splice(turn: Turn, model: str | None, account: Account) -> Turn:
    losses = Losses()
    turn.body = account.native_body(turn.x, model, losses)
    return _settle(turn, losses, account)


def read(x: Exchange) -> Chat:
    """The conversation as its caller sent it, read once.

    Raises:
        BadRequest: what was sent makes no sense.
    """
    if x.read is None:
        inbound = DIALECTS[x.endpoint.dialect]
        if x.endpoint.operation == "count_tokens":
            x.read = inbound.read_count_request(x.body, x.model)
        else:
            x.read = inbound.read_request(x.body, x.model, x.stream)
    return x.read


async def read_aside(x: Exchange) -> Chat:
    """The same, off the loop if it is long."""
    return await asyncio.to_thread(read, x) if len(x.body) > _LARGE else read(x)


def _write(turn: Turn, chat: Chat, model: str | None, account: Account) -> Turn:
    x, losses = turn.x, Losses()
    aim = account.aim(model or x.model)
    if turn.counts and not aim.capabilities.count_tokens:
        raise Unsupported(f"The provider {account.name!r} does not count tokens for {aim.model!r}.")
    if turn.identity is not None and chat.store and turn.conversations is not None:
        chat = replace(chat, store=None)  # it is kept here
    asked = chat if x.begun is None else resume(chat, x.begun, aim, turn.outbound.name)
    fitted = fit(asked, turn.outbound.lacks, aim.capabilities, losses)
    if x.prompt_cache is not None and aim.capabilities.prompt_cache == "marks":
        fitted = place(fitted, x.prompt_cache)
    write = turn.outbound.write_count_request if turn.counts else turn.outbound.write_request
    turn.body = write(fitted, aim, losses)
    turn.chat = chat
    return _settle(turn, losses, account)


def _settle(turn: Turn, losses: Losses, account: Account) -> Turn:
    """Losses are refused or named, as the route says."""
    if losses:
        names = tuple(losses.names)
        if turn.x.on_loss == "refuse":
            said = ", ".join(names)
            raise Unsupported(f"The provider {account.name!r} cannot be told: {said}. This route refuses such losses.")
        turn.dropped = names
    return turn
