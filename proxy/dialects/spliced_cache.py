"""Markers for prompt caches in a request that is passed on in the caller's own bytes.

Only insertions are made, so that what the provider has cached of earlier requests stays what it was. Text that stands
as a plain string gets the one-part list around it that a marker needs.
"""

from __future__ import annotations

import re

import msgspec

from proxy.chat import Cache, PromptCache
from proxy.dialects.prompt_cache import MAX_MARKERS, resolved
from proxy.dialects.spans import Span, item_spans, items, members, where

# The dialects that have a word for markers. Of OpenAI's it is OpenRouter's addition, and stands in texts alone.
MARKED_DIALECTS = frozenset({"anthropic_messages", "openai_chat"})
_WORD = b'"cache_control"'
# A name that is spelled with escapes could be any; nobody writes them but to be read in two ways.
_ESCAPED_NAME = re.compile(rb'\\u00[5-7][0-9a-fA-F](?:[a-z_]|\\u00[5-7][0-9a-fA-F])*"[ \t\r\n]*:')
_TEXT_BEGINS = b'[{"type":"text","text":'
_UNMARKABLE = frozenset({b'"thinking"', b'"redacted_thinking"'})
_SYSTEM = frozenset({b'"system"', b'"developer"'})
Insertion = tuple[int, bytes]


class _Top(msgspec.Struct):
    tools: msgspec.Raw = msgspec.Raw()
    system: msgspec.Raw = msgspec.Raw()
    messages: msgspec.Raw = msgspec.Raw()


_TOP = msgspec.json.Decoder(_Top)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])


def place_markers(body: bytes, wanted: PromptCache, dialect: str = "anthropic_messages") -> bytes:
    """``body`` with markers where ``wanted`` says; the same object if the caller has set any, or there is no place."""
    if _WORD in body or (b"\\u00" in body and _ESCAPED_NAME.search(body)):
        return body
    try:
        found = _Placing(body, wanted, texts_only=dialect != "anthropic_messages").run()
    except (ValueError, RecursionError):  # ambiguous, or not what the dialect says: the provider will judge it
        return body
    parts: list[bytes] = []
    at = 0
    for place, what in found:
        parts += (body[at:place], what)
        at = place
    return b"".join((*parts, body[at:])) if parts else body


def _marker(cache: Cache) -> bytes:
    ttl = b"" if cache.ttl == "5m" else b',"ttl":"1h"'
    return b'"cache_control":{"type":"ephemeral"%b}' % ttl


class _Placing:
    """Finds the places of markers in one body."""

    __slots__ = ("_body", "_found", "_marker", "_placed", "_texts_only", "_wanted")

    def __init__(self, body: bytes, wanted: PromptCache, *, texts_only: bool) -> None:
        self._body = body
        self._wanted = wanted
        self._texts_only = texts_only
        self._marker = _marker(wanted.cache)
        self._found: list[Insertion] = []
        self._placed = 0

    def run(self) -> list[Insertion]:
        """What to insert where, in the order of the places."""
        body, wanted = self._body, self._wanted
        top = _TOP.decode(body)
        if wanted.tools and not self._texts_only and (tools := self._top_list(b"tools", bytes(top.tools))):
            self._mark_object(tools[-1])
        messages = self._top_list(b"messages", bytes(top.messages))
        head = self._head(messages) if self._texts_only else 0
        if wanted.system:
            if head:
                self._mark_message(messages[head - 1])
            elif not self._texts_only and (system := bytes(top.system)):
                self._mark_content(where(body, b"system", system))
        for at in resolved(wanted.messages, head, len(messages)):
            if self._placed < MAX_MARKERS:
                self._mark_message(messages[at])
        return sorted(self._found)

    def _top_list(self, name: bytes, value: bytes) -> list[Span]:
        """The items of a member of the document; the decoder is faster at finding them."""
        if not value.startswith(b"["):
            return []
        return item_spans(self._body, where(self._body, name, value)[0], [bytes(one) for one in _ITEMS.decode(value)])

    def _list(self, span: Span | None) -> list[Span]:
        if span is None or self._body[span[0] : span[0] + 1] != b"[":
            return []
        return items(self._body, span[0])

    def _head(self, messages: list[Span]) -> int:
        """How many messages of the system stand at the head."""
        for at, (start, _) in enumerate(messages):
            role = members(self._body, start).get(b"role")
            if role is None or self._body[role[0] : role[1]] not in _SYSTEM:
                return at
        return len(messages)

    def _mark_message(self, span: Span) -> None:
        content = members(self._body, span[0]).get(b"content")
        if content is not None:
            self._mark_content(content)

    def _mark_content(self, span: Span) -> None:
        start, end = span
        if self._body[start : start + 1] == b'"':
            if end - start > 2:
                self._found += ((start, _TEXT_BEGINS), (end, b",%b}]" % self._marker))
                self._placed += 1
            return
        for block in reversed(self._list(span)):
            if self._is_markable(block):
                self._mark_object(block)
                return

    def _is_markable(self, span: Span) -> bool:
        """Thoughts and empty texts cannot carry a marker."""
        found = members(self._body, span[0])
        kind = self._raw(found.get(b"type"))
        if kind == b'"text"':
            return self._raw(found.get(b"text")) != b'""'
        return not self._texts_only and kind not in _UNMARKABLE

    def _raw(self, span: Span | None) -> bytes:
        return b"" if span is None else self._body[span[0] : span[1]]

    def _mark_object(self, span: Span) -> None:
        """Behind the last member of an object."""
        comma = b"," if members(self._body, span[0]) else b""
        self._found.append((span[1] - 1, comma + self._marker))
        self._placed += 1
