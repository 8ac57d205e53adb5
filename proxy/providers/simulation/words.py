"""What a simulated model says to a request for text, before any format."""

from __future__ import annotations

import random

import msgspec

from proxy.providers.simulation.behaviour import MAX_TOKENS, Behaviour
from proxy.providers.simulation.request import Asked, digest_of, pieces_of, prompt_of, shorten
from proxy.providers.simulation.tools import ToolCall, calls_for, value_for

_MAX_CALLS = 16


class Words(msgspec.Struct, frozen=True):
    """Text in tokens, or tool calls; why it ended; what it cost. ``id`` is unique to the request's content."""

    id: str
    pieces: list[str]
    calls: list[ToolCall]
    finish: str  # stop | length | tool_calls
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def say(asked: Asked, body: bytes, model: str, behaviour: Behaviour) -> Words:
    """The answer to ``asked``: the same for the same bytes, model and seed."""
    digest = digest_of(body, behaviour.seed)
    message, prompt_tokens, after_tool = prompt_of(asked)
    said = digest_of(message.encode("utf-8", "surrogatepass"), behaviour.seed)  # the same whether streamed or not
    calls: list[ToolCall] = []
    if asked.tools and not after_tool:
        count = 1 if asked.parallel_tool_calls is False else min(behaviour.tool_count, _MAX_CALLS)
        count = min(count, behaviour.tool_count)
        calls = calls_for(asked.tools, asked.tool_choice, behaviour.tool_name, count, said)
    pieces: list[str]
    if calls:
        pieces, finish = [], "tool_calls"
        tokens = sum(len(pieces_of(call.arguments)) + 8 for call in calls)
    else:
        pieces, finish = _pieces(asked, behaviour, model, message, said)
        tokens = len(pieces)
    usage = behaviour.usage
    return Words(
        digest,
        pieces,
        calls,
        finish,
        prompt_tokens if usage.prompt_tokens is None else usage.prompt_tokens,
        tokens if usage.completion_tokens is None else usage.completion_tokens,
        usage.cached_tokens or 0,
        usage.reasoning_tokens or 0,
    )


def _pieces(asked: Asked, behaviour: Behaviour, model: str, message: str, digest: str) -> tuple[list[str], str]:
    text = _structured(asked, digest) or _text(behaviour.text, model, message)
    for stop in [asked.stop] if isinstance(asked.stop, str) else asked.stop or []:
        if stop:
            text = text.partition(stop)[0]
    pieces = pieces_of(text)[:MAX_TOKENS]
    if behaviour.tokens is not None:
        pieces = pieces or [" word"]
        pieces = (pieces * (behaviour.tokens // len(pieces) + 1))[: behaviour.tokens]
    limit = asked.max_completion_tokens or asked.max_tokens or asked.max_output_tokens
    if limit is not None and 0 < limit < len(pieces):
        return pieces[:limit], "length"
    return pieces, "stop"


def _text(template: str, model: str, message: str) -> str:
    if template == "echo":
        return message
    return template.replace("{model}", model).replace("{message}", shorten(message))


def _structured(asked: Asked, digest: str) -> str | None:
    """JSON, when the request demands it."""
    wanted = asked.response_format
    if wanted is None and isinstance(asked.text, dict):
        wanted = asked.text.get("format")
    if not isinstance(wanted, dict):
        return None
    if wanted.get("type") == "json_object":
        return '{"answer": "simulated"}'
    if wanted.get("type") != "json_schema":
        return None
    nested = wanted.get("json_schema", wanted)
    schema = nested.get("schema") if isinstance(nested, dict) else None
    chance = random.Random(digest)  # noqa: S311 # repeatable on purpose
    return msgspec.json.encode(value_for(schema or {}, chance)).decode()
