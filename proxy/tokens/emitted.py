"""What an answer has used, by the provider's own bytes as they pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from proxy.chat import Usage
from proxy.dialects.anthropic_messages.usage import merge
from proxy.dialects.anthropic_messages.usage import read_usage as read_messages
from proxy.dialects.anthropic_messages.wire import UsageWire as MessagesUsage
from proxy.dialects.gemini.usage import read_usage as read_gemini
from proxy.dialects.gemini.wire import UsageWire as GeminiUsage
from proxy.dialects.openai_chat.usage import read_usage as read_chat
from proxy.dialects.openai_chat.wire import UsageWire as ChatUsage
from proxy.dialects.openai_responses.usage import read_usage as read_responses
from proxy.dialects.openai_responses.wire import UsageWire as ResponsesUsage
from proxy.tokens.encodings import count
from proxy.tokens.said import texts_of
from proxy.tokens.told import Told, read_told
from proxy.wire.sse import Splitter, read_data

FOLD_AT = 64 << 10  # bytes of a stream that are kept as they came
_MOST = 4 << 20  # bytes of text that are kept to be counted
_NEEDLE = b'"usage'  # of `usage` and of `usageMetadata`
_NOTHING = re.compile(rb'"usage"\s*:\s*null')
_USUAL = ("", "default", "standard", "auto")
_WORD = re.compile(r"[a-z0-9_-]{1,32}")


class Emitted:
    """Sees the chunks of one stream, which end where its events end. What it holds is bounded."""

    __slots__ = ("_beyond", "_chunks", "_dialect", "_first", "_fold_at", "_kept", "_last", "_size", "_texts")

    def __init__(self, dialect: str, fold_at: int = FOLD_AT) -> None:
        self._dialect = dialect
        self._fold_at = fold_at
        self._chunks: list[bytes] = []  # whose text has not been taken out yet
        self._size = 0
        self._texts: list[bytes] = []  # as they stood in JSON
        self._kept = 0
        self._beyond = 0  # bytes of text that were not kept
        self._first: bytes | None = None  # chunks that tell of usage
        self._last: bytes | None = None

    def feed(self, chunk: bytes) -> None:
        """This is passing."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        if _NEEDLE in chunk and _tells(chunk):
            if self._first is None:
                self._first = chunk
            else:
                self._last = chunk
        if self._size > self._fold_at:
            self._fold()

    def _fold(self) -> None:
        """Keep the text alone."""
        found = texts_of(self._dialect, b"".join(self._chunks))
        self._chunks, self._size = [], 0
        for text in found:
            if self._kept < _MOST:
                self._texts.append(text)
                self._kept += len(text)
            else:
                self._beyond += len(text)

    @property
    def has_begun(self) -> bool:
        """Whether any text has been emitted."""
        self._fold()
        return any(self._texts)

    @property
    def size(self) -> int:
        """About how many bytes of text there are to count."""
        self._fold()
        return self._kept

    def text(self) -> str:
        """What has been emitted, as far as it is kept."""
        self._fold()
        whole = _read(b"".join(self._texts))  # one reading for all: what is escaped may stand in two pieces
        return whole if whole is not None else "".join(filter(None, map(_read, self._texts)))

    def usage(self) -> Usage | None:
        """What the provider has told so far."""
        told = [chunk for chunk in (self._first, self._last) if chunk is not None]
        return _usage(self._dialect, [wire for chunk in told for wire in _wires(chunk)])

    def tier(self) -> str:
        """The service tier that has served it; "" for the usual one."""
        told = [chunk for chunk in (self._first, self._last) if chunk is not None]
        return next((tier for chunk in told for wire in _wires(chunk) if (tier := _tier(wire))), "")

    def tokens(self, model: str) -> int:
        """What was emitted, counted as ``model`` would. Slow."""
        return count(self.text(), model) + self._beyond // 4


def _tells(chunk: bytes) -> bool:
    """Whether it says more than that nothing is known yet."""
    return len(_NOTHING.findall(chunk)) < chunk.count(_NEEDLE)


