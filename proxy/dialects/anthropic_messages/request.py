"""Reads what a client of the Messages API asks."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Chat, Effort, Format, Message, Part, Thinking, Tool, ToolChoice, ToolResult
from proxy.dialects.anthropic_messages.blocks import read_cache, read_content
from proxy.dialects.anthropic_messages.wire import (
    KNOWN,
    KNOWN_REQUEST,
    NAME,
    REQUEST,
    TOP,
    FormatWire,
    KnownRequest,
    OutputConfig,
    Request,
    ThinkingWire,
    ToolChoiceWire,
    ToolWire,
)
from proxy.dialects.reading import MAX_MESSAGES, MAX_TOOLS, Again, read_known, wrong
from proxy.errors import BadRequest

_TIERS = {"auto": "auto", "standard_only": "default"}
# What a tool may be told beside its schema, and nobody else understands.
_EXTRAS = ("allowed_callers", "defer_loading", "input_examples")


def read_request(body: bytes, *, counts: bool = False) -> Chat:
    """A request for an answer, or (``counts``) for the number of its tokens.

    Raises:
        BadRequest: with the place of what is wrong.
    """
    asked = read_known(body, KNOWN_REQUEST, REQUEST)
    _check(asked, counts)
    try:
        return _chat(asked, body)
    except UnicodeDecodeError as error:  # in what no type describes
        raise BadRequest(f"The body is not UTF-8 (byte {error.start}).", code="invalid_json") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}", code="invalid_json") from None


def _chat(asked: Request, body: bytes) -> Chat:
    again = Again(body)
    chat = Chat(
        model=asked.model,
        messages=_messages(asked, again),
        stream=bool(asked.stream),
        max_tokens=asked.max_tokens,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        stop=asked.stop_sequences or [],
        extra={} if type(asked) is KnownRequest else _extra(body),
    )
    if asked.tools:
        chat.tools = [_tool(tool, at, again, chat.extra) for at, tool in enumerate(asked.tools)]
    if asked.tool_choice is not None:
        _read_choice(asked.tool_choice, chat)
    _read_output(asked.output_config or OutputConfig(), asked.output_format, asked.thinking, chat)
    chat.user = asked.metadata.user_id if asked.metadata is not None else None
    chat.service_tier = _TIERS[asked.service_tier] if asked.service_tier is not None else None
    chat.cache = read_cache(asked.cache_control)
    return chat


def _check(asked: Request, counts: bool) -> None:
    if not asked.model:
        raise wrong("model", "must not be empty")
    if asked.max_tokens is None and not counts:
        raise wrong("max_tokens", "is required")
    if not asked.messages:
        raise wrong("messages", "must hold at least one message")
    if len(asked.messages) > MAX_MESSAGES:
        raise wrong("messages", f"holds {len(asked.messages)} messages; at most {MAX_MESSAGES} are accepted")
    if asked.tools is not None and len(asked.tools) > MAX_TOOLS:
        raise wrong("tools", f"holds {len(asked.tools)} tools; at most {MAX_TOOLS} are accepted")


def _messages(asked: Request, again: Again) -> list[Message]:
    """The system prompt as the first message, and the turns."""
    messages: list[Message] = []
    if asked.system:
        parts = read_content(asked.system, ("system",), again)
        _only_text(asked.system, "system")
        messages.append(Message("system", parts))
    for at, turn in enumerate(asked.messages):
        parts = read_content(turn.content, ("messages", at, "content"), again)
        if turn.role == "system":
            _only_text(turn.content, f"messages[{at}].content")
        elif turn.role == "user" and _has_late_results(parts):
            parts.sort(key=_is_no_result)
        messages.append(Message(turn.role, parts))
    return messages


def _only_text(content: Any, at: str) -> None:
    if isinstance(content, str):
        return
    for index, block in enumerate(content):
        # Blocks that add or remove tools may stand there too, and can be said by this dialect alone.
        if block.type in ("image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking"):
            raise wrong(f"{at}[{index}].type", "is no block that a system prompt may hold")


def _is_no_result(part: Part) -> bool:
    return not isinstance(part, ToolResult)


def _has_late_results(parts: list[Part]) -> bool:
    """Whether a result of a tool stands after something else."""
    others = False
    for part in parts:
        if isinstance(part, ToolResult):
            if others:
                return True
        else:
            others = True
    return False


def _tool(tool: ToolWire, at: int, again: Again, extra: dict[str, Any]) -> Tool:
    cache = read_cache(tool.cache_control)
    if tool.type not in (None, "custom"):
        value = again.at("tools", at)
        return Tool(name=tool.name or tool.type or "", foreign=NAME, value=value, cache=cache)
    if not tool.name:
        raise wrong(f"tools[{at}].name", "is required")
    if tool.input_schema is None:
        raise wrong(f"tools[{at}].input_schema", "is required")
    for name in _EXTRAS:
        if value := getattr(tool, name):
            extra[f"tools[{at}].{name}"] = value
    return Tool(
        name=tool.name,
        description=tool.description,
        parameters=tool.input_schema,
        strict=tool.strict,
        cache=cache,
    )


def _read_choice(choice: ToolChoiceWire, chat: Chat) -> None:
    if choice.type == "tool":
        if not choice.name:
            raise wrong("tool_choice.name", "is required")
        chat.tool_choice = ToolChoice("tool", choice.name)
    else:
        chat.tool_choice = ToolChoice("required" if choice.type == "any" else choice.type)
    if choice.disable_parallel_tool_use is not None:
        chat.parallel_tool_calls = not choice.disable_parallel_tool_use


def _read_output(config: OutputConfig, older: FormatWire | None, thinking: ThinkingWire | None, chat: Chat) -> None:
    shape = config.format or older
    if shape is not None:
        chat.format = Format(kind="json_schema", schema=shape.schema, strict=True)
    if config.task_budget is not None:
        chat.extra["output_config.task_budget"] = config.task_budget
    if thinking is not None:
        chat.thinking = _thinking(thinking, config.effort)
    elif config.effort is not None:
        chat.thinking = Thinking(effort=config.effort)


def _thinking(asked: ThinkingWire, effort: Effort | None) -> Thinking:
    visible = None if asked.display is None else asked.display == "summarized"
    if asked.type == "disabled":
        return Thinking(effort="none")
    if asked.type == "enabled":
        if asked.budget_tokens is None:
            raise wrong("thinking.budget_tokens", "is required")
        return Thinking(effort=effort, budget=asked.budget_tokens, visible=visible)
    # Adaptive: as much as the model likes, unless an effort guides it.
    return Thinking(effort=effort, budget=-1 if effort is None else None, visible=visible)


def _extra(body: bytes) -> dict[str, Any]:
    """Members of the request that have no neutral name."""
    members = TOP.decode(body)
    unknown = members.keys() - KNOWN
    if not unknown:
        return {}
    return {name: value for name in members if name in unknown and (value := msgspec.json.decode(members[name]))}
