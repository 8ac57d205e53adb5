"""Writes a request for a provider that speaks the Messages API."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Chat, Losses, Tool
from proxy.dialects.anthropic_messages.content import MediaWriter, Turns, write_cache
from proxy.dialects.anthropic_messages.media import write_media
from proxy.dialects.anthropic_messages.thought import plan, restrain
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL, NAME
from proxy.dialects.dialect import Aim
from proxy.dialects.json_schema import ANTHROPIC, ANTHROPIC_STRICT, lower

# A quirk of Google Cloud: the path names the model, the body the version of the API.
ON_VERTEX = "on_vertex"
VERTEX_VERSION = "vertex-2023-10-16"
_TIERS = {"auto": "auto", "priority": "auto", "default": "standard_only", "standard_only": "standard_only"}
_ANY_OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": True}
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}
_FREE_TEXT: dict[str, Any] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
_ANSWER_IN_SHAPE = "Give the final answer by calling this tool. Its input is the whole answer."
_ANSWER_IN_JSON = (
    "Give the final answer by calling this tool. Its input is the whole answer: one JSON object, with the members that "
    "the conversation asks for."
)


def write_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body that asks for an answer.

    Raises:
        BadRequest: the conversation cannot be said in this format.
    """
    body = ask(chat, aim, losses)
    if chat.stream:
        body["stream"] = True
    return msgspec.json.encode(body)


