"""Writes a request for a provider that speaks generateContent."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from proxy.chat import Chat, Format, Losses, Tool
from proxy.dialects.dialect import Aim
from proxy.dialects.gemini.content import Contents
from proxy.dialects.gemini.models import is_current, write_thinking
from proxy.dialects.gemini.wire import NAME
from proxy.dialects.json_schema import GEMINI_JSON, lower
from proxy.dialects.reading import wrong

# A quirk: Google Cloud counts the tokens of a request as it is, the developer API wants it wrapped.
COUNTS_PLAIN = "counts_plain"

_MAX_STOPS = 5
_MAX_SEED = 0x7FFF_FFFF
_MOST_LOGPROBS = 20
_TIERS = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}
_FREE_TEXT: dict[str, Any] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_MAX_LABELS = 64


def write_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body that asks for an answer.

    Raises:
        BadRequest: the conversation cannot be said in this format.
    """
    return msgspec.json.encode(_ask(chat, aim, losses))


def write_count_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body that asks for the number of its tokens."""
    asked = _ask(chat, aim, losses)
    asked.pop("serviceTier", None)
    asked.pop("labels", None)
    if COUNTS_PLAIN in aim.quirks:
        asked.pop("toolConfig", None)
        return msgspec.json.encode(asked)
    name = aim.model if "/" in aim.model else f"models/{aim.model}"
    return msgspec.json.encode({"generateContentRequest": {"model": name, **asked}})


def _ask(chat: Chat, aim: Aim, losses: Losses) -> dict[str, Any]:
    contents = Contents(aim.model, losses)
    contents.write(chat)
    body: dict[str, Any] = {"contents": contents.contents}
    if contents.system:
        body["systemInstruction"] = {"parts": contents.system}
    if chat.tools:
        _add_tools(chat, body, losses)
    config = _config(chat, aim, losses)
    if config:
        body["generationConfig"] = config
    if chat.metadata:
        labels = _labels(chat.metadata, losses)
        if labels:
            body["labels"] = labels
    if chat.service_tier is not None and chat.service_tier != "auto":
        tier = _TIERS.get(chat.service_tier)
        if tier is None:
            losses.add("service_tier")
        elif tier != "standard":
            body["serviceTier"] = tier
    return body


def _add_tools(chat: Chat, body: dict[str, Any], losses: Losses) -> None:
    functions: list[dict[str, Any]] = []
    tools: list[dict[str, Any]] = []
    for at, tool in enumerate(chat.tools):
        if tool.foreign is None:
            functions.append(_function(tool, at, losses))
        elif tool.foreign == NAME and isinstance(tool.value, dict):
            tools.append(tool.value)
        else:
            losses.add(f"tools[{at}]")
    if functions:
        tools.insert(0, {"functionDeclarations": functions})
    if tools:
        body["tools"] = tools
    calling = _calling(chat) if functions else None
    if calling is not None:
        body["toolConfig"] = {"functionCallingConfig": calling}


def _function(tool: Tool, at: int, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.custom:
        written["parametersJsonSchema"] = _FREE_TEXT
        if tool.format is not None:
            losses.add(f"tools[{at}].format")
    elif isinstance(tool.parameters, dict) and (tool.parameters.get("properties") or len(tool.parameters) > 2):
        written["parametersJsonSchema"] = lower(tool.parameters, GEMINI_JSON, f"tools[{at}].parameters", losses)
    return written


def _calling(chat: Chat) -> dict[str, Any] | None:
    """``functionCallingConfig``. Calls are held to their schemas in the mode VALIDATED, where calls may be made, and
    always in the mode ANY, where they must."""
    choice = chat.tool_choice
    mode = "auto" if choice is None else choice.mode
    if mode == "none":
        return {"mode": "NONE"}
    allowed = list(choice.allowed) if choice is not None else []
    if mode == "tool" and choice is not None:
        known = any(tool.name == choice.name for tool in chat.tools)
        if choice.name is None or not known:
            raise wrong("tool_choice", f"names a tool {choice.name!r} that is not among `tools`")
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    if mode == "required":
        return {"mode": "ANY", "allowedFunctionNames": allowed} if allowed else {"mode": "ANY"}
    if allowed:
        return {"mode": "VALIDATED", "allowedFunctionNames": allowed}
    if any(tool.strict for tool in chat.tools):
        return {"mode": "VALIDATED"}
    return None if choice is None else {"mode": "AUTO"}


_PLAIN = (
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("n", "candidateCount"),
    ("max_tokens", "maxOutputTokens"),
    ("presence_penalty", "presencePenalty"),
    ("frequency_penalty", "frequencyPenalty"),
)


def _config(chat: Chat, aim: Aim, losses: Losses) -> dict[str, Any]:
    config: dict[str, Any] = {name: value for member, name in _PLAIN if (value := getattr(chat, member)) is not None}
    if chat.seed is not None:
        config["seed"] = chat.seed & _MAX_SEED  # 32 bits there
    if chat.stop:
        stops = [stop for stop in chat.stop if stop]
        if len(stops) > _MAX_STOPS:
            losses.add("stop")
        if stops:
            config["stopSequences"] = stops[:_MAX_STOPS]
    if chat.logprobs:
        config["responseLogprobs"] = True
        if chat.top_logprobs:
            config["logprobs"] = min(chat.top_logprobs, _MOST_LOGPROBS)
    if chat.modalities:
        config["responseModalities"] = [one.upper() for one in chat.modalities]
    if chat.format is not None:
        _add_format(chat.format, chat, aim, config, losses)
    if chat.thinking is not None and aim.capabilities.thinking in ("budget", "level"):
        thinking = write_thinking(chat.thinking, aim, losses)
        if thinking:
            config["thinkingConfig"] = thinking
    return config


def _add_format(shape: Format, chat: Chat, aim: Aim, config: dict[str, Any], losses: Losses) -> None:
    if chat.tools and not is_current(aim.model):
        losses.add("format")  # these models take tools or a shape, not both
        return
    config["responseMimeType"] = "application/json"
    if shape.kind == "json_schema" and isinstance(shape.schema, dict):
        config["responseJsonSchema"] = lower(shape.schema, GEMINI_JSON, "format.schema", losses)


def _labels(metadata: dict[str, str], losses: Losses) -> dict[str, str]:
    """Metadata that can be labels: few, short, and in lower case."""
    labels: dict[str, str] = {}
    for name, value in metadata.items():
        if len(labels) < _MAX_LABELS and _LABEL.fullmatch(name) and _LABEL_VALUE.fullmatch(value):
            labels[name] = value
        else:
            losses.add(f"metadata.{name[:64]}")
    return labels
