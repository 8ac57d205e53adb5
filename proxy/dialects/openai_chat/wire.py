"""OpenAI's chat completions as they stand on the wire. https://platform.openai.com/docs/api-reference/chat

Beside OpenAI's own members those that other services have made common: ``reasoning_content`` (DeepSeek, vLLM),
``reasoning`` and ``reasoning_details`` (OpenRouter), ``cache_control`` (Anthropic), ``extra_content`` (Google).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

NAME = "openai_chat"

# Whose thoughts stand behind OpenRouter's word for a format.
FORMATS = {"anthropic-claude-v1": "anthropic", "google-gemini-v1": "gemini", "openai-responses-v1": "openai"}
FORMAT_OF = {origin: format_ for format_, origin in FORMATS.items()}


class CacheControl(msgspec.Struct):
    """A marker for providers that cache up to it."""

    type: str = "ephemeral"
    ttl: str | None = None


class Breakpoint(msgspec.Struct):
    """OpenAI's own marker."""

    mode: str = "explicit"
    ttl: str | None = None


# Requests


class TextPart(msgspec.Struct, tag="text"):
    """Text."""

    text: str
    cache_control: CacheControl | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class ImageUrl(msgspec.Struct):
    """An address, or a ``data:`` URL."""

    url: str
    detail: str | None = None


class ImagePart(msgspec.Struct, tag="image_url"):
    """An image."""

    image_url: ImageUrl | str  # Mistral takes the bare address as well
    cache_control: CacheControl | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class InputAudio(msgspec.Struct):
    """Base64 and its format."""

    data: str
    format: str


class AudioPart(msgspec.Struct, tag="input_audio"):
    """A piece of audio; for Mistral an address or base64."""

    input_audio: InputAudio | str


class FileContent(msgspec.Struct):
    """A document: its id, or a ``data:`` URL (plain base64 is taken for a PDF)."""

    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


class FilePart(msgspec.Struct, tag="file"):
    """A document."""

    file: FileContent
    cache_control: CacheControl | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class VideoUrl(msgspec.Struct):
    """An address, or a ``data:`` URL."""

    url: str


class VideoPart(msgspec.Struct, tag="video_url"):
    """A video, as vLLM and OpenRouter have it."""

    video_url: VideoUrl
    cache_control: CacheControl | None = None


class DocumentPart(msgspec.Struct, tag="document_url"):
    """A document by its address, in Mistral's form."""

    document_url: str
    document_name: str | None = None


class ThinkingPart(msgspec.Struct, tag="thinking"):
    """What the model thought, in Mistral's form."""

    thinking: str | list[Any] = ""


class RefusalPart(msgspec.Struct, tag="refusal"):
    """What the model declined with."""

    refusal: str


InputPart = TextPart | ImagePart | AudioPart | FilePart | VideoPart | DocumentPart
SaidPart = TextPart | RefusalPart | ThinkingPart


class CalledFunction(msgspec.Struct):
    """Name and arguments of a call."""

    name: str
    arguments: str = ""


class CalledCustom(msgspec.Struct):
    """Name and input of a call."""

    name: str
    input: str = ""


class CallWire(msgspec.Struct):
    """One tool call of an earlier answer."""

    id: str
    type: Literal["function", "custom"] = "function"
    function: CalledFunction | None = None
    custom: CalledCustom | None = None
    extra_content: Any = None


class SystemMessage(msgspec.Struct, tag_field="role", tag="system"):
    """Instructions."""

    content: str | list[TextPart]
    name: str | None = None


class DeveloperMessage(msgspec.Struct, tag_field="role", tag="developer"):
    """Instructions, by OpenAI's newer word."""

    content: str | list[TextPart]
    name: str | None = None


class UserMessage(msgspec.Struct, tag_field="role", tag="user"):
    """What the user says."""

    content: str | list[InputPart]
    name: str | None = None


class EarlierAudio(msgspec.Struct):
    """An answer in audio, by its id."""

    id: str


class AssistantMessage(msgspec.Struct, tag_field="role", tag="assistant"):
    """What the model said earlier."""

    content: str | list[SaidPart] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[CallWire] | None = None
    function_call: CalledFunction | None = None
    audio: EarlierAudio | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None


class ToolMessage(msgspec.Struct, tag_field="role", tag="tool"):
    """What came of a call."""

    tool_call_id: str
    content: str | list[TextPart]
    name: str | None = None


class FunctionMessage(msgspec.Struct, tag_field="role", tag="function"):
    """The same, before calls had ids."""

    name: str
    content: str | None


class Detail(msgspec.Struct):
    """A piece of thought, in OpenRouter's form. https://openrouter.ai/docs/use-cases/reasoning-tokens"""

    type: str
    text: str | None = None
    summary: str | None = None
    data: str | None = None
    signature: str | None = None
    id: str | None = None
    format: str | None = None
    index: int | None = None


