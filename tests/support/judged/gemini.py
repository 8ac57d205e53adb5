"""A request to generateContent, judged by the types of Google's client, which forbid what they do not know."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.genai import types
from pydantic import BaseModel

from tests.support.judged.request import Came, Did, Part, Request, Said, Shown, Thought, turns
from tests.upstream.dialects.table import place_of

_MEMBERS: dict[str, type[BaseModel]] = {
    "systemInstruction": types.Content,
    "toolConfig": types.ToolConfig,
    "generationConfig": types.GenerationConfig,
}
_LISTS: dict[str, type[BaseModel]] = {
    "contents": types.Content,
    "tools": types.Tool,
    "safetySettings": types.SafetySetting,
}
_CHOICES = {"AUTO": "auto", "ANY": "required", "NONE": "none"}


def judge(body: bytes, path: str) -> Request:
    """The request of these bytes, or the question for its tokens, which holds one."""
    found = json.loads(body)
    place = place_of(path)
    assert place is not None
    inner = found.get("generateContentRequest", found) if place.counts else found
    read = {name: _MEMBERS[name].model_validate(inner[name]) for name in inner if name in _MEMBERS}
    lists = {name: [_LISTS[name].model_validate(one) for one in inner[name]] for name in inner if name in _LISTS}
    unknown = inner.keys() - _MEMBERS.keys() - _LISTS.keys() - {"cachedContent", "labels", "serviceTier", "model"}
    assert not unknown, unknown
    config: Any = read.get("generationConfig") or types.GenerationConfig()
    system: Any = read.get("systemInstruction")
    declared = [one for tool in lists.get("tools", []) for one in tool.function_declarations or []]  # type: ignore[attr-defined]
    contents: Any = lists["contents"]
    thinking = config.thinking_config
    return Request(
        model=place.model or "",
        stream=bool(place.stream),
        system=[part.text for part in system.parts] if system else [],
        turns=turns([("assistant" if one.role == "model" else "user", _parts(one.parts)) for one in contents]),
        tools={one.name: one.parameters_json_schema or one.parameters for one in declared},
        descriptions={one.name: one.description or "" for one in declared},
        choice=_choice(read.get("toolConfig")),
        max_tokens=config.max_output_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        stop=config.stop_sequences or [],
        schema=config.response_json_schema or config.response_schema,
        thinks=(thinking.thinking_budget if thinking.thinking_budget is not None else thinking.thinking_level)
        if thinking
        else None,
    )


def _choice(config: Any) -> str | None:
    calling = config.function_calling_config if config else None
    if calling is None or calling.mode is None:
        return None
    names = calling.allowed_function_names or []
    return str(names[0]) if len(names) == 1 else _CHOICES[calling.mode.value]


def _encoded(data: bytes | None) -> str:
    return base64.b64encode(data or b"").decode()


def _parts(parts: list[types.Part] | None) -> list[Part]:
    found: list[Part] = []
    for part in parts or []:
        proof = _encoded(part.thought_signature)
        if part.function_call is not None:
            call = part.function_call
            found.append(Did(call.id or "", call.name or "", call.args or {}, proof))
        elif part.function_response is not None:
            found.append(_came(part.function_response))
        elif part.inline_data is not None:
            found.append(Shown(_encoded(part.inline_data.data), part.inline_data.mime_type or ""))
        elif part.file_data is not None:
            found.append(Shown(part.file_data.file_uri or ""))
        elif part.thought or proof:
            found.append(Thought(part.text or "", proof))
        else:
            assert part.text is not None
            found.append(Said(part.text))
    return found


def _came(answer: types.FunctionResponse) -> Came:
    fields = answer.response or {}
    words = fields.get("error", fields.get("output", fields.get("result", fields)))
    parts: list[Said | Shown] = [Said(words if isinstance(words, str) else json.dumps(words))]
    for one in answer.parts or []:
        if one.inline_data is not None:
            parts.append(Shown(_encoded(one.inline_data.data), one.inline_data.mime_type or ""))
    return Came(answer.id or "", parts, "error" in fields, answer.name or "")
