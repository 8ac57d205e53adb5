"""An account that is reached over HTTP: its connections, its keys, what it is sent and what its refusals mean."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from yarl import URL

from proxy.choosing.health import QUOTA_REST
from proxy.dialects.endpoint import End
from proxy.errors import BadCredential, Header, RateLimited, Rejected, Unsupported, UpstreamError
from proxy.exchange import Attempt, Exchange
from proxy.policy import Answer, Timeouts
from proxy.providers.keys import DEFAULT_REST, KeyHealth, KeyRing
from proxy.providers.meaning import failure_of
from proxy.providers.provider import Provider, ProviderContext
from proxy.translation.attempt import Turn, prepare
from proxy.units import Secret
from proxy.upstream import KEEP_ALIVE, KEEP_ALIVE_TLS, Upstream

# Never sent on, whoever let them through: credentials, cookies, and what belongs to the client's connection.
_NEVER = frozenset(
    {
        b"accept-encoding",
        b"api-key",
        b"authorization",
        b"connection",
        b"content-length",
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"sec-websocket-protocol",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"user-agent",
        b"x-api-key",
        b"x-goog-api-key",
    }
)
# What belongs to the dialect that the caller speaks, and means nothing to a provider that speaks another.
_OF_DIALECT = frozenset(
    {b"accept", b"anthropic-beta", b"anthropic-version", b"content-type", b"idempotency-key", b"openai-beta"}
)
_ANTHROPIC = frozenset({b"anthropic-beta", b"anthropic-version"})
_OURS = b"x-sluicegate-"
_SHORTEST_SECRET = 8  # characters; what is shorter stands in a sentence by chance
_JSON_BODY: Header = (b"content-type", b"application/json")
_AGENT: Header = (b"user-agent", b"sluicegate")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_SECRET_LENGTH = 6  # shorter ones would be found in any text
_KEY = re.compile(r"[\x21-\x7e]*")
# A browser's way to send a key over a WebSocket. It is a credential, not a protocol.
_KEY_PROTOCOL = "openai-insecure-api-key."


class Call(NamedTuple):
    """One request to an account, before its credentials. ``forward`` are the caller's headers that may go along."""

    method: str
    url: URL
    body: bytes
    forward: list[Header]
    ends: tuple[End, ...]
    expect_json: bool
    confirms: bool = False  # a conversation's stream: who reads it knows what content is


