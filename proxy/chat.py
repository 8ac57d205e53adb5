"""The neutral form of a conversation: what is asked, what is answered, and the answer piece by piece.

Every dialect reads into this form and writes from it, so that any inbound format reaches any outbound one through two
translations instead of twenty. Names are OpenAI's where it has one. What a format cannot say in these words travels as
``Foreign`` and is named among the losses when it cannot be delivered.

Conventions: binary data is base64 text as it came, tool arguments are JSON text as the model wrote them, JSON Schemas
are decoded values, and ``None`` means that nobody said anything, which is not the same as 0, False or "".
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

Role = Literal["system", "developer", "user", "assistant"]
Kind = Literal["text", "reasoning", "arguments", "refusal", "signature"]
Stop = Literal["stop", "stop_sequence", "length", "tool_calls", "content_filter", "refusal", "pause", "other"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Cache(msgspec.Struct, frozen=True):
    """A marker: everything up to and including the part that carries it may be cached by the provider, for ``ttl``."""

    ttl: Literal["5m", "1h"] = "5m"


class PromptCache(msgspec.Struct, frozen=True, kw_only=True):
    """Where to place markers in a request that has none: after the tools, after the system prompt, after the messages
    at these positions (negative ones count from the end; results of tools belong to their message)."""

    tools: bool = True
    system: bool = True
    messages: tuple[int, ...] = (-1,)
    cache: Cache = Cache()


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """What to set in a request. ``parameters`` by their neutral names; ``system``: a text for the system prompt, which
    it replaces, or stands before or behind."""

    parameters: dict[str, Any] = {}
    system: str | None = None
    place: Literal["replace", "prepend", "append"] = "replace"


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a statement comes from. ``url`` for the web, ``document`` (its index) and ``title`` for given documents.

    ``start`` and ``end`` are positions in the source for a document (characters, pages or blocks: ``unit``), and in the
    answer's own text for a url, as far as the provider tells them.
    """

    text: str = ""  # what is quoted of the source
    url: str | None = None
    title: str | None = None
    document: int | None = None
    start: int | None = None
    end: int | None = None
    unit: Literal["char", "page", "block", "answer"] = "char"
    value: Any = None  # as the provider wrote it, for its own dialect
    origin: str = ""  # that dialect


class Text(msgspec.Struct, tag="text"):
    """Plain text."""

    text: str
    cache: Cache | None = None
    citations: tuple[Citation, ...] = ()
    signature: str | None = None  # opaque proof of a thought behind it (Gemini signs text parts too)
    origin: str = ""  # whose signature it is


class Media(msgspec.Struct, tag="media", kw_only=True):
    """An image, a piece of audio, a video, or a document; exactly one of ``data`` (base64), ``url``, ``file_id``.

    A plain text document is ``kind="file"`` with ``media_type="text/plain"`` and base64 data like any other.
    """

    kind: Literal["image", "audio", "video", "file"]
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    media_type: str | None = None  # "image/png"; needed with ``data``
    name: str | None = None  # file name or title
    context: str | None = None  # about a document, not cited from
    detail: str | None = None  # "auto" | "low" | "high" | "original"
    cite: bool = False  # the answer may cite this document
    cache: Cache | None = None


class ToolCall(msgspec.Struct, tag="tool_call", kw_only=True):
    """The model calls a tool. ``arguments`` is JSON text, or free text for a ``custom`` tool."""

    id: str
    name: str
    arguments: str
    custom: bool = False
    signature: str | None = None  # opaque proof of the thought behind it (Gemini)
    origin: str = ""  # whose signature it is
    cache: Cache | None = None


class ToolResult(msgspec.Struct, tag="tool_result", kw_only=True):
    """What came of a tool call; stands in a user message. ``name`` is the tool's, where the format tells it."""

    call_id: str
    parts: tuple[Text | Media | Foreign, ...]
    is_error: bool = False
    name: str | None = None
    cache: Cache | None = None


class Reasoning(msgspec.Struct, tag="reasoning", kw_only=True):
    """What the model thought. ``signature`` proves it to the provider ``origin`` that made it; ``redacted`` is opaque
    data in place of the text. Only a dialect whose ``signs`` equals ``origin`` may send it back."""

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    origin: str = ""
    id: str | None = None  # of the reasoning item, where it has one
    is_summary: bool = False  # the text is a summary of the thought


