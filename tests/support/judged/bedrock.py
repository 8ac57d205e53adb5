"""A request to Converse, judged by botocore with AWS' description of the service."""

from __future__ import annotations

import json
from typing import Any

from botocore.validate import ParamValidator  # type: ignore[import-untyped]

from tests.support.heard.bedrock import model
from tests.support.judged.request import Came, Did, Hidden, Part, Request, Said, Shown, Thought, turns
from tests.upstream.dialects.table import place_of

_CHOICES = {"auto": "auto", "any": "required"}


def judge(body: bytes, path: str) -> Request:
    """The request of these bytes, or the question for its tokens, which holds one."""
    found = json.loads(body)
    place = place_of(path)
    assert place is not None
    operation = "CountTokens" if place.counts else "ConverseStream" if place.stream else "Converse"
    shape = model().operation_model(operation).input_shape
    report = ParamValidator().validate({**found, "modelId": place.model}, shape)
    assert not report.has_errors(), report.generate_report()
    inner = found["input"]["converse"] if place.counts else found
    config, tools = inner.get("inferenceConfig", {}), inner.get("toolConfig", {})
    roles = [one["role"] for one in inner["messages"]]
    assert roles == [("user", "assistant")[at % 2] for at in range(len(roles))], roles
    specs = [one["toolSpec"] for one in tools.get("tools", []) if "toolSpec" in one]
    choice = tools.get("toolChoice")
    extra = inner.get("additionalModelRequestFields") or {}
    thinking = extra.get("thinking") or extra.get("reasoning_config") or {}
    structure = inner.get("outputConfig", {}).get("textFormat", {}).get("structure", {})
    schema = structure.get("jsonSchema", {}).get("schema")
    word, what = next(iter(choice.items())) if choice else (None, {})
    return Request(
        model=place.model or "",
        stream=bool(place.stream),
        system=[one["text"] for one in inner.get("system", []) if "text" in one],
        turns=turns([(one["role"], _parts(one["content"])) for one in inner["messages"]]),
        tools={one["name"]: one["inputSchema"]["json"] for one in specs},
        descriptions={one["name"]: one.get("description", "") for one in specs},
        choice=(_CHOICES.get(word) or what["name"]) if word else None,
        max_tokens=config.get("maxTokens"),
        temperature=config.get("temperature"),
        top_p=config.get("topP"),
        stop=config.get("stopSequences") or [],
        schema=json.loads(schema) if schema else None,
        thinks=thinking.get("budget_tokens", thinking.get("type")) or inner.get("outputConfig", {}).get("effort"),
    )


def _shown(block: dict[str, Any]) -> Said | Shown:
    if "image" in block:
        image = block["image"]
        return Shown(image["source"]["bytes"], f"image/{image['format']}")
    if "json" in block:
        return Said(json.dumps(block["json"]))
    return Said(block["text"])


def _parts(content: list[dict[str, Any]]) -> list[Part]:
    parts: list[Part] = []
    for block in content:
        if "toolUse" in block:
            use = block["toolUse"]
            parts.append(Did(use["toolUseId"], use["name"], use["input"]))
        elif "toolResult" in block:
            came = block["toolResult"]
            inner = [_shown(one) for one in came["content"]]
            parts.append(Came(came["toolUseId"], inner, came.get("status") == "error"))
        elif "reasoningContent" in block:
            thought = block["reasoningContent"]
            text = thought.get("reasoningText")
            parts.append(
                Thought(text["text"], text.get("signature", "")) if text else Hidden(thought["redactedContent"])
            )
        elif "cachePoint" not in block:
            parts.append(_shown(block))
    return parts
