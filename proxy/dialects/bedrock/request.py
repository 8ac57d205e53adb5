"""Reads a request to Converse: the blocks renamed to Anthropic's words, where all the rules are kept."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import (
    Chat,
    Format,
    Media,
    Message,
    Part,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from proxy.dialects.bedrock.words import SIGNS
from proxy.dialects.reading import MAX_MESSAGES, MAX_TOOLS, read_json, wrong

_ROLES = ("user", "assistant", "system")
_KNOWN = frozenset(
    {
        "additionalModelRequestFields",
        "guardrailConfig",
        "inferenceConfig",
        "messages",
        "modelId",
        "outputConfig",
        "requestMetadata",
        "serviceTier",
        "system",
        "toolConfig",
    }
)
_DOCUMENTS = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "html": "text/html",
    "txt": "text/plain",
    "md": "text/markdown",
}


class _Inference(msgspec.Struct):
    maxTokens: int | None = None
    temperature: float | None = None
    topP: float | None = None
    stopSequences: list[str] | None = None


class _Input(msgspec.Struct):
    json: dict[str, Any] | None = None


class _Spec(msgspec.Struct):
    name: str
    inputSchema: _Input
    description: str | None = None
    strict: bool | None = None


class _Tool(msgspec.Struct):
    toolSpec: _Spec | None = None


class _Name(msgspec.Struct):
    name: str


class _Choice(msgspec.Struct):
    auto: dict[str, Any] | None = None
    any: dict[str, Any] | None = None
    tool: _Name | None = None


class _Tools(msgspec.Struct):
    tools: list[_Tool] = []
    toolChoice: _Choice | None = None


class _Source(msgspec.Struct):
    bytes: str | None = None
    text: str | None = None


class _Media(msgspec.Struct):
    source: _Source
    format: str = ""
    name: str | None = None


class _Use(msgspec.Struct):
    toolUseId: str
    name: str
    input: msgspec.Raw


class _ThoughtText(msgspec.Struct):
    text: str
    signature: str | None = None


class _Thought(msgspec.Struct):
    reasoningText: _ThoughtText | None = None
    redactedContent: str | None = None


class _Inner(msgspec.Struct):
    text: str | None = None
    json: msgspec.Raw | None = None
    image: _Media | None = None
    document: _Media | None = None


class _Result(msgspec.Struct):
    toolUseId: str
    content: list[_Inner]
    status: str | None = None


class _Block(_Inner):
    toolUse: _Use | None = None
    toolResult: _Result | None = None
    reasoningContent: _Thought | None = None


class _Message(msgspec.Struct):
    role: str
    content: list[_Block]


class _JsonSchema(msgspec.Struct):
    schema: str
    name: str = "answer"


class _Structure(msgspec.Struct):
    jsonSchema: _JsonSchema | None = None


class _TextFormat(msgspec.Struct):
    structure: _Structure | None = None


class _Output(msgspec.Struct):
    textFormat: _TextFormat | None = None
    effort: str | None = None


class _Request(msgspec.Struct):
    messages: list[_Message]
    system: list[_Inner] = []
    inferenceConfig: _Inference = msgspec.field(default_factory=_Inference)
    toolConfig: _Tools | None = None
    additionalModelRequestFields: dict[str, Any] | None = None
    guardrailConfig: dict[str, Any] | None = None
    outputConfig: _Output | None = None
    requestMetadata: dict[str, str] | None = None


_REQUEST = msgspec.json.Decoder(_Request)
_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_request(body: bytes, model: str, stream: bool) -> Chat:
    """A request to ``Converse``; cache points are not told on.

    Raises:
        BadRequest: with the place of what is wrong.
    """
    asked = read_json(body, _REQUEST)
    if not asked.messages:
        raise wrong("messages", "must hold at least one message")
    if len(asked.messages) > MAX_MESSAGES:
        raise wrong("messages", f"holds {len(asked.messages)} messages; at most {MAX_MESSAGES} are accepted")
    head = [Text(one.text) for one in asked.system if one.text is not None]
    messages = [Message("system", list(head))] if head else []
    messages += [_message(message, at) for at, message in enumerate(asked.messages)]
    config = asked.inferenceConfig
    if config.maxTokens is not None and config.maxTokens < 1:
        raise wrong("inferenceConfig.maxTokens", "must be at least 1")
    chat = Chat(
        model=model,
        messages=messages,
        stream=stream,
        max_tokens=config.maxTokens,
        temperature=config.temperature,
        top_p=config.topP,
        stop=config.stopSequences or [],
        metadata=asked.requestMetadata,
        guardrail=asked.guardrailConfig,
        extra={name: True for name in _TOP.decode(body) if name not in _KNOWN},
    )
    if asked.toolConfig is not None:
        _read_tools(asked.toolConfig, chat)
    _read_output(asked, chat)
    return chat


def _message(message: _Message, at: int) -> Message:
    if message.role not in _ROLES:
        raise wrong(f"messages[{at}].role", f"must be one of {', '.join(_ROLES)}")
    parts = [part for block in message.content if (part := _part(block)) is not None]
    parts.sort(key=lambda part: not isinstance(part, ToolResult))
    return Message(message.role, parts)  # type: ignore[arg-type]


def _part(block: _Block) -> Part | None:
    if block.toolUse is not None:
        use = block.toolUse
        return ToolCall(id=use.toolUseId, name=use.name, arguments=bytes(use.input).decode())
    if block.toolResult is not None:
        result = block.toolResult
        parts = tuple(part for inner in result.content if (part := _shown(inner)) is not None)
        return ToolResult(call_id=result.toolUseId, parts=parts, is_error=result.status == "error")
    if block.reasoningContent is not None:
        thought = block.reasoningContent
        if thought.redactedContent is not None:
            return Reasoning(redacted=thought.redactedContent, origin=SIGNS)
        if thought.reasoningText is None:
            return None
        text = thought.reasoningText
        return Reasoning(text=text.text, signature=text.signature, origin=SIGNS if text.signature else "")
    return _shown(block)


def _shown(inner: _Inner) -> Text | Media | None:
    if inner.text is not None:
        return Text(inner.text)
    if inner.json is not None:
        return Text(bytes(inner.json).decode())
    if inner.image is not None:
        return Media(kind="image", data=inner.image.source.bytes or "", media_type=f"image/{inner.image.format}")
    if inner.document is not None:
        document = inner.document
        kind = _DOCUMENTS.get(document.format, f"application/{document.format or 'pdf'}")
        return Media(kind="file", data=document.source.bytes or "", media_type=kind, name=document.name)
    return None


def _read_tools(config: _Tools, chat: Chat) -> None:
    if len(config.tools) > MAX_TOOLS:
        raise wrong("toolConfig.tools", f"holds more than {MAX_TOOLS} tools")
    for tool in config.tools:
        if (spec := tool.toolSpec) is not None:
            schema = spec.inputSchema.json
            chat.tools.append(Tool(name=spec.name, description=spec.description, parameters=schema, strict=spec.strict))
    choice = config.toolChoice
    if choice is None:
        return
    if choice.tool is not None:
        chat.tool_choice = ToolChoice("tool", choice.tool.name)
    else:
        chat.tool_choice = ToolChoice("required" if choice.any is not None else "auto")


def _read_output(asked: _Request, chat: Chat) -> None:
    output = asked.outputConfig or _Output()
    shape = output.textFormat.structure if output.textFormat is not None else None
    if shape is not None and shape.jsonSchema is not None:
        try:
            schema = msgspec.json.decode(shape.jsonSchema.schema)
        except (msgspec.DecodeError, RecursionError):
            raise wrong("outputConfig.textFormat.structure.jsonSchema.schema", "must be JSON, as a string") from None
        chat.format = Format(kind="json_schema", name=shape.jsonSchema.name, schema=schema)
    fields = asked.additionalModelRequestFields or {}
    thinking = fields.get("thinking")
    if isinstance(thinking, dict):
        budget = thinking.get("budget_tokens")
        if thinking.get("type") == "enabled" and isinstance(budget, int) and not isinstance(budget, bool):
            chat.thinking = Thinking(budget=budget)
        elif thinking.get("type") == "disabled":
            chat.thinking = Thinking(effort="none")
        else:
            chat.thinking = Thinking(budget=-1)
    top_k = fields.get("top_k")
    if isinstance(top_k, int) and not isinstance(top_k, bool):
        chat.top_k = top_k