class Refusal(msgspec.Struct, tag="refusal"):
    """The model declines, in its own words."""

    text: str


class Foreign(msgspec.Struct, tag="foreign", kw_only=True):
    """Something only its own dialect can say: ``value`` is its JSON, ``what`` the name to report when it is dropped."""

    origin: str  # name of the dialect
    what: str
    value: Any


Part = Text | Media | ToolCall | ToolResult | Reasoning | Refusal | Foreign


class Message(msgspec.Struct):
    """One turn, or a piece of one: a dialect that demands alternating roles merges neighbours (``alternate``).

    Results of tools are parts of a user message and stand before its other parts.
    """

    role: Role
    parts: list[Part]
    name: str | None = None


class Tool(msgspec.Struct, kw_only=True):
    """A function that the model may call. ``parameters`` is a JSON Schema, None for a function without any.

    ``custom``: a tool that takes free text, described by ``format`` (OpenAI's grammar object). ``foreign``: a tool that
    the provider runs itself (web search …), ``value`` being its JSON in the dialect ``foreign``.
    """

    name: str
    description: str | None = None
    parameters: Any = None
    strict: bool | None = None
    custom: bool = False
    format: Any = None
    foreign: str | None = None
    value: Any = None
    cache: Cache | None = None


class ToolChoice(msgspec.Struct, frozen=True):
    """``auto``, ``none``, ``required`` (any of them, or of ``allowed``), or ``tool`` (the one called ``name``)."""

    mode: Literal["auto", "none", "required", "tool"]
    name: str | None = None
    allowed: tuple[str, ...] = ()


class Format(msgspec.Struct, kw_only=True):
    """The shape of the answer's text. ``schema`` is a JSON Schema, for ``json_schema``."""

    kind: Literal["json_object", "json_schema"]
    name: str = "answer"
    schema: Any = None
    description: str | None = None
    strict: bool | None = None


class Thinking(msgspec.Struct, frozen=True, kw_only=True):
    """How much to think before answering: an ``effort``, or a ``budget`` of tokens (0: not at all, -1: as the model
    likes). ``visible``: whether the caller wants to see thoughts or their summary, ``summary`` being OpenAI's word."""

    effort: Effort | None = None
    budget: int | None = None
    visible: bool | None = None
    summary: str | None = None


class Chat(msgspec.Struct, kw_only=True):
    """A request. ``extra`` holds members that have no neutral name, by the caller's own: they are losses, always."""

    model: str
    messages: list[Message]
    stream: bool = False
    include_usage: bool = False  # an OpenAI client asked for the usage in its stream
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] = []
    n: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: list[Tool] = []
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    functions: bool = False  # asked by OpenAI's older functions, and answered so: one call, without an id
    format: Format | None = None
    thinking: Thinking | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    modalities: list[str] | None = None
    audio: Any = None  # OpenAI's {voice, format}
    prediction: Any = None  # OpenAI's predicted output
    prompt_cache_key: str | None = None
    cache: Cache | None = None  # the provider places the marker itself (Anthropic's top-level cache_control)
    store: bool | None = None
    previous: str | None = None  # id of the stored response that this one continues
    continued: str | None = None  # the same, once its messages stand before these
    instructed: bool = False  # the first message holds instructions for this request alone, never to be stored
    guardrail: Any = None  # Bedrock's guardrail configuration
    extra: dict[str, Any] = {}


class Usage(msgspec.Struct, kw_only=True):
    """Tokens by class. The classes are disjoint: their sum is the total, and nothing is counted twice.

    ``reasoning`` is 0 where the provider counts thoughts among the output without saying how many.
    """

    input: int = 0  # neither cached nor audio
    cached_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    output: int = 0  # neither reasoning nor audio
    reasoning: int = 0
    output_audio: int = 0

    @property
    def input_total(self) -> int:
        return self.input + self.cached_read + self.cache_write_5m + self.cache_write_1h + self.input_audio

    @property
    def output_total(self) -> int:
        return self.output + self.reasoning + self.output_audio


class Choice(msgspec.Struct, kw_only=True):
    """One answer. ``stop`` is the neutral reason; ``reason`` the provider's own word when it has no neutral one;
    ``sequence`` the stop sequence that was met. ``logprobs`` is OpenAI's list of token objects."""

    parts: list[Part]
    stop: Stop = "stop"
    index: int = 0
    reason: str | None = None
    sequence: str | None = None
    logprobs: list[Any] | None = None


