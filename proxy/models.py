"""The lists of models: the exact names that this caller may use, in the shape of whoever asks.

``/v1/models`` is OpenAI's path and Anthropic's and, in its stable version, Google's; their clients' headers tell them
apart. ``/v1beta/models`` is Google's alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from proxy.dialects.endpoint import Endpoint
from proxy.dialects.paths import ANTHROPIC_MODELS, GEMINI_MODELS, MODELS
from proxy.errors import BadRequest
from proxy.exchange import Exchange, Reply
from proxy.runtime import Runtime

_LISTS = ("/v1/models", "/v1beta/models")
_MAX_PAGE = 1000
_ANTHROPIC_PAGE = 20
_GEMINI_PAGE = 50
_SOME_TIME = "1970-01-01T00:00:00Z"  # as Anthropic documents it for "unknown"
_METHODS = ["generateContent", "countTokens"]

Shape = Callable[[str], dict[str, Any]]


def is_of_models(path: str) -> bool:
    """Whether ``path`` is a list of models or one of them."""
    return path.startswith(_LISTS) and (path in _LISTS or path.partition("/models")[2][:1] == "/")


def answer(runtime: Runtime, x: Exchange) -> Reply | None:
    """The list, or one model; None if the method is no one's. ``x.endpoint`` tells how this caller is answered.

    Raises:
        BadRequest: the page asked for makes no sense.
    """
    x.endpoint = _endpoint(x)
    if x.method != "GET":
        return None
    for _, step, _ in runtime.router.door(x.path):
        reply = step(x)
        if reply is not None:
            return reply
    found = dict.fromkeys(name for name, pipeline in runtime.router.model_names() if pipeline.admits_model(x, name))
    names = list(found)
    shape, page = _SHAPES[x.endpoint.style.name]
    if x.path in _LISTS:
        return Reply(200, msgspec.json.encode(page(names, _asked(x))))
    wanted = unquote(x.path.partition("/models/")[2])
    if wanted in found:
        return Reply(200, msgspec.json.encode(shape(wanted)))
    x.model = wanted
    return no_such_model(x)


def no_such_model(x: Exchange) -> Reply:
    """The refusal of a name that leads nowhere, or not for this caller: nobody can tell which."""
    message = f"The model {x.model[:200]!r} does not exist or is not open to this key."
    return x.refuse(404, "model_not_found", message, param="model")


def _endpoint(x: Exchange) -> Endpoint:
    if x.path.startswith("/v1beta/"):
        return GEMINI_MODELS
    if x.header(b"anthropic-version") is not None:
        return ANTHROPIC_MODELS
    return MODELS if x.header(b"x-goog-api-key") is None else GEMINI_MODELS


def _asked(x: Exchange) -> dict[str, str]:
    """The query, of a name given twice the last."""
    try:
        found = parse_qs(x.query.decode("latin-1"), max_num_fields=32)
    except ValueError:
        raise BadRequest("The query has too many fields.", code="invalid_request") from None
    return {name: values[-1] for name, values in found.items()}


def _openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "sluicegate"}


def _openai_page(names: list[str], asked: dict[str, str]) -> dict[str, Any]:
    return {"object": "list", "data": [_openai(name) for name in names]}


def _anthropic(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": _SOME_TIME, "lifecycle": "active"}


def _anthropic_page(names: list[str], asked: dict[str, str]) -> dict[str, Any]:
    """A page after one model, or before one."""
    size = _size(asked, "limit", _ANTHROPIC_PAGE)
    if "before_id" in asked:
        names = names[: _place(names, asked, "before_id")]
        page = names[-size:]
    else:
        names = names[_place(names, asked, "after_id") + 1 :] if "after_id" in asked else names
        page = names[:size]
    first, last = (page[0], page[-1]) if page else (None, None)
    data = [_anthropic(name) for name in page]
    return {"data": data, "has_more": len(page) < len(names), "first_id": first, "last_id": last}


def _gemini(name: str) -> dict[str, Any]:
    full = {"name": f"models/{name}", "baseModelId": name, "version": "1", "displayName": name}
    return {**full, "supportedGenerationMethods": _METHODS}


def _gemini_page(names: list[str], asked: dict[str, str]) -> dict[str, Any]:
    """A page; its token is the name of its last model."""
    size = _size(asked, "pageSize", _GEMINI_PAGE)
    if asked.get("pageToken"):
        names = names[_place(names, asked, "pageToken") + 1 :]
    page = names[:size]
    found: dict[str, Any] = {"models": [_gemini(name) for name in page]}
    return found if len(page) == len(names) else {**found, "nextPageToken": page[-1]}


def _size(asked: dict[str, str], field: str, usual: int) -> int:
    text = asked.get(field, "")
    if not text or (text == "0" and field == "pageSize"):  # Google's clients write 0 for "as you like"
        return usual
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise BadRequest(
            f"`{field}` must be a whole number from 1 to {_MAX_PAGE}.", code="invalid_request", param=field
        )
    return min(int(text), _MAX_PAGE)


def _place(names: list[str], asked: dict[str, str], field: str) -> int:
    try:
        return names.index(asked[field])
    except ValueError:
        text = f"`{field}` names no model of this list."
        raise BadRequest(text, code="invalid_request", param=field) from None


_SHAPES: dict[str, tuple[Shape, Callable[[list[str], dict[str, str]], dict[str, Any]]]] = {
    MODELS.style.name: (_openai, _openai_page),
    ANTHROPIC_MODELS.style.name: (_anthropic, _anthropic_page),
    GEMINI_MODELS.style.name: (_gemini, _gemini_page),
}
