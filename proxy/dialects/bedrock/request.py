"""Reads a request to Converse."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from msgspec.structs import replace

from proxy.chat import Chat, Effort, Format, Message, Thinking, Tool, ToolChoice, ToolResult
from proxy.dialects.bedrock.content import read_cache, read_content
from proxy.dialects.bedrock.wire import (
    COUNT_REQUEST,
    KNOWN,
    REQUEST,
    TOP,
    Inference,
    MessageWire,
    Output,
    Request,
    Spec,
    Tools,
)
from proxy.dialects.bedrock.words import NAME
from proxy.dialects.reading import MAX_MESSAGES, MAX_TOOLS, read_json, wrong

_ROLES = ("user", "assistant", "system")
_EFFORTS = frozenset(get_args(Effort))


def read_request(body: bytes, model: str, stream: bool) -> Chat:
    """A request for an answer; ``model`` and ``stream`` stand in its path.

    Raises:
        BadRequest: with the place of what is wrong.
    """
    asked = read_json(body, REQUEST)
    _check(asked)
    config = asked.inferenceConfig or Inference()
    chat = Chat(
        model=model,
        messages=[_message(message, at) for at, message in enumerate(asked.messages)],
        stream=stream,
        max_tokens=config.maxTokens,
        temperature=config.temperature,
        top_p=config.topP,
        stop=config.stopSequences or [],
        metadata=asked.requestMetadata,
        guardrail=asked.guardrailConfig,
        service_tier=asked.serviceTier.type if asked.serviceTier is not None else None,
        extra={name: True for name in read_json(body, TOP) if name not in KNOWN},
    )
    if asked.system:
        chat.messages.insert(0, Message("system", read_content(asked.system, "system")))
    if asked.toolConfig is not None:
        _read_tools(asked.toolConfig, chat)
    _read_fields(asked.additionalModelRequestFields or {}, chat)
    _read_output(asked.outputConfig or Output(), chat)
    return chat


def read_count_request(body: bytes, model: str) -> Chat:
    """The question for the number of its tokens."""
    return read_request(bytes(read_json(body, COUNT_REQUEST).input.converse), model, stream=False)


def _check(asked: Request) -> None:
    if not asked.messages:
        raise wrong("messages", "must hold at least one message")
    if len(asked.messages) > MAX_MESSAGES:
        raise wrong("messages", f"holds {len(asked.messages)} messages; at most {MAX_MESSAGES} are accepted")
    config = asked.inferenceConfig
    if config is not None and config.maxTokens is not None and not 1 <= config.maxTokens < 1 << 53:
        raise wrong("inferenceConfig.maxTokens", "must be at least 1, and a number that can be meant")


def _message(message: MessageWire, at: int) -> Message:
    if message.role not in _ROLES:
        raise wrong(f"messages[{at}].role", f"must be one of {', '.join(_ROLES)}")
    parts = read_content(message.content, f"messages[{at}].content")
    parts.sort(key=lambda part: not isinstance(part, ToolResult))
    return Message(message.role, parts)  # type: ignore[arg-type]


def _read_tools(config: Tools, chat: Chat) -> None:
    if len(config.tools) > MAX_TOOLS:
        raise wrong("toolConfig.tools", f"holds more than {MAX_TOOLS} tools")
    for at, tool in enumerate(config.tools):
        if tool.cachePoint is not None:
            if chat.tools:
                chat.tools[-1] = replace(chat.tools[-1], cache=read_cache(tool.cachePoint))
        elif tool.toolSpec is not None:
            chat.tools.append(_tool(tool.toolSpec))
        elif tool.systemTool is not None:
            name = str(tool.systemTool.get("name", ""))
            chat.tools.append(Tool(name=name, foreign=NAME, value={"systemTool": tool.systemTool}))
        else:
            raise wrong(f"toolConfig.tools[{at}]", "needs `toolSpec`, `systemTool` or `cachePoint`")
    choice = config.toolChoice
    if choice is None:
        return
    if choice.tool is not None:
        chat.tool_choice = ToolChoice("tool", choice.tool.name)
    else:
        chat.tool_choice = ToolChoice("required" if choice.any is not None else "auto")


def _tool(spec: Spec) -> Tool:
    return Tool(name=spec.name, description=spec.description, parameters=spec.inputSchema.json, strict=spec.strict)


def _read_fields(fields: dict[str, Any], chat: Chat) -> None:
    """What Converse has no words of its own for, as Anthropic's models call it."""
    for name, value in fields.items():
        if name == "thinking" and isinstance(value, dict):
            chat.thinking = _thinking(value)
        elif name == "top_k" and _is_number(value):
            chat.top_k = value
        elif name == "reasoning_effort" and value in _EFFORTS:
            chat.thinking = Thinking(effort=value)
        elif name == "tool_choice" and isinstance(value, dict):
            chat.parallel_tool_calls = not value.get("disable_parallel_tool_use")
        else:
            chat.extra[f"additionalModelRequestFields.{name}"[:200]] = value


def _thinking(wish: dict[str, Any]) -> Thinking:
    if wish.get("type") == "disabled":
        return Thinking(effort="none")
    budget = wish.get("budget_tokens")
    if wish.get("type") == "enabled":
        if type(budget) is not int or not 0 <= budget < 1 << 53:
            raise wrong("additionalModelRequestFields.thinking.budget_tokens", "must be a number of tokens")
        return Thinking(budget=budget)
    return Thinking(budget=-1)


def _is_number(value: Any) -> bool:
    return type(value) is int and abs(value) < 1 << 53


def _read_output(output: Output, chat: Chat) -> None:
    if output.effort is not None:
        if output.effort not in _EFFORTS:
            raise wrong("outputConfig.effort", f"must be one of {', '.join(get_args(Effort))}")
        chat.thinking = Thinking(effort=output.effort)  # type: ignore[arg-type]
    shape = output.textFormat.structure if output.textFormat is not None else None
    if shape is None or shape.jsonSchema is None:
        return
    described = shape.jsonSchema
    try:
        schema = msgspec.json.decode(described.schema)
    except (msgspec.DecodeError, RecursionError):
        raise wrong("outputConfig.textFormat.structure.jsonSchema.schema", "must be JSON, as a string") from None
    name = described.name or "answer"
    chat.format = Format(kind="json_schema", name=name, schema=schema, description=described.description)
