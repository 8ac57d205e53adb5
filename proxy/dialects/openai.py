"""OpenAI's API as an inbound dialect: its paths, and how each is read. https://platform.openai.com/docs/api-reference"""

from __future__ import annotations

from proxy.dialects.endpoint import End, Endpoint
from proxy.errors import OPENAI, OPENAI_RESPONSES, Style

DONE: tuple[End, ...] = ((b"data", b"[DONE]"),)


def _typed(*kinds: bytes) -> tuple[End, ...]:
    """Ends of a stream of typed events, where the type stands in the event line, the JSON, or both."""
    lines: list[End] = []
    for kind in (*kinds, b"error"):
        lines.append((b"event", kind))
        lines.append((b"data", b'{"type":"%b"' % kind))
    return tuple(lines)


RESPONSE_ENDS = _typed(b"response.completed", b"response.incomplete", b"response.failed", b"response.cancelled")
_IMAGE_ENDS = _typed(b"image_generation.completed", b"image_edit.completed") + DONE
_SPEECH_ENDS = _typed(b"speech.audio.done") + DONE
_TRANSCRIPT_ENDS = _typed(b"transcript.text.done") + DONE


def _json(
    name: str,
    operation: str,
    *,
    answers_json: bool = True,
    ends: tuple[End, ...] = (),
    needs_model: bool = True,
    dialect: str | None = None,
    style: Style = OPENAI,
) -> Endpoint:
    return Endpoint(name, operation, "json", "json", answers_json, ends, needs_model, dialect, style)


def _form(
    name: str, operation: str, *, answers_json: bool = True, ends: tuple[End, ...] = (), needs_model: bool = True
) -> Endpoint:
    return Endpoint(name, operation, "multipart", "multipart", answers_json, ends, needs_model)


_FILES = Endpoint("files", "files", "raw", "none", answers_json=False)
_BATCHES = Endpoint("batches", "batches", "raw", "none")
_RESPONSES = Endpoint("responses.stored", "responses", "raw", "none", ends=RESPONSE_ENDS)
_STORED_CHAT = Endpoint("chat.completions.stored", "chat", "raw", "none")

# (method, path) → endpoint. A body is read as JSON or form where a model stands in it, else passed on unread.
EXACT: dict[tuple[str, str], Endpoint] = {
    ("POST", "/v1/chat/completions"): _json("chat.completions", "chat", ends=DONE, dialect="openai_chat"),
    ("GET", "/v1/chat/completions"): _STORED_CHAT,
    ("POST", "/v1/completions"): _json("completions", "text_completion", ends=DONE),
    ("POST", "/v1/embeddings"): _json("embeddings", "embeddings"),
    ("POST", "/v1/responses"): _json(
        "responses", "chat", ends=RESPONSE_ENDS, dialect="openai_responses", style=OPENAI_RESPONSES
    ),
    ("POST", "/v1/responses/input_tokens"): _json("responses.count", "count_tokens", dialect="openai_responses"),
    ("POST", "/v1/images/generations"): _json(
        "images.generations", "generate_content", ends=_IMAGE_ENDS, needs_model=False
    ),
    ("POST", "/v1/images/edits"): _form("images.edits", "generate_content", ends=_IMAGE_ENDS, needs_model=False),
    ("POST", "/v1/images/variations"): _form("images.variations", "generate_content", needs_model=False),
    ("POST", "/v1/audio/speech"): _json("audio.speech", "generate_content", answers_json=False, ends=_SPEECH_ENDS),
    ("POST", "/v1/audio/transcriptions"): _form(
        "audio.transcriptions", "generate_content", answers_json=False, ends=_TRANSCRIPT_ENDS
    ),
    ("POST", "/v1/audio/translations"): _form("audio.translations", "generate_content", answers_json=False),
    ("POST", "/v1/moderations"): _json("moderations", "moderation", needs_model=False),
    ("POST", "/v1/rerank"): _json("rerank", "rerank"),
    ("POST", "/v1/files"): _FILES,
    ("GET", "/v1/files"): _FILES,
    ("POST", "/v1/batches"): _BATCHES,
    # Not an HTTP method: a WebSocket's handshake carries no body and names its model in the query.
    ("WEBSOCKET", "/v1/realtime"): Endpoint("realtime", "realtime", "none", "query"),
    ("GET", "/v1/batches"): _BATCHES,
}

# Longest prefix first; anything may follow.
PREFIXES: tuple[tuple[str, frozenset[str], Endpoint], ...] = (
    ("/v1/chat/completions/", frozenset({"GET", "POST", "DELETE"}), _STORED_CHAT),
    ("/v1/responses/", frozenset({"GET", "POST", "DELETE"}), _RESPONSES),
    ("/v1/batches/", frozenset({"GET", "POST"}), _BATCHES),
    ("/v1/files/", frozenset({"GET", "DELETE"}), _FILES),
)
