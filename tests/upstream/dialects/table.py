"""Which dialect answers a path, and how its answers look on the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

from tests.upstream.dialects import anthropic_messages, bedrock, gemini, openai_chat, openai_responses
from tests.upstream.say import Asked, Say, Tokens

SSE = "text/event-stream; charset=utf-8"


class Renderer(NamedTuple):
    """Renders what is said: whole, or as events, which ``separator`` ends on the wire."""

    name: str
    whole: Callable[[Say, Asked], dict[str, Any]]
    stream: Callable[[Say, Asked], list[bytes]]
    counted: Callable[[Tokens], dict[str, Any]]
    content_type: str = SSE
    separator: bytes = b"\n\n"

    def body(self, say: Say, asked: Asked) -> bytes:
        """A whole answer as it travels."""
        return json.dumps(self.whole(say, asked), ensure_ascii=False).encode()

    def frames(self, say: Say, asked: Asked) -> list[bytes]:
        """A stream as it travels, event by event."""
        return [event + self.separator for event in self.stream(say, asked)]


def _responses_counted(tokens: Tokens) -> dict[str, Any]:
    return {"object": "response.input_tokens", "input_tokens": tokens.prompt}


RENDERERS: dict[str, Renderer] = {
    renderer.name: renderer
    for renderer in (
        Renderer("openai_chat", openai_chat.whole, openai_chat.stream, _responses_counted),
        Renderer("openai_responses", openai_responses.whole, openai_responses.stream, _responses_counted),
        Renderer("anthropic_messages", anthropic_messages.whole, anthropic_messages.stream, anthropic_messages.counted),
        Renderer("gemini", gemini.whole, gemini.stream, gemini.counted),
        Renderer(
            "bedrock",
            bedrock.whole,
            bedrock.stream,
            bedrock.counted,
            "application/vnd.amazon.eventstream",
            b"",
        ),
    )
}


class Place(NamedTuple):
    """What a path asks for. ``model`` is None where the body tells it, and so is ``stream``."""

    dialect: str
    counts: bool = False
    model: str | None = None
    stream: bool | None = None


_GEMINI = re.compile(r"/models/([^/]+):(generateContent|streamGenerateContent|countTokens)$")
_BEDROCK = re.compile(r"/model/([^/]+)/(converse|converse-stream|count-tokens)$")
_VERTEX = re.compile(r"/publishers/anthropic/models/([^/]+):(rawPredict|streamRawPredict)$")
_ENDINGS = {
    "/chat/completions": Place("openai_chat"),
    "/responses": Place("openai_responses"),
    "/responses/input_tokens": Place("openai_responses", counts=True),
    "/messages": Place("anthropic_messages"),
    "/messages/count_tokens": Place("anthropic_messages", counts=True),
}


def place_of(path: str) -> Place | None:
    """The operation of a path, whatever stands before it; None for everything that is no conversation."""
    if found := _GEMINI.search(path):
        verb = found[2]
        return Place("gemini", verb == "countTokens", unquote(found[1]), verb == "streamGenerateContent")
    if found := _VERTEX.search(path):
        model = unquote(found[1])
        return Place("anthropic_messages", model == "count-tokens", model, found[2] == "streamRawPredict")
    if found := _BEDROCK.search(path):
        return Place("bedrock", found[2] == "count-tokens", unquote(found[1]), found[2] == "converse-stream")
    return next((place for ending, place in _ENDINGS.items() if path.endswith(ending)), None)


def asked_of(place: Place, body: Any) -> Asked:
    """What of a request shows in the answer."""
    fields = body if isinstance(body, dict) else {}
    options = fields.get("stream_options")
    return Asked(
        model=place.model if place.model is not None else str(fields.get("model", "none")),
        stream=bool(fields.get("stream")) if place.stream is None else place.stream,
        include_usage=isinstance(options, dict) and bool(options.get("include_usage")),
    )
