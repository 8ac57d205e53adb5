"""The Responses API as it stands on the wire: requests of clients, answers and events of providers.

One flat type holds every kind of item and one every kind of content, told apart by ``type``: that decodes in one pass,
and a kind that is unknown is no error yet. What no type describes is read again from the body as it came (``Again``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

NAME = "openai_responses"
SIGNS = "openai"

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
EffortWord = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Breakpoint(msgspec.Struct):
    """A marker of the prompt cache."""

    mode: Literal["explicit"]
    ttl: Literal["30m", "12h"] | None = None


class Audio(msgspec.Struct):
    """A sound."""

    """A piece of audio: base64 and its format."""

    data: str
    format: str


class Content(msgspec.Struct):
    """A piece of a message, of a tool's result, or of a thought."""

    type: str
    text: str | None = None
    refusal: str | None = None
    annotations: list[dict[str, Any]] | None = None
    logprobs: list[Any] | None = None
    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: Audio | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class Item(msgspec.Struct):
    """An item of the input or of the output; which members it has depends on ``type``."""

    type: str | None = None
    id: str | None = None
    role: str | None = None
    content: str | list[Content] | None = None
    status: str | None = None
    phase: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: Any = None
    input: Any = None
    output: Any = None
    summary: list[Content] | None = None
    encrypted_content: str | None = None
    result: Any = None
    output_format: str | None = None


class Function(msgspec.Struct):
    """A tool. ``function`` and ``custom`` are run by the client, all others by the provider."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    format: Any = None
    defer_loading: Any = None
    allowed_callers: Any = None
    output_schema: Any = None
    async_: Any = msgspec.field(default=None, name="async")


class Choice(msgspec.Struct):
    """The choice among tools, where it is more than a word."""

    """``tool_choice`` as an object."""

    type: str
    name: str | None = None
    mode: Literal["auto", "required"] | None = None
    tools: list[dict[str, Any]] | None = None


class FormatWire(msgspec.Struct):
    """The shape of the answer's text."""

    """``text.format``."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class TextWire(msgspec.Struct):
    """The answer's text."""

    """``text``: the shape and length of the answer."""

    format: FormatWire | None = None
    verbosity: str | None = None


class ReasoningWire(msgspec.Struct):
    """How much to think, and what to show of it."""

    """``reasoning``: how much to think, and what to show of it."""

    effort: EffortWord | None = None
    summary: str | None = None
    generate_summary: str | None = None
    context: Any = None
    mode: Any = None


class Request(msgspec.Struct):
    """What a client asks."""

    model: str | None = None
    input: str | list[Item] | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    max_output_tokens: Count | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    tools: list[Function] | None = None
    tool_choice: Literal["none", "auto", "required"] | Choice | None = None
    parallel_tool_calls: bool | None = None
    text: TextWire | None = None
    reasoning: ReasoningWire | None = None
    include: list[str] | None = None
    metadata: dict[str, str] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    truncation: Literal["auto", "disabled"] | None = None


class KnownRequest(Request, forbid_unknown_fields=True):
    """A request without a member that is not here."""


REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
KNOWN_REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(KnownRequest)
ITEM = msgspec.json.Decoder(Item)
CONTENTS = list[Content]
TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
KNOWN = frozenset(Request.__struct_fields__)


class WrittenFor(msgspec.Struct):
    """Tokens written to the cache, by how long they stay."""

    """What was written to the cache, by lifetime."""

    ttl_30m_tokens: int | float | None = None
    ttl_12h_tokens: int | float | None = None


class InputDetails(msgspec.Struct):
    """What the tokens of the input were."""

    """Classes among the input."""

    cached_tokens: int | float | None = None
    cache_write_tokens: int | float | None = None
    cache_write_tokens_details: WrittenFor | None = None


class OutputDetails(msgspec.Struct):
    """What those of the output were."""

    """Classes among the output."""

    reasoning_tokens: int | float | None = None


class UsageWire(msgspec.Struct):
    """Every member may be missing, and then says nothing; 0 says 0."""

    input_tokens: int | float | None = None
    output_tokens: int | float | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


class Incomplete(msgspec.Struct):
    """Why an answer broke off."""

    """Why an answer is not complete."""

    reason: str | None = None


class Answer(msgspec.Struct):
    """A response, whole or as far as it has come."""

    id: str = ""
    model: str = ""
    created_at: float | None = None
    status: str | None = None
    error: Any = None
    incomplete_details: Incomplete | None = None
    output: list[Item] | None = None
    usage: Any = None
    service_tier: str | None = None


class Event(msgspec.Struct):
    """One event of a stream."""

    type: str = ""
    response: Answer | None = None
    output_index: int = -1
    content_index: int = 0
    summary_index: int = 0
    item: Item | None = None
    part: Content | None = None
    annotation: dict[str, Any] | None = None
    delta: str = ""
    text: str | None = None
    refusal: str | None = None
    arguments: str | None = None
    input: str | None = None
    logprobs: list[Any] | None = None


ANSWER = msgspec.json.Decoder(Answer)
EVENT = msgspec.json.Decoder(Event)
