"""Blocks of a request to Converse as neutral parts."""

from __future__ import annotations

import base64
from typing import Literal

import msgspec
from msgspec.structs import replace

from proxy.chat import Cache, Foreign, Media, Part, Reasoning, Text, ToolCall, ToolResult
from proxy.dialects.bedrock.media import TYPES
from proxy.dialects.bedrock.wire import Block, CachePoint, Inner, MediaWire, Result, Source, Thought, Use
from proxy.dialects.bedrock.words import NAME, SIGNS, read_citation
from proxy.dialects.reading import wrong

_FIVE, _HOUR = Cache("5m"), Cache("1h")
_KINDS: tuple[tuple[str, Literal["image", "audio", "video", "file"]], ...] = (
    ("image", "image"),
    ("document", "file"),
    ("video", "video"),
    ("audio", "audio"),
)
# What nobody else has a word for.
_FOREIGN = ("guardContent", "searchResult", "toolAddition", "toolRemoval")


def read_cache(point: CachePoint) -> Cache:
    """A marker; without a lifetime it is the shorter one."""
    return _HOUR if point.ttl == "1h" else _FIVE


def read_content(blocks: list[Block], at: str) -> list[Part]:
    """The parts of a message or of the system prompt, found at ``at``. A cache point marks the part before it."""
    parts: list[Part] = []
    for index, block in enumerate(blocks):
        if block.cachePoint is not None:
            _mark(parts, read_cache(block.cachePoint))
        else:
            parts.append(_part(block, f"{at}[{index}]"))
    return parts


def _mark(parts: list[Part], cache: Cache) -> None:
    if parts and isinstance(parts[-1], Text | Media | ToolCall | ToolResult):
        parts[-1] = replace(parts[-1], cache=cache)


def _part(block: Block, at: str) -> Part:
    if block.toolUse is not None:
        return _call(block.toolUse, at)
    if block.toolResult is not None:
        return _result(block.toolResult, at)
    if block.reasoningContent is not None:
        return _thought(block.reasoningContent, at)
    if block.citationsContent is not None:
        text = "".join(one.text for one in block.citationsContent.content)
        return Text(text, citations=tuple(read_citation(one) for one in block.citationsContent.citations))
    return _shown(block, at)


def _shown(block: Inner, at: str) -> Text | Media | Foreign:
    if block.text is not None:
        return Text(block.text)
    if bytes(block.json):
        return Text(_json_text(block.json, f"{at}.json"))
    for name, kind in _KINDS:
        media: MediaWire | None = getattr(block, name, None)
        if media is not None:
            return _media(media, kind, f"{at}.{name}")
    for name in _FOREIGN:
        value = getattr(block, name, None)
        if value is not None:
            return Foreign(origin=NAME, what=f"{at}.{name}", value={name: value})
    raise wrong(at, "is no block that is known: it needs one of text, image, document, toolUse, toolResult …")


def _call(use: Use, at: str) -> ToolCall:
    text = _json_text(use.input, f"{at}.toolUse.input")
    if not text.startswith("{"):
        raise wrong(f"{at}.toolUse.input", "must be an object")
    return ToolCall(id=use.toolUseId, name=use.name, arguments=text)


def _result(result: Result, at: str) -> ToolResult:
    place = f"{at}.toolResult.content"
    parts = tuple(_shown(inner, f"{place}[{index}]") for index, inner in enumerate(result.content))
    return ToolResult(call_id=result.toolUseId, parts=parts, is_error=result.status == "error")


def _thought(thought: Thought, at: str) -> Reasoning:
    if thought.redactedContent is not None:
        return Reasoning(redacted=thought.redactedContent, origin=SIGNS)
    text = thought.reasoningText
    if text is None:
        raise wrong(f"{at}.reasoningContent", "needs `reasoningText` or `redactedContent`")
    return Reasoning(text=text.text, signature=text.signature, origin=SIGNS if text.signature else "")


def _media(media: MediaWire, kind: Literal["image", "audio", "video", "file"], at: str) -> Media:
    data, url = _source(media.source, f"{at}.source")
    default = "text/plain" if media.source.text is not None else None
    return Media(
        kind=kind,
        data=data,
        url=url,
        media_type=TYPES[kind].get(media.format, f"{kind}/{media.format}") if media.format is not None else default,
        name=media.name,
        context=media.context,
        cite=media.citations is not None and media.citations.enabled,
    )


def _source(source: Source, at: str) -> tuple[str | None, str | None]:
    """Data or address."""
    if source.bytes is not None:
        return source.bytes, None
    if source.text is not None:
        return base64.b64encode(source.text.encode()).decode(), None
    if source.s3Location is not None:
        return None, source.s3Location.uri
    raise wrong(at, "needs `bytes`, `text` or `s3Location`")


def _json_text(raw: msgspec.Raw, at: str) -> str:
    try:
        return bytes(raw).decode()
    except UnicodeDecodeError:
        raise wrong(at, "is not UTF-8") from None
