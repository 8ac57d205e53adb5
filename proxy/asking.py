"""A question of the gateway's own to a model: one short text, one short answer, through the same tree of targets.

So are the vectors of a text asked for, where a provider makes them.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec

from proxy.dialects.endpoint import Endpoint
from proxy.dialects.paths import EXACT
from proxy.errors import UpstreamError
from proxy.exchange import Exchange
from proxy.policy import Answer, Target
from proxy.translated import whole

_CHAT, _EMBEDDINGS = EXACT["POST", "/v1/chat/completions"], EXACT["POST", "/v1/embeddings"]
_MOST_TOKENS = 16  # of the answer
_LARGEST = 64 << 10  # bytes of an answer that is read
_LARGEST_VECTOR = 1 << 20


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class _Vector(msgspec.Struct):
    embedding: list[float]


class _Vectors(msgspec.Struct):
    data: list[_Vector]


_READ_VECTORS = msgspec.json.Decoder(_Vectors)
_READ = msgspec.json.Decoder(_Completion)


async def ask(target: Target, x: Exchange, prompt: str, patience: float) -> str | None:
    """The answer of ``target`` to ``prompt``, on behalf of ``x``; None if it gave none in ``patience`` seconds.

    The attempts are noted among those of ``x``: they were made for it.
    """
    message = {"role": "user", "content": prompt}
    body = {"model": x.model, "messages": [message], "max_tokens": _MOST_TOKENS}
    found = await _fetch(target, x, _exchange(x, _CHAT, body, patience), patience)
    return None if found is None or len(found) > _LARGEST else _text(found)


async def embed(target: Target, x: Exchange, text: str, patience: float) -> list[float] | None:
    """The vector that ``target`` makes of ``text``, on behalf of ``x``; None if none came in ``patience`` seconds."""
    found = await _fetch(target, x, _exchange(x, _EMBEDDINGS, {"model": x.model, "input": text}, patience), patience)
    if found is None or len(found) > _LARGEST_VECTOR:
        return None
    try:
        data = _READ_VECTORS.decode(found).data
    except (msgspec.MsgspecError, ValueError):
        return None
    return data[0].embedding if data else None


async def _fetch(target: Target, x: Exchange, inner: Exchange, patience: float) -> bytes | None:
    """The body of a good answer."""
    answer: Answer | None = None
    try:
        async with asyncio.timeout(patience):
            answer = await target.send(inner)
            if answer.status != 200:
                return None
            if answer.body is not None:
                return answer.body
            return b"" if answer.chunks is None else await whole(answer.chunks)
    except (UpstreamError, TimeoutError):
        return None
    finally:
        if answer is not None:
            answer.discard() if answer.body is None else _end(answer)
        x.attempts += inner.attempts
        x.upstream_wait += inner.upstream_wait


def _end(answer: Answer) -> None:
    if answer.attempt is not None:
        answer.attempt.end()


def _exchange(x: Exchange, endpoint: Endpoint, body: dict[str, Any], patience: float) -> Exchange:
    started = time.monotonic()
    path = "/v1/embeddings" if endpoint is _EMBEDDINGS else "/v1/chat/completions"
    inner = Exchange(x.request_id, "POST", path, b"", [], started, len(x.state))
    inner.endpoint = endpoint
    inner.model = x.model
    inner.body = msgspec.json.encode(body)
    inner.forward = [(b"content-type", b"application/json")]
    inner.identity, inner.tags, inner.route, inner.generation = x.identity, x.tags, x.route, x.generation
    inner.deadline = min(x.deadline, started + patience)
    return inner


def _text(body: bytes) -> str | None:
    if len(body) > _LARGEST:
        return None
    try:
        choices = _READ.decode(body).choices
    except (msgspec.MsgspecError, ValueError):
        return None
    return choices[0].message.content if choices else None