MessageWire = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage


class FunctionWire(msgspec.Struct):
    """A function that may be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class CustomWire(msgspec.Struct):
    """A tool that takes free text."""

    name: str
    description: str | None = None
    format: Any = None


class ToolWire(msgspec.Struct):
    """A tool."""

    type: str = "function"
    function: FunctionWire | None = None
    custom: CustomWire | None = None
    cache_control: CacheControl | None = None


class Named(msgspec.Struct):
    """A tool by its name."""

    name: str


class AllowedTool(msgspec.Struct):
    """One of the tools that may be called."""

    type: str = "function"
    function: Named | None = None
    custom: Named | None = None


class Allowed(msgspec.Struct):
    """Some of the tools."""

    tools: list[AllowedTool]
    mode: Literal["auto", "required"] = "auto"


class ChoiceWire(msgspec.Struct):
    """Which tool to call."""

    type: Literal["function", "custom", "allowed_tools"]
    function: Named | None = None
    custom: Named | None = None
    allowed_tools: Allowed | None = None


class SchemaWire(msgspec.Struct):
    """The form that an answer shall have."""

    name: str = "answer"
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class FormatWire(msgspec.Struct):
    """``response_format``."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaWire | None = None


class StreamOptions(msgspec.Struct):
    """``stream_options``."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


Tokens = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Request(msgspec.Struct):
    """A request. Members that are not here are told as unknown."""

    model: str
    messages: list[MessageWire]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Share | None = None
    top_k: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None  # vLLM and others
    stop: str | Annotated[list[str], Meta(max_length=64)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    seed: int | None = None
    random_seed: int | None = None  # Mistral
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[ToolWire] | None = None
    functions: list[FunctionWire] | None = None
    tool_choice: Literal["none", "auto", "required", "any"] | ChoiceWire | None = None
    function_call: Literal["none", "auto"] | Named | None = None
    parallel_tool_calls: bool | None = None
    response_format: FormatWire | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    modalities: list[str] | None = None
    audio: Any = None
    prediction: Any = None
    prompt_cache_key: str | None = None
    cache_control: CacheControl | None = None


class KnownRequest(Request, forbid_unknown_fields=True):
    """A request without a member that is not here."""


REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
KNOWN_REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(KnownRequest)
TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
KNOWN = frozenset(Request.__struct_fields__)

# Answers. Providers are read more leniently than clients: what is null, missing or unknown is taken as nothing.


class PromptDetails(msgspec.Struct):
    """Classes among the input."""

    cached_tokens: int | None = None
    audio_tokens: int | None = None
    cache_write_tokens: int | None = None


class CompletionDetails(msgspec.Struct):
    """Classes among the output."""

    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class UsageWire(msgspec.Struct):
    """What a provider counts. DeepSeek and Moonshot tell cached input in members of their own."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None


class FunctionPiece(msgspec.Struct):
    """A function's name and arguments, or pieces of them. Some services send an object in place of its text."""

    name: str | None = None
    arguments: Any = None


class CustomPiece(msgspec.Struct):
    """The same of a custom tool."""

    name: str | None = None
    input: str | None = None


class CallPiece(msgspec.Struct):
    """A call of an answer, or a piece of one."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionPiece | None = None
    custom: CustomPiece | None = None
    extra_content: Any = None


class UrlCitation(msgspec.Struct):
    """A source in the web; positions are those of the answer's text."""

    url: str = ""
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class Annotation(msgspec.Struct):
    """A remark about the answer's text."""

    type: str = ""
    url_citation: UrlCitation | None = None


class AudioAnswer(msgspec.Struct):
    """An answer in audio. In a stream its data and transcript come in pieces."""

    id: str | None = None
    data: str | None = None
    transcript: str | None = None


class Said(msgspec.Struct):
    """A message of an answer, or a piece of one."""

    content: str | list[Any] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None
    tool_calls: list[CallPiece] | None = None
    function_call: FunctionPiece | None = None
    annotations: list[Annotation] | None = None
    audio: AudioAnswer | None = None


class LogprobsWire(msgspec.Struct):
    """Log-probabilities of the text; those of a refusal are not told on."""

    content: list[Any] | None = None


class ChoicePiece(msgspec.Struct):
    """A choice of an answer (``message``) or of a chunk (``delta``)."""

    index: int = 0
    message: Said | None = None
    delta: Said | None = None
    finish_reason: str | None = None
    logprobs: LogprobsWire | None = None


class Answer(msgspec.Struct):
    """A ``chat.completion``, or a ``chat.completion.chunk``. ``error`` in either is a failure."""

    id: str | None = None
    model: str | None = None
    created: int | float | None = None
    choices: list[ChoicePiece] | None = None
    usage: Any = None
    service_tier: str | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


ANSWER = msgspec.json.Decoder(Answer)
