"""What the gateway would do with a request, found by doing it up to the point of sending."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from proxy.errors import GatewayError, Header
from proxy.exchange import Exchange, Reply
from proxy.inbound import admit
from proxy.pipeline import failure
from proxy.policy import Choice
from proxy.runtime import Runtime


class Explanation(msgspec.Struct):
    """Everything that decided. ``refusal`` is None when the request would go upstream; ``body`` is what the first
    choice would be sent, None where nothing would be; ``dropped`` what that could not say."""

    generation: int
    method: str
    path: str
    model: str
    stream: bool
    route: str | None
    policies: list[tuple[str, str]]
    target: Choice | None
    forwarded_headers: list[str]
    body: str | None
    dropped: tuple[str, ...]
    refusal: dict[str, Any] | None


async def explain(
    runtime: Runtime, method: str, target: str, headers: list[Header], body: bytes, *, proof: bytes | None = None
) -> Explanation:
    """Explain one request against ``runtime``; ``target`` is the path with its query. Nothing is sent. ``proof``: the
    SHA-256 of the caller's key, where the key itself is not at hand."""
    path, _, query = target.partition("?")
    x = Exchange("req_explain", method, path, query.encode(), headers, time.monotonic(), 0)
    x.generation, x.proof, x.explained = runtime.generation, proof, True

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    policies: list[tuple[str, str]] = []
    choice: Choice | None = None
    refusal: Reply | None
    try:
        found = await admit(runtime, x, receive)
        if isinstance(found, Reply):
            refusal = found
        else:
            policies, refusal, choice = await found.explain(x)
    except GatewayError as error:
        refusal = failure(x, error)
    leaf = first_leaf(choice)
    sent = None if leaf is None else leaf.body
    return Explanation(
        generation=runtime.generation,
        method=method,
        path=path,
        model=x.model,
        stream=x.stream,
        route=x.route or None,
        policies=policies,
        target=choice,
        forwarded_headers=sorted({name.decode("latin-1") for name, _ in x.forward}),
        body=None if sent is None else sent.decode("utf-8", "replace"),
        dropped=() if leaf is None else leaf.dropped,
        refusal=None if refusal is None else {"status": refusal.status, **msgspec.json.decode(refusal.body)},
    )


def first_leaf(choice: Choice | None) -> Choice | None:
    """The first chosen leaf that would be sent something."""
    if choice is None or not choice.chosen:
        return None
    if choice.body is not None:
        return choice
    for child in choice.children:
        if (found := first_leaf(child)) is not None:
            return found
    return None
