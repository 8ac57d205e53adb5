"""How many tokens a request has: at most, from its bytes alone, and as counted.

The overhead of messages is that of OpenAI's cookbook, "How to count tokens with tiktoken":
https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from collections.abc import Callable, Collection, Iterator
from math import ceil
from typing import Any

import msgspec

from proxy.chat import Chat, Foreign, Media, Message, Part, Reasoning, Refusal, Text, Tool, ToolCall, ToolResult
from proxy.choosing.capability import Growth
from proxy.dialects.splice import Maxima
from proxy.exchange import Exchange
from proxy.targets.needs import conversation_of, needs_of
from proxy.tokens.encodings import count_all, is_loaded

_AROUND = 16  # tokens around everything
_ELSEWHERE = 2_000  # tokens of what a request only names, or of a small picture of many pixels
# Where such a thing stands. In a text of the caller the quotes would be escaped. One pass: a search for each is slower.
_MARKS = re.compile(
    rb'"(?:i(?:mage_url|n(?:put_(?:image|audio)|line(?:Data|_data)))|file(?:_id|_data|Data)|type":\s?"(?:url|base64))"'
)
_MOST = 10_000_000  # tokens of an answer; no model gives that many, so whoever asks for more has set no maximum
_SILENT = frozenset({"embeddings", "count_tokens"})  # operations whose answers have no tokens

_MESSAGE = 4  # three around each message, and its role
_PRIMING = 3  # every answer begins with so many
_PICTURE, _SMALL_PICTURE = 1_100, 85
_PER_TOKEN = {"file": 32, "audio": 128, "video": 128}  # characters of base64: dense pages, low bit rates
_SHORT = 20_000  # characters that are counted at once, within about 5 ms
_EACH = 16  # characters that take as long as it takes to begin a text
_LARGE = 512 << 10  # bytes of a request that is read off the loop


class _Embeddings(msgspec.Struct):
    input: str | list[str | int | list[int]]  # one text, or several; one list of tokens, or several


_EMBEDDINGS = msgspec.json.Decoder(_Embeddings)


def bound(x: Exchange) -> tuple[int, int | None]:
    """Tokens of the request, at most, and tokens of the answer, at most, None where the request sets no maximum.

    A token covers at least one byte. That is also more than data in base64 costs, but for small files of many pixels.
    """
    most, output = quick_bound(x)
    return most + len(_MARKS.findall(x.body)) * _ELSEWHERE, output


def quick_bound(x: Exchange) -> tuple[int, int | None]:
    """The same without what a request names that stands elsewhere, such as pictures: nothing is searched for."""
    return len(x.body) + _AROUND, maximum(x)


def grown(x: Exchange, size: tuple[int, int], growths: Collection[Growth]) -> tuple[int, int]:
    """Tokens of a request and of its answer, at most, at any of the targets to which it grows from ``size``."""
    if x.endpoint is None or x.endpoint.dialect is None or x.endpoint.operation in _SILENT:
        return size
    read = _LIMITS.get(x.endpoint.dialect)
    times = 1.0 if read is None or x.maxima is None else _number(read(x.maxima)[1]) or 1.0
    times = times if 1 <= times <= _MOST else 1.0
    outputs = [size[1] if one.output is None else min(ceil(one.output * times), _MOST) for one in growths]
    return size[0] + max(one.input for one in growths), max(outputs)


def maximum(x: Exchange) -> int | None:
    """Tokens of the answer, or of all answers, at most; None where the request says nothing that makes sense."""
    if x.endpoint is None:
        return None
    if x.endpoint.operation in _SILENT:
        return 0
    read, maxima = _LIMITS.get(x.endpoint.dialect), x.maxima
    if read is None or maxima is None:
        return None
    tokens, times = map(_number, read(maxima))
    times = 1 if times is None else times
    if tokens is None or not (0 <= tokens <= _MOST and 1 <= times <= _MOST and tokens * times <= _MOST):
        return None
    return ceil(tokens * times)


def _of_gemini(maxima: Maxima) -> tuple[Any, Any]:
    config = maxima.generation
    return (config.get("maxOutputTokens"), config.get("candidateCount")) if isinstance(config, dict) else (None, None)


_LIMITS: dict[str | None, Callable[[Maxima], tuple[Any, Any]]] = {
    "openai_chat": lambda maxima: (
        maxima.max_tokens if maxima.max_completion_tokens is None else maxima.max_completion_tokens,
        maxima.n,
    ),
    "openai_responses": lambda maxima: (maxima.max_output_tokens, None),
    "anthropic_messages": lambda maxima: (maxima.max_tokens, None),
    "gemini": _of_gemini,
}


def _number(told: Any) -> float | None:
    """Google's API takes numbers in quotes, and others may."""
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 12:
        return int(told)
    return told if isinstance(told, int | float) and not isinstance(told, bool) else None


