"""A request to the Responses API, judged by the types of OpenAI's client."""

from __future__ import annotations

import json
from typing import Any

from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming as Params

from tests.support.judged.conforms import complaints
from tests.support.judged.request import Came, Did, Hidden, Part, Request, Said, Shown, Thought, picture, turns


def judge(body: bytes, path: str) -> Request:
    """The request of these bytes; the question for its tokens has some of its members."""
    found = json.loads(body)
    items: Any = found.get("input")
    # A thought that is proved by its encrypted content needs no id, whatever the types say: OpenAI's Codex sends none.
    nameless = isinstance(items, list) and [{"id": "rs", **one} if "encrypted_content" in one else one for one in items]
    wrong = complaints({**found, "input": nameless or items}, Params, allowed=frozenset({"stream"}))
    assert not wrong, wrong
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    system = [found["instructions"]] if found.get("instructions") else []
    operator = [one for one in items if one.get("role") in ("system", "developer")]
    system += [part.text for one in operator for part in _content(one["content"]) if isinstance(part, Said)]
    pairs = [_item(one) for one in items if one.get("role") not in ("system", "developer")]
    tools = [tool for tool in found.get("tools", []) if tool["type"] == "function"]
    choice = found.get("tool_choice")
    shape = found.get("text", {}).get("format", {})
    return Request(
        model=found["model"],
        stream=found.get("stream", False),
        system=system,
        turns=turns(pairs),
        tools={one["name"]: one.get("parameters") for one in tools},
        descriptions={one["name"]: one.get("description", "") for one in tools},
        choice=choice["name"] if isinstance(choice, dict) else choice,
        max_tokens=found.get("max_output_tokens"),
        temperature=found.get("temperature"),
        top_p=found.get("top_p"),
        schema=shape.get("schema"),
        thinks=(found.get("reasoning") or {}).get("effort"),
    )


def _content(content: Any) -> list[Said | Shown]:
    if isinstance(content, str):
        return [Said(content)]
    return [
        picture(part["image_url"]) if part["type"] == "input_image" else Said(part.get("text") or part.get("refusal"))
        for part in content
    ]


def _item(item: dict[str, Any]) -> tuple[str, list[Part]]:
    kind = item.get("type", "message")
    if kind == "function_call":
        return "assistant", [Did(item["call_id"], item["name"], json.loads(item["arguments"]))]
    if kind == "function_call_output":
        return "user", [Came(item["call_id"], _content(item["output"]))]
    if kind == "reasoning":
        text = "".join(one["text"] for one in [*item["summary"], *(item.get("content") or [])])
        sealed = item.get("encrypted_content") or ""
        return "assistant", [Thought(text, sealed) if text else Hidden(sealed)]
    return item["role"], [*_content(item["content"])]
