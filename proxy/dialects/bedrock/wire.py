"""A request to Converse on the wire."""

from __future__ import annotations

from typing import Any

import msgspec


class Inference(msgspec.Struct):
    """``InferenceConfiguration``."""

    maxTokens: int | None = None
    temperature: float | None = None
    topP: float | None = None
    stopSequences: list[str] | None = None


class Schema(msgspec.Struct):
    """``ToolInputSchema``."""

    json: dict[str, Any] | None = None


class Spec(msgspec.Struct):
    """``ToolSpecification``."""

    name: str
    inputSchema: Schema
    description: str | None = None
    strict: bool | None = None


class CachePoint(msgspec.Struct):
    """``CachePointBlock``."""

    ttl: str | None = None


class ToolWire(msgspec.Struct):
    """``Tool``: one of its members."""

    toolSpec: Spec | None = None
    systemTool: dict[str, Any] | None = None
    cachePoint: CachePoint | None = None


class Name(msgspec.Struct):
    """``SpecificToolChoice``."""

    name: str


class Choice(msgspec.Struct):
    """``ToolChoice``: one of its members."""

    auto: dict[str, Any] | None = None
    any: dict[str, Any] | None = None
    tool: Name | None = None


class Tools(msgspec.Struct):
    """``ToolConfiguration``."""

    tools: list[ToolWire]
    toolChoice: Choice | None = None


class Place(msgspec.Struct):
    """``S3Location``."""

    uri: str


class Source(msgspec.Struct):
    """Where media or a document come from: one of its members."""

    bytes: str | None = None
    text: str | None = None
    s3Location: Place | None = None


class Cites(msgspec.Struct):
    """``CitationsConfig``."""

    enabled: bool = False


class MediaWire(msgspec.Struct):
    """``ImageBlock``, ``VideoBlock``, ``AudioBlock``, ``DocumentBlock``."""

    source: Source
    format: str | None = None
    name: str | None = None
    context: str | None = None
    citations: Cites | None = None


class Use(msgspec.Struct):
    """``ToolUseBlock``."""

    toolUseId: str
    name: str
    input: msgspec.Raw


class ThoughtText(msgspec.Struct):
    """``ReasoningTextBlock``."""

    text: str
    signature: str | None = None


class Thought(msgspec.Struct):
    """``ReasoningContentBlock``: one of its members."""

    reasoningText: ThoughtText | None = None
    redactedContent: str | None = None


class Generated(msgspec.Struct):
    """``CitationGeneratedContent``."""

    text: str = ""


class Cited(msgspec.Struct):
    """``CitationsContentBlock``."""

    content: list[Generated] = []
    citations: list[dict[str, Any]] = []


class Inner(msgspec.Struct):
    """``ToolResultContentBlock``: one of its members."""

    text: str | None = None
    json: msgspec.Raw = msgspec.Raw()
    image: MediaWire | None = None
    document: MediaWire | None = None
    video: MediaWire | None = None
    searchResult: dict[str, Any] | None = None


class Result(msgspec.Struct):
    """``ToolResultBlock``."""

    toolUseId: str
    content: list[Inner]
    status: str | None = None


class Block(Inner):
    """``ContentBlock``: one of its members."""

    audio: MediaWire | None = None
    toolUse: Use | None = None
    toolResult: Result | None = None
    reasoningContent: Thought | None = None
    citationsContent: Cited | None = None
    cachePoint: CachePoint | None = None
    guardContent: dict[str, Any] | None = None
    toolAddition: dict[str, Any] | None = None
    toolRemoval: dict[str, Any] | None = None


class MessageWire(msgspec.Struct):
    """``Message``."""

    role: str
    content: list[Block]


class JsonSchema(msgspec.Struct):
    """``JsonSchemaDefinition``."""

    schema: str
    name: str | None = None
    description: str | None = None


class Structure(msgspec.Struct):
    """``OutputFormatStructure``."""

    jsonSchema: JsonSchema | None = None


class TextFormat(msgspec.Struct):
    """``OutputFormat``."""

    structure: Structure | None = None


class Output(msgspec.Struct):
    """``OutputConfig``."""

    textFormat: TextFormat | None = None
    effort: str | None = None


class Tier(msgspec.Struct):
    """``ServiceTier``."""

    type: str | None = None


class Request(msgspec.Struct):
    """``ConverseRequest``."""

    messages: list[MessageWire]
    system: list[Block] | None = None
    inferenceConfig: Inference | None = None
    toolConfig: Tools | None = None
    additionalModelRequestFields: dict[str, Any] | None = None
    guardrailConfig: dict[str, Any] | None = None
    outputConfig: Output | None = None
    requestMetadata: dict[str, str] | None = None
    serviceTier: Tier | None = None


class Counting(msgspec.Struct):
    """``CountTokensInput``."""

    converse: msgspec.Raw


class CountRequest(msgspec.Struct):
    """``CountTokensRequest``."""

    input: Counting


REQUEST = msgspec.json.Decoder(Request)
COUNT_REQUEST = msgspec.json.Decoder(CountRequest)
TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
KNOWN = frozenset(Request.__struct_fields__) | {"modelId"}
