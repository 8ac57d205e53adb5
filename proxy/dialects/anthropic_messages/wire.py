"""The Messages API as it stands on the wire: requests of clients, answers and events of providers.

One flat type holds every kind of block, told apart by ``type``: that decodes in one pass, and a kind that is unknown
is no error yet. What the rest of the dialect has no word for is read again from the body as it came (``Again``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

NAME = "anthropic_messages"
SIGNS = "anthropic"
# The tool by which a model answers that cannot be held to a schema otherwise. Its input is the text of the answer.
ANSWER_TOOL = "sluicegate_answer"

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class CacheControl(msgspec.Struct):
    """A marker of the prompt cache."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class Cites(msgspec.Struct):
    """Whether a document may be cited."""

    enabled: bool = False


class Source(msgspec.Struct):
    """Where the data of an image or a document are."""

    type: str
    data: str | None = None
    media_type: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: str | list[Block] | None = None


class Block(msgspec.Struct):
    """A block of a request; which members it has depends on ``type``."""

    type: str
    text: str | None = None
    cache_control: CacheControl | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw()
    tool_use_id: str | None = None
    content: str | list[Block] | dict[str, Any] | None = None
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    source: str | Source | None = None
    title: str | None = None
    context: str | None = None
    citations: list[dict[str, Any]] | Cites | None = None


class Turn(msgspec.Struct):
    """One message."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class ToolWire(msgspec.Struct):
    """A tool. Without a type, or with "custom", the client runs it; all others are the provider's own."""

    type: str | None = None
    name: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None
    allowed_callers: Any = None
    defer_loading: Any = None
    input_examples: Any = None


class ToolChoiceWire(msgspec.Struct):
    """Whether tools must, may or must not be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingWire(msgspec.Struct):
    """How the model shall think."""

    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)] | None = None
    display: Literal["summarized", "omitted"] | None = None


class FormatWire(msgspec.Struct):
    """The shape of the answer's text."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(msgspec.Struct):
    """How hard the model shall try, and the shape of its answer."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: FormatWire | None = None
    task_budget: Any = None


class MetadataWire(msgspec.Struct):
    """For whom the request is made."""

    user_id: str | None = None


class Request(msgspec.Struct):
    """What a client asks."""

    model: str
    messages: list[Turn]
    max_tokens: Count | None = None
    system: str | list[Block] | None = None
    stream: bool | None = None
    temperature: Share | None = None
    top_p: Share | None = None
    top_k: Count | None = None
    stop_sequences: list[str] | None = None
    tools: list[ToolWire] | None = None
    tool_choice: ToolChoiceWire | None = None
    thinking: ThinkingWire | None = None
    output_config: OutputConfig | None = None
    output_format: FormatWire | None = None
    metadata: MetadataWire | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    cache_control: CacheControl | None = None


class KnownRequest(Request, forbid_unknown_fields=True):
    """A request without a member that is not here."""


REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
KNOWN_REQUEST: msgspec.json.Decoder[Request] = msgspec.json.Decoder(KnownRequest)
TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
KNOWN = frozenset(Request.__struct_fields__)


class CacheWrites(msgspec.Struct):
    """What was written into the cache, by lifetime."""

    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class OutputDetails(msgspec.Struct):
    """What of the output was thought."""

    thinking_tokens: int | None = None


class UsageWire(msgspec.Struct):
    """Every member may be missing, and then says nothing; 0 says 0."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: CacheWrites | None = None
    output_tokens_details: OutputDetails | None = None
    service_tier: str | None = None


class AnswerBlock(msgspec.Struct):
    """A block of an answer."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw()
    citations: list[dict[str, Any]] | None = None


class StopDetails(msgspec.Struct):
    """Why the model refused."""

    explanation: str | None = None


class Answer(msgspec.Struct):
    """A whole answer, and the head of a streamed one."""

    type: str = ""
    id: str = ""
    model: str = ""
    content: list[AnswerBlock] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    usage: Any = None


class Piece(msgspec.Struct):
    """The ``delta`` of an event: of a block, or of the message."""

    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    citation: dict[str, Any] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None


class Event(msgspec.Struct):
    """One event of a stream."""

    type: str
    index: int = -1
    message: Answer | None = None
    content_block: AnswerBlock | None = None
    delta: Piece | None = None
    usage: Any = None


EVENT = msgspec.json.Decoder(Event)
