"""Tools, the choice among them, and the shape of the answer, from and to the words of the API."""

from __future__ import annotations

from typing import Any

from proxy.chat import Chat, Format, Losses, Tool, ToolChoice
from proxy.dialects.json_schema import OPENAI_STRICT, PLAIN, lower
from proxy.dialects.openai_responses.wire import NAME, Choice, FormatWire, Function
from proxy.dialects.reading import Again, wrong

# What a tool may be told beside its schema, and nobody else understands.
_EXTRAS = ("defer_loading", "allowed_callers", "output_schema", "async_")
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


def read_tool(tool: Function, at: int, again: Again, extra: dict[str, Any]) -> Tool:
    """The tool at ``at``.

    Raises:
        BadRequest: with the place of what is wrong.
    """
    if not tool.type:
        raise wrong(f"tools[{at}].type", "must name the kind of tool")
    if tool.type not in ("function", "custom"):
        return Tool(name=tool.name or tool.type, foreign=NAME, value=again.at("tools", at))
    if not tool.name:
        raise wrong(f"tools[{at}].name", "is required")
    for name in _EXTRAS:
        if value := getattr(tool, name):
            extra[f"tools[{at}].{name.rstrip('_')}"] = value
    if tool.type == "custom":
        return Tool(name=tool.name, description=tool.description, custom=True, format=tool.format)
    return Tool(name=tool.name, description=tool.description, parameters=tool.parameters, strict=tool.strict)


def read_choice(choice: str | Choice, again: Again, extra: dict[str, Any]) -> ToolChoice | None:
    """The choice; one of the provider's own tools has no neutral form.

    Raises:
        BadRequest: with the place of what is wrong.
    """
    match choice:
        case "auto" | "none" | "required":
            return ToolChoice(choice)
        case Choice(type="function" | "custom"):
            if not choice.name:
                raise wrong("tool_choice.name", "is required")
            return ToolChoice("tool", choice.name)
        case Choice(type="allowed_tools"):
            return _allowed(choice)
    extra["tool_choice"] = again.at("tool_choice")
    return None


def _allowed(choice: Choice) -> ToolChoice:
    if choice.mode is None:
        raise wrong("tool_choice.mode", "is required")
    if not choice.tools:
        raise wrong("tool_choice.tools", "must name at least one tool")
    names: list[str] = []
    for at, tool in enumerate(choice.tools):
        name = tool.get("name") or tool.get("type")
        if not isinstance(name, str):
            raise wrong(f"tool_choice.tools[{at}].name", "must be a string")
        names.append(name)
    return ToolChoice(choice.mode, allowed=tuple(names))


def read_format(shape: FormatWire | None) -> Format | None:
    """The shape of the answer; None for plain text.

    Raises:
        BadRequest: a schema is missing.
    """
    if shape is None or shape.type == "text":
        return None
    if shape.type == "json_object":
        return Format(kind="json_object")
    if shape.schema is None:
        raise wrong("text.format.schema", "is required")
    return Format(
        kind="json_schema",
        name=shape.name or "answer",
        schema=shape.schema,
        description=shape.description,
        strict=shape.strict,
    )


def write_tools(chat: Chat, losses: Losses | None = None) -> list[dict[str, Any]]:
    """The tools for a provider; without ``losses`` as the caller gave them, to be told what was asked."""
    written: list[dict[str, Any]] = []
    for at, tool in enumerate(chat.tools):
        if tool.foreign is not None:
            if tool.foreign == NAME:
                written.append(tool.value)
            elif losses is not None:
                losses.add(f"tools[{at}]")
            continue
        written.append(_custom(tool) if tool.custom else _function(tool, at, losses))
    return written


def _custom(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"type": "custom", "name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.format is not None:
        written["format"] = tool.format
    return written


def _function(tool: Tool, at: int, losses: Losses | None) -> dict[str, Any]:
    schema: Any = _NO_PARAMETERS if tool.parameters is None else tool.parameters
    if losses is not None and tool.parameters is not None:
        schema = lower(schema, OPENAI_STRICT if tool.strict else PLAIN, f"tools[{at}].parameters", losses)
    # Said in any case: without it, this API takes a schema to be strict.
    written = {"type": "function", "name": tool.name, "parameters": schema, "strict": bool(tool.strict)}
    if tool.description is not None:
        written["description"] = tool.description
    return written


def write_choice(chat: Chat) -> Any:
    """The choice among the tools, None if nobody chose."""
    choice = chat.tool_choice
    if choice is None:
        return None
    if choice.allowed:
        named = {tool.name: tool for tool in chat.tools}
        allowed = [_named(name, named.get(name)) for name in choice.allowed]
        return {"type": "allowed_tools", "mode": choice.mode, "tools": allowed}
    if choice.mode == "tool":
        name = choice.name or ""
        return _named(name, next((tool for tool in chat.tools if tool.name == name), None))
    return choice.mode


def _named(name: str, tool: Tool | None) -> dict[str, Any]:
    if tool is not None and tool.foreign == NAME:
        return {"type": name}
    return {"type": "custom" if tool is not None and tool.custom else "function", "name": name}


def write_format(shape: Format | None, losses: Losses | None = None) -> dict[str, Any] | None:
    """The shape of the answer; None for plain text. ``losses`` as for tools."""
    if shape is None:
        return None
    if shape.kind == "json_object":
        return {"type": "json_object"}
    schema = shape.schema
    if losses is not None and shape.strict:
        schema = lower(schema, OPENAI_STRICT, "format.schema", losses)
    written: dict[str, Any] = {"type": "json_schema", "name": shape.name, "schema": schema or {}}
    if shape.strict is not None:
        written["strict"] = shape.strict
    if shape.description is not None:
        written["description"] = shape.description
    return written
