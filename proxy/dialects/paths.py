"""Every path that an application may call, and what stands behind it."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from proxy.dialects import openai
from proxy.dialects.endpoint import End, Endpoint
from proxy.errors import ANTHROPIC, GEMINI, OPENAI, Style

MESSAGE_ENDS: tuple[End, ...] = (
    (b"event", b"message_stop"),
    (b"event", b"error"),
    (b"data", b'{"type":"message_stop"'),
    (b"data", b'{"type":"error"'),
)
MODELS = Endpoint("models", "models", "none", "none")
ANTHROPIC_MODELS = Endpoint("models", "models", "none", "none", style=ANTHROPIC)
GEMINI_MODELS = Endpoint("models", "models", "none", "none", style=GEMINI)

EXACT: dict[tuple[str, str], Endpoint] = openai.EXACT | {
    ("POST", "/v1/messages"): Endpoint(
        "messages", "chat", "json", "json", True, MESSAGE_ENDS, True, "anthropic_messages", ANTHROPIC
    ),
    ("POST", "/v1/messages/count_tokens"): Endpoint(
        "messages.count_tokens", "count_tokens", "json", "json", True, (), True, "anthropic_messages", ANTHROPIC
    ),
}
# Google's clients call either version of its API.
GEMINI_PREFIXES = ("/v1beta/models/", "/v1/models/")
PREFIXES: tuple[tuple[str, frozenset[str], Endpoint], ...] = openai.PREFIXES
PATHS = frozenset(path for _, path in EXACT) | {"/v1/models", "/v1beta/models"}
# What a route's `match.path` may begin with.
MATCHABLE = (*(prefix for prefix, *_ in PREFIXES), *GEMINI_PREFIXES)
_GEMINI = {
    "generateContent": Endpoint("generate_content", "chat", "json", "path", True, (), True, "gemini", GEMINI),
    "streamGenerateContent": Endpoint("generate_content", "chat", "json", "path", True, (), True, "gemini", GEMINI),
    "countTokens": Endpoint("count_tokens", "count_tokens", "json", "path", True, (), True, "gemini", GEMINI),
}
# What is called by a path that leads nowhere, by the style of its refusal.
UNKNOWN = {style.name: Endpoint("unknown", "", "none", "none", style=style) for style in (OPENAI, ANTHROPIC, GEMINI)}
# What may follow a prefix: ids and names of sub-resources, and nothing that a server could read as another path.
_REST = re.compile(r"[A-Za-z0-9_:~-][A-Za-z0-9_.:~-]*(/[A-Za-z0-9_:~-][A-Za-z0-9_.:~-]*)*")


class InPath(NamedTuple):
    """What a path of Gemini's API tells."""

    model: str
    stream: bool


def endpoint_for(method: str, path: str) -> Endpoint | None:
    """The endpoint of a request line, by the raw path (no decoding, no normalising). None: there is no such thing."""
    if found := EXACT.get((method, path)):
        return found
    if path.startswith(GEMINI_PREFIXES):
        return _GEMINI.get(path.rpartition(":")[2]) if method == "POST" else None
    for prefix, methods, endpoint in PREFIXES:
        if method in methods and path.startswith(prefix) and _REST.fullmatch(path, len(prefix)):
            return endpoint
    return None


def style_of(path: str) -> Style:
    """How an error looks to whoever calls ``path``, also where nothing more is known of the request."""
    if path.startswith("/v1/messages"):
        return ANTHROPIC
    return GEMINI if path.startswith("/v1beta/") or path.rpartition(":")[2] in _GEMINI else OPENAI


def read_path(path: str) -> InPath:
    """Model and stream of ``/v1beta/models/{model}:{verb}``; the model may be percent-encoded."""
    model, _, verb = path.partition("/models/")[2].rpartition(":")
    return InPath(unquote(model), verb == "streamGenerateContent")