def _read(text: bytes) -> str | None:
    """A text as it stands in JSON, read; None if it cannot be."""
    try:
        return msgspec.json.decode(b'"' + text + b'"', type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _wires(chunk: bytes) -> list[Told]:
    """What the events of a chunk say of usage."""
    splitter = Splitter(1 << 62)  # what is too large has been refused already
    found = []
    for event in splitter.feed(chunk) + splitter.finish():
        data = read_data(event)
        if data is not None and _NEEDLE in data and (wire := _wire(data)) is not None:
            found.append(wire)
    return found


def _wire(data: bytes) -> Told | None:
    try:
        return read_told(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _usage(dialect: str, wires: list[Told]) -> Usage | None:
    """The last that was told; in Anthropic's streams, what was told first holds where the last is silent."""
    if dialect == "anthropic_messages":
        known: MessagesUsage | None = None
        for wire in wires:
            told = wire.usage if wire.message is None else wire.message.usage
            known = merge(known, _as(MessagesUsage, told))
        return read_messages(known)
    for wire in reversed(wires):
        found = _READ[dialect](wire)
        if found is not None:
            return found
    return None


def _as(type_: type[Any], told: Any) -> Any:
    """``told`` as the provider should have told it; None if it did not."""
    if told is None:
        return None
    try:
        return msgspec.convert(told, type_, strict=False)
    except msgspec.ValidationError:
        return None


def _responses(wire: Told) -> Usage | None:
    told = wire.usage if wire.response is None else wire.response.usage
    return read_responses(_as(ResponsesUsage, told))


def _plain(wire: Told) -> Usage | None:
    """Embeddings tell it like chats, images like responses."""
    told = wire.usage
    if isinstance(told, dict) and "input_tokens" in told:
        return read_responses(_as(ResponsesUsage, told))
    return read_chat(_as(ChatUsage, told))


_READ: dict[str, Callable[[Told], Usage | None]] = {
    "openai_chat": lambda wire: read_chat(_as(ChatUsage, wire.usage)),
    "openai_responses": _responses,
    "anthropic_messages": lambda wire: read_messages(_as(MessagesUsage, wire.usage)),
    "gemini": lambda wire: read_gemini(_as(GeminiUsage, wire.metadata)),
    "": _plain,
}


def whole_usage(dialect: str | None, told: Told | None) -> tuple[Usage | None, str]:
    """What a whole answer in a dialect tells of its usage, None if nothing, and the service tier that has served it.
    ``dialect`` None: what only passes."""
    return (None, "") if told is None else (_READ[dialect or ""](told), _tier(told))


def _tier(wire: Told) -> str:
    inner = wire.message or wire.response or wire
    usage = inner.usage
    told = usage.get("service_tier") if isinstance(usage, dict) and "service_tier" in usage else inner.service_tier
    return service_tier(told) if isinstance(told, str) else ""


def service_tier(told: str | None) -> str:
    """A provider's word for a service tier; "" for the usual one, and for what is no word."""
    return "" if told is None or told in _USUAL or not _WORD.fullmatch(told) else told


_MOST_TOKENS = 100_000_000
_SLACK = 200_000  # what a provider reads beside the request: pages it has searched for, earlier answers, pictures


def absurd(usage: Usage, bound_input: int, bound_output: int) -> Usage | None:
    """None if ``usage`` may be true; else what is left of it when what cannot be is replaced by the bounds."""
    if (
        not _is_beyond(usage.input_total, bound_input)
        and not _is_beyond(usage.output_total, bound_output)
        and min(usage.input, usage.cached_read, usage.cache_write_5m, usage.cache_write_1h, usage.input_audio) >= 0
        and min(usage.output, usage.reasoning, usage.output_audio) >= 0
    ):
        return None
    parts = {name: max(0, getattr(usage, name)) for name in Usage.__struct_fields__}
    if _is_beyond(usage.input_total, bound_input):
        parts |= {"input": bound_input, "cached_read": 0, "cache_write_5m": 0, "cache_write_1h": 0, "input_audio": 0}
    if _is_beyond(usage.output_total, bound_output):
        parts |= {"output": bound_output, "reasoning": 0, "output_audio": 0}
    clamped = Usage(**parts)
    return None if clamped == usage else clamped


def _is_beyond(told: int, bound: int) -> bool:
    return told > min(10 * bound + _SLACK, _MOST_TOKENS)
