"""One `Idempotency-Key`, one request to a provider, one charge, one answer: for retries of clients that lost theirs."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Self

from proxy.exchange import Exchange, Reply
from proxy.idempotency import Claim, Found, Replay, Unavailable
from proxy.kept import aside
from proxy.policy import Answer, CompileContext, Config, Policy
from proxy.units import Duration, Size

HEADER = b"idempotency-key"
REPLAYED = (b"idempotent-replayed", b"true")
_KEY = re.compile(rb"[\x20-\x7e]{1,255}")
_EFFECTLESS = frozenset({"GET", "HEAD", "OPTIONS", "WEBSOCKET"})
_GRACE = 60.0  # seconds for which a claim is known beyond the deadline of its request
_ASIDE = 1 << 20  # bytes from which on hashing would hold up others
_SOON = ((b"retry-after", b"1"),)
_TOLD = {
    "started": (409, "idempotency_in_progress", "A request with this Idempotency-Key is being answered; try again."),
    "unknown": (
        409,
        "idempotency_unknown",
        "A request with this Idempotency-Key was interrupted, and it is not known whether it was charged. "
        "Send a new key to make it again.",
    ),
    "too_large": (
        409,
        "idempotency_answer_too_large",
        "This request was answered before, and the answer is too large to be kept. Send a new key to make it again.",
    ),
}
_INVALID = "Send one Idempotency-Key of 1 to 255 printable ASCII characters."
_REUSED = "This Idempotency-Key was used for another request: method, path, query and body must be the same."


class IdempotencyConfig(Config, frozen=True):
    """See ``schemas/policies/idempotency.json``."""

    ttl: Duration = Duration(86_400)
    max_body: Size = Size(1 << 20)
    wait: Duration = Duration(60)
    required: bool = False


class Idempotency(Policy):
    """Stands behind `authenticate`, as a key is its caller's own, and before `quota`, as a replay costs nothing."""

    __slots__ = ("_config", "_known", "_slot")

    Config = IdempotencyConfig

    def __init__(self, config: IdempotencyConfig, context: CompileContext) -> None:
        self._config = config
        self._known = context.idempotency()
        self._slot = context.slot()

    @classmethod
    def compile(cls, config: IdempotencyConfig, context: CompileContext) -> Self:
        return cls(config, context)

    async def on_request(self, x: Exchange) -> Reply | None:
        if x.method in _EFFECTLESS or "job" in x.notes:  # a job has been accepted once, and is run as often as it needs
            return None
        given = {value for name, value in x.headers if name == HEADER}
        if not given and not self._config.required:
            return None
        if len(given) != 1 or _KEY.fullmatch(key := given.pop()) is None:
            return self._refuse(x, 400, "invalid_idempotency_key", _INVALID)
        fingerprint = await _fingerprint(x)
        left = x.deadline - time.monotonic()
        lifetime = max(float(self._config.ttl), left + _GRACE)
        since = time.monotonic()
        try:
            found = await self._known.begin(_scoped(x, key), fingerprint, lifetime, min(self._config.wait, left))
        except Unavailable as error:
            x.notes["idempotency"] = str(error)
            message = "It cannot be told now whether this request was made before; it was not made. Try again."
            return x.refuse(503, "idempotency_unavailable", message, headers=_SOON)
        finally:
            x.upstream_wait += time.monotonic() - since  # no time of the gateway's own
        if isinstance(found, Claim):
            x.state[self._slot] = found
            x.notes["idempotency"] = "first"
            return None
        return self._again(x, found, fingerprint)

    def _again(self, x: Exchange, found: Found, fingerprint: bytes) -> Reply:
        """For who is not the first."""
        if found.fingerprint != fingerprint:
            return self._refuse(x, 422, "idempotency_key_reused", _REUSED)
        replay = found.replay
        if found.state == "kept" and replay is not None:
            x.notes["idempotency"] = "replayed"
            return Reply(replay.status, replay.body, (*replay.headers, REPLAYED))
        status, code, message = _TOLD[found.state]
        reply = x.refuse(status, code, message, headers=_SOON if found.state == "started" else ())
        x.notes["idempotency"] = code
        return reply

    def _refuse(self, x: Exchange, status: int, code: str, message: str) -> Reply:
        x.notes["idempotency"] = code
        return x.refuse(status, code, message, param="Idempotency-Key")

    async def on_response(self, x: Exchange, answer: Answer) -> None:
        claim: Claim | None = x.state[self._slot]
        if claim is None or not _is_final(x, answer):
            return
        if answer.body is not None:
            replay = _replay(answer, answer.body) if len(answer.body) <= self._config.max_body else None
            await _keep(x, claim, replay)
        elif answer.chunks is not None:
            answer.chunks = _Passing(x, claim, answer, answer.chunks, self._config.max_body)

    def on_close(self, x: Exchange) -> None:
        claim: Claim | None = x.state[self._slot]
        if claim is not None:
            claim.release()

    def explain(self, x: Exchange) -> str:
        said = "one request to a provider for each Idempotency-Key" if x.header(HEADER) else "no key: passes"
        return f"{said}; answers are kept for {self._config.ttl / 3600:g} h"


