"""What a request gives a model to answer from: documents, results of tools, passages that were put into a prompt.

Each passage has the ids by which an answer may cite it: the attributes of its tag, the number before it, the name or
the address of its document. Where no id is a number, passages have numbers from 1, in the order in which they stand.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, Literal, NamedTuple

import msgspec

from proxy.chat import Chat, Foreign, Media, Message, Part, Text, ToolResult

Source = Literal["document", "tool_result", "tag", "numbered", "pattern", "search"]
MAX_PASSAGES = 1000
MAX_TEXT = 512 << 10  # characters of all of them
_DEEPEST = 8  # objects in each other, and tags
_MOST_IDS = 8  # of one passage
_LONGEST_ID = 200
_HEAD = 300  # characters of what is said around a list, that are told with each of its entries
_READABLE = ("text/", "application/json", "application/xml", "application/x-ndjson", "application/yaml")
_ID_KEYS = frozenset({"id", "doc_id", "document_id", "chunk_id", "passage_id", "ref", "index", "source", "url", "uri",
                      "link", "title", "name", "filename", "file_name", "file_id", "number", "doc"})  # fmt: skip
_TEXT_KEYS = frozenset({"text", "content", "snippet", "passage", "body", "chunk", "page_content", "abstract", "summary",
                        "extract", "document", "value"})  # fmt: skip
_ATTRIBUTE = re.compile(r"([\w:-]{1,40})\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)'|([^\s\"'<>]+))")
_INNER_ID = re.compile(r"<(source|title|id|url|index|name)>([^<>]{1,200})</\1>", re.IGNORECASE)
_NUMBERED = re.compile(r"^[ \t]*+\[(\^?[\w.:#-]{1,64})\][ \t]*+[:.)-]?[ \t]*+(?=[^\s(\[])", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_MARKUP = re.compile(r"</?[\w:-]{1,40}(?:\s[^<>]{0,500})?>")
# What providers tell of a search of their own.
_SEARCHES = ("file_search_call", "search_result", "document")
_UNTOLD = frozenset({"type", "encrypted_content", "encrypted_index", "cache_control"})


class Passage(NamedTuple):
    """``ids`` in small letters."""

    text: str
    ids: tuple[str, ...]
    source: Source


class Where(NamedTuple):
    """Where passages are looked for. ``patterns``: expressions whose first group, or all, is a passage."""

    documents: bool = True
    tool_results: bool = True
    tags: tuple[str, ...] = ()
    numbered: bool = True
    patterns: tuple[Any, ...] = ()


class TooMuch(Exception):
    """More than can be looked into."""


class Given(msgspec.Struct):
    """All passages of a request. ``documents``: how many documents there are, in whatever form; ``unread`` of them hold
    no text that can be read."""

    passages: list[Passage] = []
    documents: int = 0
    unread: int = 0

    def by_id(self) -> dict[str, set[int]]:
        """Indexes of passages by their ids; by their numbers, from 1, where no id is a number."""
        found: dict[str, set[int]] = {}
        for index, passage in enumerate(self.passages):
            for one in passage.ids:
                found.setdefault(one, set()).add(index)
        if not any(one.isdecimal() for one in found):
            found |= {str(index + 1): {index} for index in range(len(self.passages))}
        return found


def given(chat: Chat, where: Where) -> Given:
    """What a request gives.

    Raises:
        TooMuch: more than can be looked into.
    """
    finder = _Finder(where)
    for message in chat.messages:
        finder.message(message)
    return finder.found


def searched(parts: Iterable[Part], given: Given) -> Given:
    """The same with what a provider's own search has found for an answer of these parts.

    Raises:
        TooMuch: more than can be looked into.
    """
    finder = _Finder(Where(), Given(list(given.passages), given.documents, given.unread))
    for part in parts:
        if isinstance(part, Foreign):
            finder.foreign(part)
    return finder.found


class _Finder:
    """Collects passages, within bounds."""

    def __init__(self, where: Where, found: Given | None = None) -> None:
        self._where = where
        self.found = Given() if found is None else found
        self._size = sum(len(passage.text) for passage in self.found.passages)
        names = "|".join(re.escape(tag) for tag in where.tags)
        self._open = re.compile(rf"<({names})((?:\s[^<>]{{0,1000}})?)>", re.IGNORECASE) if names else None

    def message(self, message: Message) -> None:
        """What one message brings; what a model says is no ground to stand on, but what its searches found is."""
        for part in message.parts:
            if isinstance(part, ToolResult):
                self._result(part)
            elif isinstance(part, Media):
                self._document(part)
            elif isinstance(part, Foreign):
                self.foreign(part)
            elif isinstance(part, Text) and message.role != "assistant":
                self._sections(part.text)

    def _add(self, text: str, ids: Iterable[str], source: Source) -> None:
        text = text.strip()
        if not text:
            return
        self._size += len(text)
        if self._size > MAX_TEXT or len(self.found.passages) >= MAX_PASSAGES:
            raise TooMuch
        kept = (" ".join(one.split()).lower() for one in ids if 0 < len(one) <= _LONGEST_ID)
        self.found.passages.append(Passage(text, tuple(dict.fromkeys(filter(None, kept)))[:_MOST_IDS], source))

    def _document(self, media: Media) -> None:
        if media.kind != "file" or not self._where.documents:
            return
        text = _read(media)
        self.found.documents += 1
        if text is None:
            self.found.unread += 1
            return
        self._add(text, filter(None, (media.name, media.context)), "document")

    def _result(self, result: ToolResult) -> None:
        for part in result.parts:
            if isinstance(part, Media):
                self._document(part)
            elif not self._where.tool_results:
                continue
            elif isinstance(part, Foreign):
                self.foreign(part)
            elif not self._sections(part.text):
                self._whole(part.text)

    def _whole(self, text: str) -> None:
        """A result of a tool, passage by passage if it is JSON."""
        if text.lstrip()[:1] in ("{", "["):
            try:
                value = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError):
                pass
            else:
                self._json(value)
                return
        self._add(text, (), "tool_result")

    def _json(self, value: Any) -> None:
        objects = list(_objects(value))
        for one in objects:
            self._add(_told(one), _ids(one), "tool_result")
        if not objects:
            self._add(_told(value), (), "tool_result")

    def foreign(self, part: Foreign) -> None:
        """What a provider's own search has found, as far as it tells."""
        value = part.value
        if not (isinstance(value, dict) and self._where.documents and value.get("type") in _SEARCHES):
            return
        for one in _objects(value.get("results") or value):
            if any(isinstance(one.get(name), str) for name in _TEXT_KEYS):
                self._add(_told(one), _ids(one), "search")

    def _sections(self, text: str) -> bool:
        """The passages within a text; whether there are any."""
        before = len(self.found.passages)
        if self._open is not None and "<" in text:
            text = self._tagged(text, (), 0)
        for pattern in self._where.patterns:
            for match in pattern.finditer(text):
                self._add(match[1] if pattern.groups else match[0], (), "pattern")
        if self._where.numbered:
            self._listed(text)
        return len(self.found.passages) > before

    def _tagged(self, text: str, ids: tuple[str, ...], depth: int) -> str:
        """Add what stands in tags; what is left of the text without them."""
        rest: list[str] = []
        at = 0
        assert self._open is not None
        while (begin := self._open.search(text, at)) is not None:
            end, after = _closed(text, begin[1], begin.end())
            rest.append(text[at : begin.start()])
            at = after
            inner = text[begin.end() : end]
            own = (*_attributes(begin[2]), *(found[2] for found in _INNER_ID.finditer(inner[:2000])))
            nested = depth < _DEEPEST and self._open.search(inner) is not None
            if nested:
                inner = self._tagged(inner, own, depth + 1)
            if not (self._where.numbered and self._listed(inner)):
                self._add(_MARKUP.sub(" ", inner), () if nested else own, "tag")
        return "".join((*rest, text[at:]))

    def _listed(self, text: str) -> bool:
        """Add what stands behind numbers in brackets at the begin of lines; whether anything did."""
        marks = [mark for mark in _NUMBERED.finditer(text) if any(char.isdigit() for char in mark[1])]
        for mark, following in zip_longest(marks, marks[1:]):
            end = len(text) if following is None else following.start()
            if following is None and (blank := _BLANK_LINE.search(text, mark.end())) is not None:
                end = blank.start()
            self._add(_MARKUP.sub(" ", text[mark.end() : end]), (mark[1].removeprefix("^"),), "numbered")
        return bool(marks)


