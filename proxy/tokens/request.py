"""Tokens of a request: a bound that costs nothing to know, and a count by the tokenizer.

``bound`` holds because a token covers at least one byte, and whatever a format adds around a text takes fewer tokens
than its JSON takes bytes. Only what is not in the bytes has an allowance: pictures and documents, what a provider has
kept from earlier requests, what its own tools find.

``counted`` adds up texts as https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from proxy.chat import Chat, Foreign, Media, Reasoning, Refusal, Text, Tool, ToolCall, ToolResult
from proxy.errors import BadRequest
from proxy.exchange import Exchange
from proxy.tokens.encodings import count_all, encoding_for, is_loaded
from proxy.tokens.pictures import most_per_picture, picture_tokens
from proxy.translation import read

_FORMAT = 1000  # tokens that no caller has written: Anthropic's instructions for the use of tools are up to 735
_DOCUMENT = 100_000  # tokens of one document or video: what its pages hold cannot be told from its bytes
_ELSEWHERE = 100_000  # tokens of what is kept at the provider, or found by its tools
_MOST = 10**9  # tokens: more is not believed
_ASIDE = 20_000  # bytes of a request that is counted off the loop
_SILENT = frozenset({"embeddings", "moderation", "rerank", "count_tokens"})  # operations whose answer has no tokens

_MEDIA = (b"image", b"file", b"inline", b"document", b"video")
_KINDS = re.compile(rb'"(?:image_url|input_image|image|inlineData|inline_data)"')
_DOCUMENTS = re.compile(rb'"(?:file|input_file|document|document_url|video_url|fileData|file_data)"')
_OWN_TOOLS = re.compile(
    rb"web|search|fetch|mcp|code_|codeExecution|urlContext|url_context|computer|maps|retrieval", re.I
)
_ESCAPED = re.compile(rb"\\u00[4-7]")  # a letter that needs no escape, which would hide a member's name


class _Config(msgspec.Struct, rename="camel"):
    """What Gemini's requests hold; either spelling will do."""

    max_output_tokens: int | None = None
    candidate_count: int | None = None
    snake_max: int | None = msgspec.field(default=None, name="max_output_tokens")
    snake_count: int | None = msgspec.field(default=None, name="candidate_count")


class _Asked(msgspec.Struct):
    """Members of a request, of any dialect, that say how large its answer may be, or that there is more to read."""

    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_output_tokens: int | None = None
    n: int | None = None
    best_of: int | None = None
    camel_config: _Config | None = msgspec.field(default=None, name="generationConfig")
    generation_config: _Config | None = None
    previous_response_id: str | None = None
    conversation: msgspec.Raw = msgspec.Raw()
    prompt: msgspec.Raw = msgspec.Raw()
    tools: msgspec.Raw = msgspec.Raw()
    cached_content: str | None = msgspec.field(default=None, name="cachedContent")


_ASKED = msgspec.json.Decoder(_Asked)


class _Embedded(msgspec.Struct):
    """Texts of a request that is no conversation: what stands in ``input`` may be texts or tokens, one or many."""

    input: Any = None
    prompt: Any = None
    query: Any = None
    documents: Any = None


def bound(x: Exchange) -> tuple[int, int | None]:
    """Tokens that the request has at most, and that its caller allows for all of the answer; None: it does not say.

    A body that cannot be read has as many tokens as bytes: it is refused elsewhere.
    """
    body, endpoint = x.body, x.endpoint
    if endpoint is None or (endpoint.dialect is None and endpoint.operation != "text_completion"):
        return len(body), 0 if endpoint is not None and endpoint.operation in _SILENT else None
    try:
        asked = _ASKED.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return len(body), None
    tokens = len(body) + _FORMAT
    if b"\\u00" in body and _ESCAPED.search(body):
        body = _unescaped(body)
    for word in _MEDIA:
        if word in body:
            tokens += _allowance(body, x.model)
            break
    if _reads_more(asked, endpoint.dialect):
        tokens += _ELSEWHERE
    return tokens, 0 if endpoint.operation in _SILENT else _most_output(asked)