class _Passing:
    """An answer on its way. It is kept before its end is handed on: who has all of it finds it again."""

    __slots__ = ("_answer", "_chunks", "_claim", "_end", "_failed", "_kept", "_left", "_parts", "_x")

    def __init__(self, x: Exchange, claim: Claim, answer: Answer, chunks: AsyncIterator[bytes], max_body: int) -> None:
        self._x = x
        self._claim = claim
        self._answer = answer
        self._chunks = chunks
        self._end = _end_mark(x) if answer.is_sse else None
        self._parts: list[bytes] = []
        self._left = max_body
        self._kept = -1  # parts that were there when it was kept
        self._failed = answer.told_failure or _has_not

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            await self._keep()
            raise
        self._left -= len(chunk)
        self._parts.append(chunk)
        if self._left < 0:
            self._parts.clear()
        if self._end is not None and self._end.search(chunk) is not None:
            await self._keep()
        return chunk

    async def _keep(self) -> None:
        if self._failed() or self._kept == len(self._parts):
            return
        self._kept = len(self._parts)
        await _keep(self._x, self._claim, None if self._left < 0 else _replay(self._answer, b"".join(self._parts)))


async def _keep(x: Exchange, claim: Claim, replay: Replay | None) -> None:
    """The caller gets an answer that was paid for, also if the next one cannot have it."""
    try:
        await claim.keep(replay)
    except Unavailable as error:
        x.notes["idempotency"] = f"not kept: {error}"


def _has_not() -> bool:
    return False


def _is_final(x: Exchange, answer: Answer) -> bool:
    """Whether the same request would be answered like this again. A refusal of the gateway's own has cost nothing, and
    its reason may pass."""
    if answer.status >= 500 or answer.status == 429 or answer.socket is not None:
        return False
    return bool(x.attempts) or answer.status < 400


def _replay(answer: Answer, body: bytes) -> Replay:
    """What is told again: the content and what says how to read it."""
    headers = [
        header for header in answer.headers if header[0].startswith(b"content-") and header[0] != b"content-length"
    ]
    return Replay(answer.status, headers, body)


def _end_mark(x: Exchange) -> re.Pattern[bytes] | None:
    """A line with which the stream has told all; None where only its end says so."""
    ends = () if x.endpoint is None else x.endpoint.ends
    marks = (re.escape(name) + rb": ?" + re.escape(value) for name, value in ends)
    return re.compile(rb"(?:^|[\r\n])(?:" + rb"|".join(marks) + rb")") if ends else None


def _scoped(x: Exchange, key: bytes) -> bytes:
    """The key as its caller's own, on this path. Hashed: nobody is to learn keys of callers from the store."""
    who = x.identity
    scope = (b"route", x.route.encode())
    if who is not None:
        scope = (b"caller", "\0".join((who.organisation, who.team, who.key)).encode())
    return _digest(*scope, x.path.encode(), key)


async def _fingerprint(x: Exchange) -> bytes:
    """What must be the same in a request that comes again. A long body is hashed in a thread."""
    parts = (x.method.encode(), x.path.encode(), x.query, x.body)
    return await aside(_digest, *parts) if len(x.body) > _ASIDE else _digest(*parts)


def _digest(*parts: bytes) -> bytes:
    found = sha256()
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.digest()
