"""A request for a chat completion, judged by the types of OpenAI's client."""

from __future__ import annotations

import json
from typing import Any

from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as Params

from tests.support.judged.conforms import complaints
from tests.support.judged.request import Came, Did, Hidden, Part, Request, Said, Shown, Thought, picture, turns

# What OpenAI's types do not know: words of services that show thoughts, Google's signature, and what answers have that
# applications send back as they came.
_BEYOND = frozenset({"stream", "reasoning_content", "reasoning_details", "extra_content", "annotations", "reasoning"})


def judge(body: bytes, path: str) -> Request:
    """The request of these bytes."""
    found = json.loads(body)
    # Tools that show pictures: no type of the client's, but what services that see take.
    checked = {**found, "messages": [one for one in found["messages"] if not _shows(one)]}
    wrong = complaints(checked, Params, allowed=_BEYOND)
    assert not wrong, wrong
    system = [text for one in found["messages"] if one["role"] in ("system", "developer") for text in _texts(one)]
    pairs = [(_role(one), _parts(one)) for one in found["messages"] if one["role"] not in ("system", "developer")]
    functions = [tool["function"] for tool in found.get("tools", [])]
    choice = found.get("tool_choice")
    shape = found.get("response_format") or {}
    return Request(
        model=found["model"],
        stream=found.get("stream", False),
        system=system,
        turns=turns(pairs),
        tools={one["name"]: one.get("parameters") for one in functions},
        descriptions={one["name"]: one.get("description", "") for one in functions},
        choice=choice["function"]["name"] if isinstance(choice, dict) else choice,
        max_tokens=found.get("max_completion_tokens", found.get("max_tokens")),
        temperature=found.get("temperature"),
        top_p=found.get("top_p"),
        stop=[found["stop"]] if isinstance(found.get("stop"), str) else found.get("stop") or [],
        schema=shape.get("json_schema", {}).get("schema"),
        thinks=found.get("reasoning_effort"),
    )


def _shows(message: dict[str, Any]) -> bool:
    content = message.get("content")
    return message["role"] == "tool" and isinstance(content, list) and any(one["type"] != "text" for one in content)


def _role(message: dict[str, Any]) -> str:
    return "user" if message["role"] == "tool" else str(message["role"])


def _texts(message: dict[str, Any]) -> list[str]:
    content = message["content"]
    return [content] if isinstance(content, str) else [part["text"] for part in content]


def _content(content: Any) -> list[Said | Shown]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Said(content)] if content else []
    return [
        picture(part["image_url"]["url"]) if part["type"] == "image_url" else Said(part.get("text", ""))
        for part in content
    ]


def _parts(message: dict[str, Any]) -> list[Part]:
    if message["role"] == "tool":
        return [Came(message["tool_call_id"], _content(message["content"]))]
    parts: list[Part] = []
    for one in message.get("reasoning_details") or []:
        hidden = one["type"] == "reasoning.encrypted"
        parts.append(Hidden(one["data"]) if hidden else Thought(one.get("text") or "", one.get("signature") or ""))
    if not parts and message.get("reasoning_content"):
        parts.append(Thought(message["reasoning_content"]))
    parts += _content(message.get("content"))
    for call in message.get("tool_calls") or []:
        proof = call.get("extra_content", {}).get("google", {}).get("thought_signature", "")
        function = call["function"]
        parts.append(Did(call["id"], function["name"], json.loads(function["arguments"]), proof))
    return parts