def write_count_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body that asks for the number of its tokens."""
    body = ask(chat, aim, losses)
    for name in ("max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "metadata", "service_tier"):
        body.pop(name, None)
    body["model"] = aim.model
    return msgspec.json.encode(body)


def ask(chat: Chat, aim: Aim, losses: Losses, media: MediaWriter = write_media) -> dict[str, Any]:
    """The body as a value; ``stream`` is not in it."""
    turns = Turns(losses, media)
    turns.write(chat, aim.quirks)
    by_tool = chat.format is not None and _needs_tool(chat, aim)
    planned = plan(chat, aim, turns.messages, losses, forced=by_tool)
    head = {"anthropic_version": VERTEX_VERSION} if ON_VERTEX in aim.quirks else {"model": aim.model}
    body: dict[str, Any] = {**head, "max_tokens": planned.max_tokens}
    if turns.system:
        body["system"] = turns.system
    body["messages"] = turns.messages
    _add_tools(chat, aim, turns, body, losses, by_tool=by_tool)
    if planned.thinking is not None:
        body["thinking"] = planned.thinking
    config: dict[str, Any] = {}
    if planned.effort is not None:
        config["effort"] = planned.effort
    if chat.format is not None and not by_tool:
        schema = lower(chat.format.schema, ANTHROPIC_STRICT, "format.schema", losses)
        config["format"] = {"type": "json_schema", "schema": schema}
    if config:
        body["output_config"] = config
    _add_rest(chat, body, losses)
    if planned.on:
        restrain(chat, body, losses)
    return body


def _needs_tool(chat: Chat, aim: Aim) -> bool:
    """Whether the shape of the answer can be had by a tool only."""
    if chat.format is None or chat.format.kind == "json_object":
        return True
    return not aim.capabilities.json_schema or not isinstance(chat.format.schema, dict)


def _add_tools(chat: Chat, aim: Aim, turns: Turns, body: dict[str, Any], losses: Losses, *, by_tool: bool) -> None:
    choice = chat.tool_choice
    allowed = choice.allowed if choice is not None else ()
    tools: list[dict[str, Any]] = []
    for at, tool in enumerate(chat.tools):
        if allowed and tool.name not in allowed:
            continue
        written = _tool(tool, at, aim, losses)
        if written is not None:
            tools.append(written)
    wanted = _choice(chat) if tools else None
    if by_tool and (wanted is None or wanted["type"] != "tool"):
        wanted = {"type": "any"} if tools and _may_call(chat) else {"type": "tool", "name": ANSWER_TOOL}
        if wanted["type"] == "any" and chat.parallel_tool_calls is False:
            wanted["disable_parallel_tool_use"] = True
        tools.append(_answer_tool(chat, losses))
    elif not tools and turns.called:
        # The API wants every tool described that was ever called.
        tools = [{"name": name, "input_schema": _ANY_OBJECT} for name in turns.called]
        wanted = {"type": "none"}
    if tools:
        body["tools"] = tools
        if wanted is not None:
            body["tool_choice"] = wanted


def _may_call(chat: Chat) -> bool:
    return chat.tool_choice is None or chat.tool_choice.mode != "none"


def _choice(chat: Chat) -> dict[str, Any] | None:
    """``tool_choice``; it holds the ban on parallel calls too, and is there for that alone if need be."""
    alone = chat.parallel_tool_calls is False
    choice = chat.tool_choice
    if choice is None:
        return {"type": "auto", "disable_parallel_tool_use": True} if alone else None
    if choice.mode == "none":
        return {"type": "none"}
    written: dict[str, Any] = {"type": "any" if choice.mode == "required" else choice.mode}
    if choice.mode == "tool":
        written["name"] = choice.name
    if alone:
        written["disable_parallel_tool_use"] = True
    return written


def _tool(tool: Tool, at: int, aim: Aim, losses: Losses) -> dict[str, Any] | None:
    if tool.foreign is not None:
        if tool.foreign == NAME and isinstance(tool.value, dict):
            return _marked(dict(tool.value), tool)
        losses.add(f"tools[{at}]")
        return None
    written: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.custom:
        written["input_schema"] = _FREE_TEXT
        if tool.format is not None:
            losses.add(f"tools[{at}].format")
        return _marked(written, tool)
    strict = bool(tool.strict) and aim.capabilities.json_schema
    rules = ANTHROPIC_STRICT if strict else ANTHROPIC
    written["input_schema"] = _parameters(lower(tool.parameters, rules, f"tools[{at}].parameters", losses))
    if strict:
        written["strict"] = True
    elif tool.strict:
        losses.add(f"tools[{at}].strict")
    return _marked(written, tool)


def _parameters(schema: Any) -> dict[str, Any]:
    """A schema of an object, as the API wants it."""
    if not isinstance(schema, dict) or not schema:
        return _NO_PARAMETERS
    return schema if schema.get("type") == "object" else {**schema, "type": "object"}


def _marked(written: dict[str, Any], tool: Tool) -> dict[str, Any]:
    if tool.cache is not None:
        written["cache_control"] = write_cache(tool.cache)
    return written


def _answer_tool(chat: Chat, losses: Losses) -> dict[str, Any]:
    shape = chat.format
    if shape is None or shape.kind == "json_object" or not isinstance(shape.schema, dict):
        return {"name": ANSWER_TOOL, "description": _ANSWER_IN_JSON, "input_schema": _ANY_OBJECT}
    schema = _parameters(lower(shape.schema, ANTHROPIC, "format.schema", losses))
    said = f"{_ANSWER_IN_SHAPE} {shape.description}" if shape.description else _ANSWER_IN_SHAPE
    return {"name": ANSWER_TOOL, "description": said, "input_schema": schema}


def _add_rest(chat: Chat, body: dict[str, Any], losses: Losses) -> None:
    if chat.temperature is not None:
        body["temperature"] = min(chat.temperature, 1.0)
        if chat.temperature > 1:
            losses.add("temperature")
    if chat.top_p is not None:
        body["top_p"] = chat.top_p
    if chat.top_k is not None:
        body["top_k"] = chat.top_k
    if chat.stop:
        stops = [stop for stop in chat.stop if stop and not stop.isspace()]
        if len(stops) < len(chat.stop):
            losses.add("stop")  # the API refuses white space
        if stops:
            body["stop_sequences"] = stops
    if chat.user is not None:
        body["metadata"] = {"user_id": chat.user}
    if chat.service_tier is not None:
        tier = _TIERS.get(chat.service_tier)
        if tier is None:
            losses.add("service_tier")
        else:
            body["service_tier"] = tier
    if chat.cache is not None:
        body["cache_control"] = write_cache(chat.cache)