def _unescaped(body: bytes) -> bytes:
    try:
        return msgspec.json.encode(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body


def _allowance(body: bytes, model: str) -> int:
    """For what is said to be a picture or a document. Where a format says it twice, by a type and by a member of the
    same name, it counts twice: this is a bound."""
    pictures, documents = len(_KINDS.findall(body)), len(_DOCUMENTS.findall(body))
    return pictures * most_per_picture(model) + documents * _DOCUMENT


def _reads_more(asked: _Asked, dialect: str | None) -> bool:
    """Whether the provider reads what is not in the request."""
    if asked.tools and _OWN_TOOLS.search(bytes(asked.tools)):
        return True
    if asked.previous_response_id or asked.cached_content:
        return True
    if dialect != "openai_responses":
        return False
    return any(raw and bytes(raw) != b"null" for raw in (asked.conversation, asked.prompt))


def _most_output(asked: _Asked) -> int | None:
    limits = [asked.max_tokens, asked.max_completion_tokens, asked.max_output_tokens]
    answers = [asked.n, asked.best_of]
    for config in (asked.camel_config, asked.generation_config):
        if config is not None:
            limits += (config.max_output_tokens, config.snake_max)
            answers += (config.candidate_count, config.snake_count)
    named = [limit for limit in limits if limit is not None and limit >= 0]
    if not named:
        return None
    return min(_MOST, max(named)) * min(1000, max([1, *(many for many in answers if many is not None)]))


async def counted(x: Exchange, model: str | None = None) -> int:
    """Tokens of the request as ``model`` (None: the one that the caller named) would count them.

    For OpenAI's models within 2 % for conversations in text; for others with the margin of ``encodings``. Off the loop
    if it is long, or the encoding has not been read yet. A request that cannot be read has a token for four bytes.
    """
    asked = x.model if model is None else model
    if len(x.body) > _ASIDE or not is_loaded(asked):
        return await asyncio.to_thread(_counted, x, asked)
    return _counted(x, asked)


def _counted(x: Exchange, model: str) -> int:
    try:
        if x.endpoint is not None and x.endpoint.dialect is not None:
            return chat_tokens(x.chat or read(x), model)
        return _plain(msgspec.json.decode(x.body, type=_Embedded), model)
    except (BadRequest, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return len(x.body) // 4


def _plain(asked: _Embedded, model: str) -> int:
    """Of embeddings, plain completions, moderations and rankings: no format is added to their texts."""
    texts, tokens = list[str](), 0
    waiting: list[Any] = [asked.input, asked.prompt, asked.query, asked.documents]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, int):
            tokens += 1
        elif isinstance(value, (list, dict)):
            waiting += value.values() if isinstance(value, dict) else value
    return count_all(texts, model) + tokens


def chat_tokens(chat: Chat, model: str) -> int:
    """Of a conversation. Each message has three tokens around it and its role, a name one more, and three begin the
    answer."""
    texts = list[str]()
    more, pictures = 3, 0
    for message in chat.messages:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        # Every result is a message of its own to the model, though they stand in one here.
        more += 4 * (len(results) + (len(results) < len(message.parts) or not message.parts))
        if message.name is not None:
            texts.append(message.name)
            more += 1
        for part in message.parts:
            for one in part.parts if isinstance(part, ToolResult) else (part,):
                if isinstance(one, Media):
                    pictures += _media(one, model, texts)
                else:
                    texts += _texts(one)
    if chat.tools:
        tools, added = _tools(chat.tools, model)
        texts += tools
        more += added
    if chat.format is not None and chat.format.schema is not None:
        texts.append(_json(chat.format.schema))
    return count_all(texts, model, more) + pictures


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, (Text, Reasoning, Refusal)):
        yield part.text
    elif isinstance(part, ToolCall):
        yield part.name
        yield part.arguments
    elif isinstance(part, Foreign):
        yield _json(part.value)


def _media(part: Media, model: str, texts: list[str]) -> int:
    """Tokens of a picture. Nobody but the provider knows those of anything else; these are margins for usual sizes:
    32 tokens for a second of sound (Gemini's number), and 16 kB a second; a page for 50 kB of a document."""
    texts += (text for text in (part.name, part.context) if text)
    if part.kind == "image":
        return picture_tokens(part, model)
    size = 0 if part.data is None else len(part.data) * 3 // 4
    if part.data is not None and (part.media_type or "").startswith("text/"):
        return size // 4
    if part.kind == "audio":
        return max(100, size // 500)
    return max(1500, size // 50_000 * 1500)


def _tools(tools: list[Tool], model: str) -> tuple[list[str], int]:
    """Texts of the definitions and what OpenAI puts around them, by the cookbook's page."""
    is_newer = encoding_for(model).name == "o200k_base"
    texts = list[str]()
    more = 12
    for tool in tools:
        more += 7 if is_newer else 10
        texts.append(f"{tool.name}:{_sentence(tool.description)}")
        if tool.value is not None or tool.format is not None:
            texts.append(_json(tool.value if tool.value is not None else tool.format))
        if isinstance(tool.parameters, dict):
            more += _members(tool.parameters, texts)
    return texts, more


def _members(schema: dict[str, Any], texts: list[str]) -> int:
    """The same for the members of an object, and those of the objects within it."""
    members = schema.get("properties")
    more = 0
    if isinstance(members, dict) and members:
        more += 3
        for name, member in members.items():
            more += 3
            if not isinstance(member, dict):
                continue
            kind = member.get("type", "")
            texts.append(
                f"{name}:{kind if isinstance(kind, str) else _json(kind)}:{_sentence(member.get('description'))}"
            )
            values = member.get("enum")
            if isinstance(values, list):
                more += 3 * len(values) - 3
                texts += (value if isinstance(value, str) else _json(value) for value in values)
            more += _members(member, texts)
    items = schema.get("items")
    if isinstance(items, dict):
        more += _members(items, texts)
    texts += (_json(schema[word]) for word in ("anyOf", "oneOf", "allOf", "$defs", "definitions") if word in schema)
    return more


def _sentence(text: Any) -> str:
    return text.removesuffix(".") if isinstance(text, str) else ""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