async def counted(x: Exchange) -> int:
    """Tokens of the request, counted for the model that it names; never more than its bound.

    What is too large to be read, or cannot be, is estimated by its length.
    """
    most, _ = bound(x)
    if x.endpoint is not None and x.endpoint.operation == "embeddings":
        texts, tokens = _embeddings(x.body)
        if texts or tokens:
            return min(most, tokens + await _count(texts, x.model))
    is_large = len(x.body) > _LARGE and x.chat is None and x.read is None
    chat = await asyncio.to_thread(conversation_of, x) if is_large else conversation_of(x)
    if chat is None:
        return min(most, needs_of(x).input_tokens or len(x.body) // 4 + 1)
    return min(most, _overhead(chat) + await _count([text for text in _texts(chat) if text], x.model))


async def _count(texts: list[str], model: str) -> int:
    if is_loaded(model) and sum(map(len, texts)) + len(texts) * _EACH <= _SHORT:
        return count_all(texts, model)
    return await asyncio.to_thread(count_all, texts, model)


def _embeddings(body: bytes) -> tuple[list[str], int]:
    """The texts, and how many tokens the caller has counted already."""
    try:
        given = _EMBEDDINGS.decode(body).input
    except (msgspec.DecodeError, UnicodeDecodeError):
        return [], 0
    if isinstance(given, str):
        return [given], 0
    tokens = sum(1 if isinstance(item, int) else len(item) for item in given if not isinstance(item, str))
    return [item for item in given if isinstance(item, str)], tokens


def _overhead(chat: Chat) -> int:
    """Tokens of everything that is no text."""
    tokens = _PRIMING
    for message in chat.messages:
        tokens += _MESSAGE if message.name is None else _MESSAGE + 1
        for part in _flat(message):
            if isinstance(part, Media):
                tokens += _media(part)
            elif isinstance(part, Reasoning) and part.redacted:
                tokens += len(part.redacted) // 4
    return tokens


def _media(part: Media) -> int:
    """What providers make of it, about; a plain text is counted among the texts."""
    if _is_text(part):
        return 0
    if part.kind == "image":
        return _SMALL_PICTURE if part.detail == "low" else _PICTURE
    return max(_PICTURE, len(part.data or "") // _PER_TOKEN[part.kind])


def _texts(chat: Chat) -> Iterator[str]:
    """Everything that the model reads."""
    for message in chat.messages:
        yield message.name or ""
        for part in _flat(message):
            yield from _of_part(part)
    for tool in chat.tools:
        yield from _of_tool(tool)
    if chat.format is not None and chat.format.schema is not None:
        yield from (chat.format.name, chat.format.description or "", _json(chat.format.schema))


def _of_part(part: Part) -> Iterator[str]:
    if isinstance(part, (Text, Reasoning, Refusal)):
        yield part.text
    elif isinstance(part, ToolCall):
        yield part.name
        yield part.arguments
    elif isinstance(part, Foreign):
        yield _json(part.value)
    elif isinstance(part, Media):
        yield part.name or ""
        yield part.context or ""
        if _is_text(part):
            yield _decoded(part.data or "")


def _of_tool(tool: Tool) -> Iterator[str]:
    yield tool.name
    yield tool.description or ""
    for value in (tool.parameters, tool.format, tool.value):
        yield _json(value)


def _flat(message: Message) -> Iterator[Part]:
    """Its parts, and those of the results of tools."""
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield from part.parts
        else:
            yield part


def _is_text(part: Media) -> bool:
    return part.data is not None and (part.media_type or "").startswith("text/")


def _decoded(data: str) -> str:
    """The text that stands in base64; as it stands if that is none."""
    try:
        return b64decode(data).decode("utf-8", "replace")
    except ValueError:
        return data


def _json(value: object) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