def _closed(text: str, tag: str, start: int) -> tuple[int, int]:
    """Where what follows an open tag ends, and where the rest begins: the end of the text if it is never closed."""
    depth = 1
    marks = re.compile(rf"<(/?){re.escape(tag)}(?:\s[^<>]{{0,1000}})?>", re.IGNORECASE)
    for found in marks.finditer(text, start):
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.start(), found.end()
    return len(text), len(text)


def _attributes(text: str) -> Iterator[str]:
    for found in _ATTRIBUTE.finditer(text):
        if found[1].lower() in _ID_KEYS:
            yield found[2] or found[3] or found[4] or ""


def _read(media: Media) -> str | None:
    """The text of a document; None if it is none."""
    if media.data is None or not (media.media_type or "").lower().startswith(_READABLE):
        return None
    if len(media.data) > 2 * MAX_TEXT:
        raise TooMuch
    try:
        return base64.b64decode(media.data).decode("utf-8-sig")
    except ValueError:
        return None


def _objects(value: Any, head: str = "", depth: int = 0) -> Iterator[dict[str, Any]]:
    """The entries of lists in a JSON value, each with what is said around its list."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            if isinstance(one, dict):
                inner = list(_objects(one, head, depth + 1))
                yield from inner or [{"": head, **one} if head else one]
            else:
                yield from _objects(one, head, depth + 1)
    elif isinstance(value, dict):
        scalars = {name: one for name, one in value.items() if not isinstance(one, dict | list)}
        told = f"{head} {_told(scalars)}".strip()[:_HEAD]
        for one in value.values():
            if isinstance(one, dict | list):
                yield from _objects(one, told, depth + 1)


def _ids(value: dict[str, Any]) -> Iterator[str]:
    inner = value.get("metadata")
    for one in (value, inner if isinstance(inner, dict) else {}):
        for name, found in one.items():
            if name.lower() in _ID_KEYS and isinstance(found, str | int):
                yield str(found)


def _told(value: Any) -> str:
    """A JSON value as one sentence; the prose that it holds stands after that."""
    if isinstance(value, dict):
        facts: list[str] = []
        prose: list[str] = []
        for name, one in value.items():
            told = "" if name in _UNTOLD else _told(one)
            if told and name in _TEXT_KEYS and isinstance(one, str):
                prose.append(told)
            elif told:
                facts.append(f"{name.replace('_', ' ')}: {told}" if name else told)
        return "\n\n".join(filter(None, (", ".join(facts), *prose)))
    if isinstance(value, list):
        return ", ".join(filter(None, (_told(one) for one in value)))
    return ("yes" if value else "no") if isinstance(value, bool) else "" if value is None else str(value)
