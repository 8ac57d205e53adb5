"""Content blocks of a client's request as neutral parts."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from proxy.chat import (
    Cache,
    Foreign,
    Media,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    unseal,
)
from proxy.dialects.anthropic_messages.citation import read_citation
from proxy.dialects.anthropic_messages.hidden import reveal
from proxy.dialects.anthropic_messages.wire import NAME, SIGNS, Block, CacheControl, Cites, Source
from proxy.dialects.reading import Again, wrong

_FIVE, _HOUR = Cache("5m"), Cache("1h")
_Path = tuple[str | int, ...]


def read_cache(marker: CacheControl | None) -> Cache | None:
    """A marker; without a lifetime it is the shorter one."""
    if marker is None:
        return None
    return _HOUR if marker.ttl == "1h" else _FIVE


def read_content(content: str | list[Block], path: _Path, again: Again) -> list[Part]:
    """The parts of a message or of the system prompt at ``path``."""
    if isinstance(content, str):
        return [Text(content)]
    parts: list[Part] = []
    for at, block in enumerate(content):
        kind = block.type
        if kind == "text":
            parts.append(_text(block, (*path, at)))
        elif kind in _READERS:
            parts.append(_READERS[kind](block, (*path, at), again))
        else:
            parts.append(_foreign(block, (*path, at), again))
    return reveal(parts)


def place(path: _Path) -> str:
    """A path as people write it: ``messages[0].content[1]``."""
    said = ""
    for step in path:
        said += f"[{step}]" if isinstance(step, int) else f".{step}" if said else step
    return said


def object_text(raw: msgspec.Raw, path: _Path) -> str:
    """The JSON text of an object, as the client wrote it."""
    written = bytes(raw)
    if not written:
        raise wrong(place(path), "is required")
    try:
        text = written.decode()
    except UnicodeDecodeError:
        raise wrong(place(path), "is not UTF-8") from None
    if not text.startswith("{"):
        raise wrong(place(path), "must be an object")
    return text


def _need(value: Any, path: _Path, name: str) -> Any:
    if value is None:
        raise wrong(place((*path, name)), "is required")
    return value


def _text(block: Block, path: _Path) -> Text:
    text = _need(block.text, path, "text")
    if block.cache_control is None and block.citations is None:
        return Text(text)
    cited = block.citations if isinstance(block.citations, list) else ()
    return Text(text, read_cache(block.cache_control), tuple(read_citation(one) for one in cited))


def _image(block: Block, path: _Path, again: Again) -> Part:
    source = _source(block, path)
    cache = read_cache(block.cache_control)
    match source.type:
        case "base64":
            data = _need(source.data, (*path, "source"), "data")
            kind = _need(source.media_type, (*path, "source"), "media_type")
            return Media(kind="image", data=data, media_type=kind, cache=cache)
        case "url":
            return Media(kind="image", url=_need(source.url, (*path, "source"), "url"), cache=cache)
        case "file":
            return Media(kind="image", file_id=_need(source.file_id, (*path, "source"), "file_id"), cache=cache)
    raise wrong(place((*path, "source", "type")), f"unknown kind of image source {source.type[:40]!r}")


def _document(block: Block, path: _Path, again: Again) -> Part:
    source = _source(block, path)
    at = (*path, "source")
    found = Media(
        kind="file",
        name=block.title,
        context=block.context,
        cite=isinstance(block.citations, Cites) and block.citations.enabled,
        cache=read_cache(block.cache_control),
    )
    match source.type:
        case "base64":
            found.data, found.media_type = _need(source.data, at, "data"), _need(source.media_type, at, "media_type")
        case "text":
            found.data, found.media_type = _plain(_need(source.data, at, "data")), "text/plain"
        case "url":
            found.url, found.media_type = _need(source.url, at, "url"), "application/pdf"
        case "file":
            found.file_id = _need(source.file_id, at, "file_id")
        case "content":
            return _given(found, _need(source.content, at, "content"), (*at, "content"), block, again)
        case _:
            raise wrong(place((*at, "type")), f"unknown kind of document source {source.type[:40]!r}")
    return found


def _given(found: Media, content: str | list[Block], at: _Path, block: Block, again: Again) -> Part:
    """A document made of blocks: of text alone it is a plain text; with images only this dialect can say it."""
    if isinstance(content, str):
        found.data, found.media_type = _plain(content), "text/plain"
        return found
    if any(inner.type != "text" for inner in content):
        return _foreign(block, at[:-2], again)
    texts = [_need(inner.text, (*at, index), "text") for index, inner in enumerate(content)]
    found.data, found.media_type = _plain("\n\n".join(texts)), "text/plain"
    return found


def _search_result(block: Block, path: _Path, again: Again) -> Part:
    """A finding of the client's own search is a plain document to everybody else."""
    if not isinstance(block.content, list):
        raise wrong(place((*path, "content")), "must be an array of text blocks")
    texts = [_need(inner.text, (*path, "content", at), "text") for at, inner in enumerate(block.content)]
    if not isinstance(block.source, str):
        raise wrong(place((*path, "source")), "must be a string")
    return Media(
        kind="file",
        data=_plain("\n\n".join(texts)),
        media_type="text/plain",
        name=_need(block.title, path, "title"),
        context=block.source,
        cite=isinstance(block.citations, Cites) and block.citations.enabled,
        cache=read_cache(block.cache_control),
    )


def _tool_use(block: Block, path: _Path, again: Again) -> Part:
    return ToolCall(
        id=_need(block.id, path, "id"),
        name=_need(block.name, path, "name"),
        arguments=object_text(block.input, (*path, "input")),
        cache=read_cache(block.cache_control),
    )


def _tool_result(block: Block, path: _Path, again: Again) -> Part:
    content = block.content
    if isinstance(content, dict):
        raise wrong(place((*path, "content")), "must be a string or an array of blocks")
    found: Any = () if content is None else tuple(read_content(content, (*path, "content"), again))
    for at, part in enumerate(found):
        if not isinstance(part, Text | Media | Foreign):
            raise wrong(place((*path, "content", at, "type")), "is no block that a result of a tool may hold")
    return ToolResult(
        call_id=_need(block.tool_use_id, path, "tool_use_id"),
        parts=found,
        is_error=bool(block.is_error),
        cache=read_cache(block.cache_control),
    )


def _thinking(block: Block, path: _Path, again: Again) -> Part:
    text, signature = _need(block.thinking, path, "thinking"), _need(block.signature, path, "signature")
    if not signature:
        return Reasoning(text=text)  # of a provider that signs nothing
    origin, signature = unseal(signature, SIGNS)
    return Reasoning(text=text, signature=signature or None, origin=origin)


def _redacted(block: Block, path: _Path, again: Again) -> Part:
    origin, data = unseal(_need(block.data, path, "data"), SIGNS)
    return Reasoning(redacted=data, origin=origin)


def _foreign(block: Block, path: _Path, again: Again) -> Part:
    if not block.type:
        raise wrong(place((*path, "type")), "must name the kind of block")
    return Foreign(origin=NAME, what=f"{place(path[:2])}.{block.type[:64]}", value=again.at(*path))


def _source(block: Block, path: _Path) -> Source:
    source = _need(block.source, path, "source")
    if isinstance(source, str):
        raise wrong(place((*path, "source")), "must be an object")
    found: Source = source
    return found


def _plain(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_READERS: dict[str, Callable[[Block, _Path, Again], Part]] = {
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}