class Completion(msgspec.Struct, kw_only=True):
    """A whole answer. ``usage`` None: the provider told none. ``created`` in seconds since the epoch, 0 if unknown."""

    id: str
    model: str
    choices: list[Choice]
    created: int = 0
    usage: Usage | None = None
    service_tier: str | None = None


# The answer piece by piece. A block is a part of one choice: `Open` begins it, `Delta` adds to it, `Close` ends it.
# Blocks of a choice are numbered from 0 in the order of their `Open`. A reader opens and closes every block that it
# tells of, and closes all before `Finish`; two blocks of one choice may be open at once only if the provider really
# goes back and forth between them. Whole parts (redacted reasoning, an image, Foreign) come as an `Open` that holds
# everything and a `Close`.


class Begin(msgspec.Struct, kw_only=True):
    """First of all. ``usage`` where the provider tells its input already."""

    id: str
    model: str
    created: int = 0
    usage: Usage | None = None
    service_tier: str | None = None


class Open(msgspec.Struct):
    """A block begins. ``part`` has everything that is known so far; its text or arguments are a first piece."""

    choice: int
    block: int
    part: Part


class Delta(msgspec.Struct, frozen=True):
    """A piece of a block's text, reasoning, arguments, refusal, or signature (which arrives whole in most formats)."""

    choice: int
    kind: Kind
    text: str
    block: int = 0


class Cite(msgspec.Struct):
    """A citation for an open block of text."""

    choice: int
    block: int
    citation: Citation


class Logprobs(msgspec.Struct):
    """OpenAI's token objects for the text since the last ones."""

    choice: int
    tokens: list[Any]


class Close(msgspec.Struct):
    """A block is complete."""

    choice: int
    block: int


class Finish(msgspec.Struct, kw_only=True):
    """A choice is complete; see ``Choice`` for the fields."""

    choice: int = 0
    stop: Stop = "stop"
    reason: str | None = None
    sequence: str | None = None


class Total(msgspec.Struct):
    """The usage of the whole answer; a later one replaces an earlier."""

    usage: Usage


class End(msgspec.Struct):
    """The provider's own mark that the stream is complete. Nothing comes after it."""


Event = Begin | Open | Delta | Cite | Logprobs | Close | Finish | Total | End


class Pieces(Protocol):
    """A stream of events in its caller's dialect: one object per answer."""

    def split(self, chunk: bytes) -> list[bytes]:
        """Whole events, as the bytes that came."""

    def read(self, event: bytes) -> list[Event]:
        """What it says; nothing if it cannot be read.

        Raises:
            UpstreamError: the provider says that it has failed.
        """

    def write(self, events: list[Event]) -> bytes:
        """Events in the caller's dialect: from the first on, or not at all."""


class Losses:
    """What a translation dropped or changed, by name, in the order in which it was noticed, each once.

    A name is a path into the request in neutral words: ``top_k``, ``tools[0].parameters.pattern``.
    """

    __slots__ = ("names",)

    MAX = 32  # names; more of them say no more

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def add(self, name: str) -> None:
        """Note that ``name`` is dropped or changed."""
        if len(self.names) < self.MAX:
            self.names[name] = None

    def __bool__(self) -> bool:
        return bool(self.names)


def alternate(messages: list[Message]) -> list[Message]:
    """Neighbours of one role merged into one message, for formats that demand turns."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            merged[-1] = Message(message.role, [*merged[-1].parts, *message.parts], merged[-1].name)
        else:
            merged.append(message)
    return merged


def split_system(messages: list[Message]) -> tuple[list[Part], list[Message]]:
    """The parts of all system and developer messages at the head of a conversation, and the messages after them."""
    for at, message in enumerate(messages):
        if message.role not in ("system", "developer"):
            return [part for head in messages[:at] for part in head.parts], messages[at:]
    return [part for head in messages for part in head.parts], []


SEAL = "sg."


def seal(origin: str, signature: str) -> str:
    """A signature for a dialect in which others sign: says whose it is, so that it finds back."""
    return f"{SEAL}{origin}.{signature}"


def unseal(text: str, own: str) -> tuple[str, str]:
    """``(origin, signature)`` of a signature met in a dialect whose providers sign as ``own``."""
    if text.startswith(SEAL):
        origin, dot, signature = text[len(SEAL) :].partition(".")
        if dot:
            return origin, signature
    return own, text