class Account(Provider):
    """A provider behind a base URL. Subclasses say what the address and the credential header look like.

    With several keys, a request that meets a limited one is sent again with the next: a 429 has done no work. Each such
    try is an attempt of its own on the exchange. Whether the account is asked at all is decided before (``Leaf``).
    """

    __slots__ = ("_constant", "_credentials", "_dropped", "_ring", "_secrets", "_upstream")

    # Whether ``sign`` has something to do. Most accounts prove themselves by a constant header.
    signs: ClassVar[bool] = False

    def __init__(
        self,
        name: str,
        keys: list[str],
        constant: list[Header],
        context: ProviderContext,
        pool: str,
        *,
        max_connections: int,
        speaks: tuple[str, ...] = ("openai_chat", "openai_responses"),
    ) -> None:
        super().__init__(name, speaks)
        self._secrets = [*(key.encode() for key in keys), *(value for _, value in constant)]
        self._credentials = [self.credential(key) for key in keys]
        self._constant = [_AGENT, *constant]
        self._dropped = _NEVER | {header for header, _ in constant}
        if "anthropic_messages" not in speaks:
            self._dropped |= _ANTHROPIC
        self._ring: KeyRing | None = None
        if len(keys) > 1:
            self._ring = KeyRing(keys, context.shared(f"keys {name}", KeyHealth))
        keep_alive = KEEP_ALIVE_TLS if pool.startswith("https:") else KEEP_ALIVE
        self._upstream = context.shared(
            f"upstream {name} {pool} {max_connections}",
            lambda: Upstream(max_connections=max_connections, keep_alive=keep_alive),
        )

    @abstractmethod
    def credential(self, key: str) -> Header:
        """The header that proves who we are."""

    def address(self, x: Exchange, model: str | None) -> URL:
        """Where to send ``x``, which is no conversation. ``BadRequest`` if its path or query cannot be passed on."""
        raise Unsupported(f"The provider {self.name!r} has no {x.endpoint.name}.")

    @abstractmethod
    def door(self, x: Exchange, turn: Turn, model: str) -> URL:
        """Where to send a conversation in the dialect ``turn.outbound``, or the question for its tokens."""

    async def sign(self, call: Call, headers: list[Header]) -> None:
        """Add to ``headers`` what can only be known of the whole request, or takes time to get."""

    async def send(self, x: Exchange, model: str | None, timeouts: Timeouts) -> Answer:
        """One answer below 400, or an ``UpstreamError``."""
        endpoint, name = x.endpoint, model or x.model
        if endpoint.dialect is None:
            body = self.outbound_body(x, model)
            call = Call(x.method, self.address(x, model), body, x.forward, endpoint.ends, endpoint.answers_json)
            return await self._dispatch(x, call, name, timeouts)
        turn = await prepare(x, model, self)
        forward = x.forward if turn.is_native else [header for header in x.forward if header[0] not in _OF_DIALECT]
        call = Call("POST", self.door(x, turn, name), turn.body, forward, turn.ends, turn.expects_json, turn.stream)
        try:
            answer = await self._dispatch(x, call, name, timeouts)
        except UpstreamError as error:
            raise turn.failure(error) from error.__cause__
        return await turn.receive(answer)

    async def probe(self, through: Upstream, path: str, within: float) -> int:
        """The status of a GET at ``path``, with the account's own headers and first credential."""
        url = URL(self._below() + path, encoded=True)
        headers = self._own_headers()
        if self.signs:
            await self.sign(Call("GET", url, b"", [], (), expect_json=False), headers)
        return await through.probe(url, headers, within=within)

    def _below(self) -> str:
        """Where the paths of the API begin."""
        return self.describe()

    def _own_headers(self) -> list[Header]:
        """What every request carries, whoever asks."""
        return [*self._constant, *self._credentials[:1]]

    async def _dispatch(self, x: Exchange, call: Call, model: str, timeouts: Timeouts) -> Answer:
        if self._ring is None:
            return await self._attempt(x, call, 0, timeouts)
        return await self._spread(self._ring, x, call, model, timeouts)

    async def _spread(self, ring: KeyRing, x: Exchange, call: Call, model: str, timeouts: Timeouts) -> Answer:
        """Try keys that may be used, each once at most."""
        failed: UpstreamError | None = None
        for _ in self._credentials:
            index = ring.pick(model)
            if index is None:
                break
            if failed is not None:
                self._note(x, failed)
            try:
                return await self._attempt(x, call, index, timeouts)
            except RateLimited as error:
                if error.is_quota:
                    ring.rest(index, "", QUOTA_REST)
                else:
                    ring.rest(index, model, error.retry_after or DEFAULT_REST)
                failed = error
            except BadCredential as error:
                ring.refuse(index)
                failed = error
        if ring.all_refused():
            raise BadCredential(f"The provider {self.name!r} refused every key of the gateway.")
        wait = ring.soonest(model)
        raise RateLimited(f"Every key for the provider {self.name!r} is limited.", retry_after=max(wait, 0.001))

    async def _attempt(self, x: Exchange, call: Call, index: int, timeouts: Timeouts) -> Answer:
        if x.attempts:
            x.attempts[-1].dispatch(x)
        headers = self._headers(x, call.forward, index)
        if x.endpoint.name == "realtime":
            return await self._open(x, call.url, headers, timeouts)
        if self.signs:
            await self.sign(call, headers)
        answer = await self._upstream.request(
            call.method,
            call.url,
            headers,
            call.body,
            timeouts=timeouts,
            ends=call.ends,
            expect_json=call.expect_json,
            deadline=x.deadline,
            confirms=call.confirms,
        )
        if answer.status < 400:
            return answer
        body = self._without_secrets(x, answer.body or b"")
        raise failure_of(answer.status, answer.headers, body, self.name, answer.told)

    async def _open(self, x: Exchange, url: URL, headers: list[Header], timeouts: Timeouts) -> Answer:
        """A WebSocket. A refused handshake means what the same status means elsewhere."""
        offered = (x.header(b"sec-websocket-protocol") or b"").decode("latin-1")
        protocols = [one.strip() for one in offered.split(",") if one.strip()]
        chosen = tuple(one for one in protocols if not one.startswith(_KEY_PROTOCOL))
        try:
            socket = await self._upstream.websocket(url, headers, timeouts=timeouts, protocols=chosen)
        except UpstreamError as error:
            if error.raw is None:
                raise
            if error.raw[0] in (401, 402, 403, 404, 429) or error.raw[0] >= 500:
                raise failure_of(error.raw[0], [], b"", self.name) from error
            raise Rejected(error.message, status=error.raw[0]) from error
        return Answer(101, [], socket=socket)

    def _headers(self, x: Exchange, forward: list[Header], index: int) -> list[Header]:
        dropped = self._dropped
        headers = [header for header in forward if header[0] not in dropped and not header[0].startswith(_OURS)]
        headers += self._constant
        if self._credentials:
            headers.append(self._credentials[index])
        if x.endpoint.body == "json" and not any(name == b"content-type" for name, _ in headers):
            headers.append(_JSON_BODY)
        return headers

    def secrets(self) -> Sequence[bytes]:
        """Its keys, and the headers of the file."""
        return [secret for secret in self._secrets if len(secret) >= _SECRET_LENGTH]

    def _without_secrets(self, x: Exchange, body: bytes) -> bytes:
        """A refusal that repeats our key, or a header of the file, does not reach the caller with it."""
        for secret in (*self._secrets, *x.secrets):
            if len(secret) >= _SECRET_LENGTH and secret in body:
                body = body.replace(secret, b"***")
        return body

    def _note(self, x: Exchange, error: UpstreamError) -> None:
        """Another attempt follows within this one: count the one that failed."""
        for at in range(len(x.attempts) - 1, -1, -1):
            current = x.attempts[at]
            if current.outcome == "open" and current.target.startswith(f"{self.name}/"):
                failed = Attempt(current.target, current.started)
                failed.outcome, failed.reason, failed.status = "error", error.meaning, error.http_status
                if current.charge is not None:
                    current.charge.settle("error", error.meaning)
                    failed.charge, current.charge = current.charge, None
                x.attempts.insert(at, failed)
                return


def all_keys(api_key: Secret | None, api_keys: Sequence[Secret], context: ProviderContext) -> list[str]:
    """The keys of an account, each once; empty ones (an unset variable with an empty default) are left out."""
    if api_key is not None and api_keys:
        context.fail("`api_key` and `api_keys` together; use one of them", "api_keys")
    given = [key.reveal().strip() for key in ([api_key] if api_key is not None else api_keys)]
    usable = [key for key in given if _KEY.fullmatch(key)]
    if len(usable) < len(given):
        context.fail("a key with characters that no header can carry", "api_keys" if api_key is None else "api_key")
    return list(dict.fromkeys(key for key in usable if key))


def constant_headers(headers: dict[str, str], context: ProviderContext) -> list[Header]:
    """Headers of the file as bytes. Those that frame a request are not the file's to set."""
    framing = {"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"}
    found: list[Header] = []
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in framing or name.lower().startswith(_OURS.decode()):
            context.fail(f"{name!r} is not a header that can be set here", f"headers.{name}")
        elif not _VALUE.fullmatch(value):
            context.fail("a header's value is one line of text", f"headers.{name}")
        else:
            found.append((name.lower().encode(), value.encode("latin-1")))
    return found
