"""Reads what a client of generateContent asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from proxy.chat import Chat, Effort, Format, Message, Part, Text, Thinking, Tool, ToolChoice
from proxy.dialects.gemini.openapi import to_json_schema
from proxy.dialects.gemini.parts import Turns
from proxy.dialects.gemini.spelling import foreign_tools, in_camel_case, others
from proxy.dialects.gemini.wire import (
    COUNT,
    NAME,
    REQUEST,
    Content,
    Declaration,
    GenerationConfig,
    Request,
    ThinkingConfig,
    ToolConfig,
)
from proxy.dialects.reading import MAX_MESSAGES, MAX_TOOLS, read_json, wrong
from proxy.errors import BadRequest

T = TypeVar("T")
_LEVELS: dict[str, Effort | None] = {
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "thinking_level_unspecified": None,
}
# What a function may be told beside its parameters, and nobody else understands.
_UNHEARD = (("response", "response"), ("response_json_schema", "responseJsonSchema"), ("behavior", "behavior"))
_TIERS = {"standard": "default", "flex": "flex", "priority": "priority", "unspecified": None}


def read_request(body: bytes, model: str, stream: bool) -> Chat:
    """A request; model and stream are the path's.

    Raises:
        BadRequest: with the place of what is wrong.
    """
    return _guard(body, lambda: _read(in_camel_case(body), model, stream))


def read_count_request(body: bytes, model: str) -> Chat:
    """The question for the number of tokens of ``contents``, or of a whole request."""

    def read() -> Chat:
        usual = in_camel_case(body)
        inner = bytes(read_json(usual, COUNT).generate_content_request)
        return _read(usual if inner in (b"", b"null") else inner, model, False)

    return _guard(body, read)


def _guard(body: bytes, read: Callable[[], Chat]) -> Chat:
    try:
        return read()
    except UnicodeDecodeError as error:  # in what no type describes
        raise BadRequest(f"The body is not UTF-8 (byte {error.start}).", code="invalid_json") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}", code="invalid_json") from None


def _read(body: bytes, model: str, stream: bool) -> Chat:
    asked = read_json(body, REQUEST)
    _check(asked)
    chat = Chat(model=model or (asked.model or ""), messages=[], stream=stream, extra=others(body))
    system = _system(asked.system_instruction)
    chat.messages = system + Turns(chat.extra).read(asked.contents or [])
    if asked.tools:
        chat.tools = _tools(asked, body, chat.extra)
    if asked.tool_config is not None:
        _read_choice(asked.tool_config, chat)
    if asked.generation_config is not None:
        _read_config(asked.generation_config, chat)
    chat.metadata = asked.labels
    if asked.service_tier is not None:
        tier = asked.service_tier.lower()
        if tier not in _TIERS:
            raise wrong("serviceTier", "must be standard, flex or priority")
        chat.service_tier = _TIERS[tier]
    return chat


def _check(asked: Request) -> None:
    contents, tools = asked.contents, asked.tools or ()
    if not contents:
        raise wrong("contents", "must hold at least one turn")
    if len(contents) > MAX_MESSAGES:
        raise wrong("contents", f"holds {len(contents)} turns; at most {MAX_MESSAGES} are accepted")
    count = sum(len(tool.function_declarations or ()) for tool in tools)
    if max(count, len(tools)) > MAX_TOOLS:
        raise wrong("tools", f"holds {max(count, len(tools))} functions; at most {MAX_TOOLS} are accepted")


def _system(content: Content | None) -> list[Message]:
    if content is None or not content.parts:
        return []
    parts: list[Part] = []
    for at, part in enumerate(content.parts):
        if part.text is None:
            raise wrong(f"systemInstruction.parts[{at}]", "must be text")
        parts.append(Text(part.text))
    return [Message("system", parts)]


def _tools(asked: Request, body: bytes, extra: dict[str, Any]) -> list[Tool]:
    tools: list[Tool] = []
    foreign = foreign_tools(body)
    for at, tool in enumerate(asked.tools or ()):
        for number, declared in enumerate(tool.function_declarations or ()):
            tools.append(_tool(declared, f"tools[{at}].functionDeclarations[{number}]", extra))
        tools += [
            Tool(name=name, foreign=NAME, value={name: value}) for name, value in foreign[at] if value is not None
        ]
    return tools


def _tool(declared: Declaration, at: str, extra: dict[str, Any]) -> Tool:
    if not declared.name:
        raise wrong(f"{at}.name", "is required")
    parameters: Any = declared.parameters_json_schema
    if declared.parameters is not None:
        if parameters is not None:
            raise wrong(f"{at}.parameters", "and `parametersJsonSchema` are given; one of them can be")
        parameters = to_json_schema(declared.parameters, f"{at}.parameters")
    elif parameters is not None and not isinstance(parameters, dict):
        raise wrong(f"{at}.parametersJsonSchema", "must be an object")
    for field, name in _UNHEARD:
        if (value := getattr(declared, field)) is not None:
            extra[f"{at}.{name}"] = value
    return Tool(name=declared.name, description=declared.description, parameters=parameters)


def _read_choice(config: ToolConfig, chat: Chat) -> None:
    if config.retrieval_config is not None:
        chat.extra["toolConfig.retrievalConfig"] = config.retrieval_config
    if config.include_server_side_tool_invocations:
        chat.extra["toolConfig.includeServerSideToolInvocations"] = True
    calling = config.function_calling_config
    if calling is None:
        return
    if calling.stream_function_call_arguments:
        chat.extra["toolConfig.functionCallingConfig.streamFunctionCallArguments"] = True
    allowed = tuple(calling.allowed_function_names or ())
    match (calling.mode or "AUTO").upper():
        case "AUTO" | "MODE_UNSPECIFIED":
            chat.tool_choice = ToolChoice("auto")
        case "NONE":
            chat.tool_choice = ToolChoice("none")
        case "ANY":
            single = len(allowed) == 1
            chat.tool_choice = ToolChoice("tool", allowed[0]) if single else ToolChoice("required", allowed=allowed)
        case "VALIDATED":
            chat.tool_choice = ToolChoice("auto", allowed=allowed)
            for tool in chat.tools:
                tool.strict = True if tool.foreign is None else None
        case _:
            raise wrong("toolConfig.functionCallingConfig.mode", "must be AUTO, ANY, NONE or VALIDATED")


def _read_config(config: GenerationConfig, chat: Chat) -> None:
    chat.temperature = config.temperature
    chat.top_p = config.top_p
    chat.top_k = None if config.top_k is None else int(config.top_k)
    chat.n = config.candidate_count
    chat.max_tokens = config.max_output_tokens
    chat.stop = config.stop_sequences or []
    chat.seed = config.seed
    chat.presence_penalty = config.presence_penalty
    chat.frequency_penalty = config.frequency_penalty
    chat.logprobs = config.response_logprobs
    chat.top_logprobs = config.logprobs
    if config.response_modalities:
        modalities = [one.lower() for one in config.response_modalities]
        chat.modalities = [one for one in modalities if one != "modality_unspecified"] or None
    chat.format = _format(config, chat.extra)
    if config.thinking_config is not None:
        chat.thinking = _thinking(config.thinking_config)


def _format(config: GenerationConfig, extra: dict[str, Any]) -> Format | None:
    kind, schema = config.response_mime_type, config.response_json_schema
    if config.response_schema is not None:
        if schema is not None:
            raise wrong("generationConfig.responseSchema", "and `responseJsonSchema` are given; one of them can be")
        schema = to_json_schema(config.response_schema, "generationConfig.responseSchema")
    elif schema is not None and not isinstance(schema, dict):
        raise wrong("generationConfig.responseJsonSchema", "must be an object")
    if kind is None or kind == "text/plain":
        return None
    if kind != "application/json":
        extra["generationConfig.responseMimeType"] = kind
        return None
    return Format(kind="json_object") if schema is None else Format(kind="json_schema", schema=schema, strict=True)


def _thinking(config: ThinkingConfig) -> Thinking:
    effort: Effort | None = None
    if config.thinking_level is not None:
        level = config.thinking_level.lower()
        if level not in _LEVELS:
            raise wrong("generationConfig.thinkingConfig.thinkingLevel", "must be MINIMAL, LOW, MEDIUM or HIGH")
        effort = _LEVELS[level]
    return Thinking(effort=effort, budget=config.thinking_budget, visible=config.include_thoughts)
