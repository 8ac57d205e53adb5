"""A question of the gateway's own to a model: one short text, one short answer, through the same tree of targets.

So are the vectors of a text asked for, where a provider makes them.
"""

from __future__ import annotations

import asyncio
import time

import msgspec

from proxy.dialects.endpoint import Endpoint
from proxy.dialects.paths import EXACT
from proxy.errors import UpstreamError
from proxy.exchange import Exchange
from proxy.policy import Answer, Target
from proxy.translation.translated import whole

_CHAT, _EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
# What no caller can ask: path → what stands behind it.
_OWN = {"/v1/guardrail": Endpoint("guardrail", "moderation", "json", "none", needs_model=False)}
MOST_TOKENS = 16  # of the answer
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


_READ = msgspec.json.Decoder(_Completion)
_READ_VECTORS = msgspec.json.Decoder(_Vectors)


async def ask(target: Target, x: Exchange, prompt: str, patience: float, most: int = MOST_TOKENS) -> str | None:
    """The answer of ``target`` to ``prompt``, on behalf of ``x``; None if it gave none in ``patience`` seconds.

    The attempts are noted among those of ``x``: they were made for it.
    """
    message = {"role": "user", "content": prompt}
    asked = {"model": x.model, "messages": [message], "max_tokens": most}
    body = await consult(target, x, _CHAT, msgspec.json.encode(asked), patience)
    return None if body is None else _text(body)


async def embed(target: Target, x: Exchange, text: str, patience: float) -> list[float] | None:
    """The vector that ``target`` makes of ``text``, on behalf of ``x``; None if none came in ``patience`` seconds."""
    asked = msgspec.json.encode({"model": x.model, "input": text})
    found = await consult(target, x, _EMBEDDINGS, asked, patience)
    if found is None or len(found) > _LARGEST_VECTOR:
        return None
    try:
        data = _READ_VECTORS.decode(found).data
    except (msgspec.MsgspecError, ValueError):
        return None
    return data[0].embedding if data else None


async def consult(target: Target, x: Exchange, path: str, body: bytes, patience: float) -> bytes | None:
    """What ``target`` answers to ``body`` at ``path`` of OpenAI's API (or ``/v1/guardrail``: a guardrail of AWS), on
    behalf of ``x``; None if that was no success, or none came in ``patience`` seconds."""
    inner = _exchange(x, path, body, patience)
    answer: Answer | None = None
    try:
        async with asyncio.timeout(patience):
            answer = await target.send(inner)
            if answer.status != 200:
                return None
            found = answer.body
            if found is None:
                found = b"" if answer.chunks is None else await whole(answer.chunks)
        return found
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


def _exchange(x: Exchange, path: str, body: bytes, patience: float) -> Exchange:
    started = time.monotonic()
    inner = Exchange(x.request_id, "POST", path, b"", [], started, len(x.state))
    inner.endpoint = _OWN.get(path) or EXACT["POST", path]
    inner.model = x.model
    inner.body = body
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
