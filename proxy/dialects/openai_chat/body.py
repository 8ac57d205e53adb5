"""Writes a request for a provider that speaks OpenAI's chat format."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Chat, Losses, Tool, ToolChoice
from proxy.dialects.dialect import Aim
from proxy.dialects.json_schema import OPENAI_STRICT, PLAIN, lower
from proxy.dialects.openai_chat.turns import Turns, mark
from proxy.dialects.openai_chat.wire import NAME
from proxy.dialects.thinking import effort_of

# What a provider may want otherwise; presets and kinds of providers name these.
QUIRKS = {
    "max_tokens": "knows the limit of the answer by its older name",
    "no_developer": "knows no developer messages: they are system messages there",
    "no_names": "knows no names of those who speak",
    "no_refusals": "has no word for refusals: they are text there",
    "no_stream_options": "cannot be asked for the usage of a stream, or tells it anyway",
    "no_user_after_tool": "wants a word of the assistant between a tool and the user (Mistral)",
    "tool_ids_9": "takes ids of calls of nine letters or digits alone (Mistral)",
    "functions_only": "knows no tools that take free text: they are functions of one text there",
    "auto_choice": "leaves it to the model whether tools are called",
    "by_url": "knows documents and sound by their address (Mistral)",
    "cache_control": "takes markers of Anthropic's form",
    "reasoning_content": "wants thoughts of earlier turns back, as text",
    "reasoning_details": "wants thoughts of earlier turns back, with their signatures (OpenRouter)",
    "thinking": "wants thoughts of earlier turns back, among the content (Mistral)",
    "thinking_off": "is told not to think by {thinking: {type: disabled}} (DeepSeek, Moonshot)",
    "thinking_switch": "knows thinking as on and off alone, by {thinking: {type}} (Z.ai)",
    "low_to_high": "knows the efforts low, medium and high alone",
    "none_or_high": "knows the efforts none and high alone (Cohere, Mistral)",
    "random_seed": "calls the seed random_seed (Mistral)",
    "any": "says any where others say required (Mistral)",
    "top_k": "takes top_k",
}
_LOW_TO_HIGH = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_NONE_OR_HIGH = {"none": "none", "minimal": "none"}
_FREE_TEXT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
# Members that have the same name and form in both.
_SAME = (
    "temperature",
    "top_p",
    "n",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "verbosity",
    "service_tier",
    "user",
    "metadata",
    "store",
    "modalities",
    "audio",
    "prediction",
    "prompt_cache_key",
)


def write_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body of a request for an answer."""
    quirks = aim.quirks
    body: dict[str, Any] = {"model": aim.model, "messages": Turns(quirks, losses).write(chat.messages)}
    if chat.stream:
        body["stream"] = True
        if "no_stream_options" not in quirks:
            body["stream_options"] = {"include_usage": True}
    if chat.max_tokens is not None:
        body["max_tokens" if "max_tokens" in quirks else "max_completion_tokens"] = chat.max_tokens
    for name in _SAME:
        value = getattr(chat, name)
        if value is not None:
            body[name] = value
    if chat.stop:
        body["stop"] = chat.stop
    if chat.seed is not None:
        body["random_seed" if "random_seed" in quirks else "seed"] = chat.seed
    if chat.top_k is not None:
        if "top_k" in quirks:
            body["top_k"] = chat.top_k
        else:
            losses.add("top_k")
    _write_effort(chat, body, quirks, losses)
    _write_tools(chat, body, quirks, losses)
    _write_format(chat, body, losses)
    return msgspec.json.encode(body)


def _write_effort(chat: Chat, body: dict[str, Any], quirks: frozenset[str], losses: Losses) -> None:
    if chat.thinking is None:
        return
    effort: str | None = effort_of(chat.thinking)
    if effort is None:
        return
    if "thinking_switch" in quirks or (effort == "none" and "thinking_off" in quirks):
        body["thinking"] = {"type": "disabled" if effort == "none" else "enabled"}
        return
    if "none_or_high" in quirks:
        effort = _NONE_OR_HIGH.get(effort, "high")
    elif "low_to_high" in quirks:
        effort = _LOW_TO_HIGH.get(effort)
        if effort is None:
            losses.add("thinking")
            return
    body["reasoning_effort"] = "xhigh" if effort == "max" else effort


def _write_format(chat: Chat, body: dict[str, Any], losses: Losses) -> None:
    wanted = chat.format
    if wanted is None:
        return
    if wanted.kind == "json_object":
        body["response_format"] = {"type": "json_object"}
        return
    rules = OPENAI_STRICT if wanted.strict else PLAIN
    schema: dict[str, Any] = {"name": wanted.name, "schema": lower(wanted.schema, rules, "format.schema", losses)}
    if wanted.description is not None:
        schema["description"] = wanted.description
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    body["response_format"] = {"type": "json_schema", "json_schema": schema}


def _write_tools(chat: Chat, body: dict[str, Any], quirks: frozenset[str], losses: Losses) -> None:
    tools = [written for at, tool in enumerate(chat.tools) if (written := _tool(tool, at, quirks, losses)) is not None]
    if tools:
        body["tools"] = tools
        if chat.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = chat.parallel_tool_calls
    choice = chat.tool_choice
    if choice is None or not tools:
        return
    if "auto_choice" in quirks:
        if choice.mode != "auto" or choice.allowed:
            losses.add("tool_choice")
        return
    custom = set() if "functions_only" in quirks else {tool.name for tool in chat.tools if tool.custom}
    if choice.allowed and "functions_only" in quirks:
        body["tools"] = [tool for tool in tools if tool.get("function", {}).get("name") in choice.allowed] or tools
        choice = ToolChoice(choice.mode)
    if choice.mode == "tool" and choice.name is not None:
        body["tool_choice"] = _named(choice.name, custom)
    elif choice.allowed:
        allowed = {"mode": choice.mode, "tools": [_named(name, custom) for name in choice.allowed]}
        body["tool_choice"] = {"type": "allowed_tools", "allowed_tools": allowed}
    else:
        body["tool_choice"] = "any" if choice.mode == "required" and "any" in quirks else choice.mode


def _named(name: str, custom: set[str]) -> dict[str, Any]:
    kind = "custom" if name in custom else "function"
    return {"type": kind, kind: {"name": name}}


def _tool(tool: Tool, at: int, quirks: frozenset[str], losses: Losses) -> dict[str, Any] | None:
    if tool.foreign is not None:
        if tool.foreign == NAME:
            value: dict[str, Any] = tool.value
            return value
        losses.add(f"tools[{at}]")
        return None
    kind = "custom" if tool.custom and "functions_only" not in quirks else "function"
    inner: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        inner["description"] = tool.description
    if kind == "custom":
        if tool.format is not None:
            inner["format"] = tool.format
    elif tool.custom:
        inner["parameters"] = _FREE_TEXT
        if tool.format is not None:
            losses.add(f"tools[{at}].format")
    else:
        if tool.parameters is not None:
            rules = OPENAI_STRICT if tool.strict else PLAIN
            inner["parameters"] = lower(tool.parameters, rules, f"tools[{at}].parameters", losses)
        if tool.strict is not None:
            inner["strict"] = tool.strict
    written: dict[str, Any] = {"type": kind, kind: inner}
    if tool.cache is not None and "cache_control" in quirks:
        written["cache_control"] = mark(tool.cache)
    return written
