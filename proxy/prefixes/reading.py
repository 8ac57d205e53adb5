"""The prefixes of a conversation, as providers see them: tools, system prompt, and one message after another.

They are read off the bytes of a request, and known by digests of which each goes on from the one before. So a turn has
all prefixes of the turn before it, and one look-up each finds the longest that is known. What is found by them is a
preference and nothing that anybody could read: that is why the middle of a very long message need not be looked at.
"""

from __future__ import annotations

import asyncio
import re
from hashlib import sha256
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

SHORTEST = 2048  # bytes: no provider keeps what is shorter than 1,024 tokens, and a token is seldom shorter than two
LONGEST = 16 << 20  # bytes of a request; what is longer is not looked at
_SHORT = 64 << 10  # bytes: what is longer takes milliseconds, and is better read in a thread
_MOST = 5_000  # messages
_SIDE = 16 << 10  # bytes of a long message that count, at either end, beside its length
_DIGEST = 16  # bytes
_FIRST, _LAST = 4, 64  # messages after which a prefix ends: those at the beginning, and those at the end
_SYSTEM = frozenset({"system", "developer"})
_WORD = b'"cache_control"'
# Clients move their marks from turn to turn; what was marked is the same text.
_MARK = re.compile(rb'"cache_control"\s*:\s*\{[^{}]*+\}')
_COMMA = re.compile(rb"\s*,\s*")
# A text gets a list around it to be marked, and may lose it again.
_LIST_BEGINS = re.compile(rb'\[\s*\{\s*"type"\s*:\s*"text"\s*,\s*"text"\s*:\s*(?=")')
_LIST_ENDS = re.compile(rb'(?<=")\s*\}\s*\](?=\s*(?:,\s*"role"\s*:\s*"[a-z]{1,20}"\s*)?\}?\s*$)')
_EDGE = 256  # bytes at either end of a message in which the list must begin and end


class Mark(NamedTuple):
    """Where a prefix ends: its digest, and the bytes that it has."""

    digest: bytes
    size: int


class Prefix(NamedTuple):
    """The prefixes of one request, the shortest first; the last is all of it. ``for_a_day``: it asks its provider to
    keep it so long."""

    marks: tuple[Mark, ...]
    for_a_day: bool = False


class _Top(msgspec.Struct):
    """The members of all dialects that count."""

    tools: msgspec.Raw = msgspec.Raw()
    functions: msgspec.Raw = msgspec.Raw()
    system: msgspec.Raw = msgspec.Raw()
    instructions: msgspec.Raw = msgspec.Raw()
    conversation: msgspec.Raw = msgspec.Raw()
    previous_response_id: msgspec.Raw = msgspec.Raw()
    system_instruction: msgspec.Raw = msgspec.Raw()
    systemInstruction: msgspec.Raw = msgspec.Raw()
    messages: list[msgspec.Raw] = []
    contents: list[msgspec.Raw] = []
    input: msgspec.Raw = msgspec.Raw()
    prompt_cache_retention: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct):
    role: Any = None


_TOP = msgspec.json.Decoder(_Top)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_MESSAGE = msgspec.json.Decoder(_Message)
_SYSTEM_WITHIN = frozenset({"openai_chat", "openai_responses"})  # dialects that have it among the messages
# By dialect: what stands before the messages, and where they are.
_PLACES = {
    "openai_chat": (attrgetter("tools", "functions"), attrgetter("messages")),
    "openai_responses": (
        attrgetter("tools", "instructions", "conversation", "previous_response_id"),
        attrgetter("input"),
    ),
    "anthropic_messages": (attrgetter("tools", "system"), attrgetter("messages")),
    "gemini": (attrgetter("tools", "systemInstruction", "system_instruction"), attrgetter("contents")),
}


def read_prefix(dialect: str | None, body: bytes, owner: bytes) -> Prefix | None:
    """The prefixes of ``body``; None if it is no conversation, cannot be read, or has no length to be cached.

    ``owner`` says whose it is, and for which model: equal texts of different owners have nothing in common.
    """
    places = _PLACES.get(dialect or "")
    if places is None or not SHORTEST <= len(body) <= LONGEST:
        return None
    before, within = places
    try:
        top = _TOP.decode(body)
        messages = _messages(within(top))
        head = _head(messages) if dialect in _SYSTEM_WITHIN else 0
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(messages) > _MOST:
        return None
    found = _Marks(owner, has_marks=_WORD in body)
    for value in before(top):
        found.add(bytes(value))
    for at, message in enumerate(messages):
        if at == head:
            found.end()
        found.add(message)
        if at >= head and (at < head + _FIRST or at >= len(messages) - _LAST):
            found.end()
    found.end()
    return Prefix(tuple(found.marks), bytes(top.prompt_cache_retention) == b'"24h"') if found.marks else None


async def read_aside(dialect: str | None, body: bytes, owner: bytes) -> Prefix | None:
    """The same for whoever must not be held up: a long request is read in a thread."""
    if len(body) <= _SHORT or dialect not in _PLACES:
        return read_prefix(dialect, body, owner)
    return await asyncio.to_thread(read_prefix, dialect, body, owner)


def _messages(said: list[msgspec.Raw] | msgspec.Raw) -> list[bytes]:
    """One after another; a text alone is one."""
    if isinstance(said, msgspec.Raw):
        whole = bytes(said)
        if not whole.startswith(b"["):
            return [whole] if whole else []
        said = _ITEMS.decode(whole)
    return [bytes(message) for message in said]


def _head(messages: list[bytes]) -> int:
    """How many messages of the system stand at the head."""
    for at, message in enumerate(messages):
        if not message.startswith(b"{") or _MESSAGE.decode(message).role not in _SYSTEM:
            return at
    return len(messages)


class _Marks:
    """Digests that go on from one another."""

    __slots__ = ("_has_marks", "_hash", "marks", "size")

    def __init__(self, owner: bytes, *, has_marks: bool) -> None:
        # Three times as quick as BLAKE2 where processors know it, and all of servers' do.
        self._hash = sha256(b"%d:%b" % (len(owner), owner))
        self._has_marks = has_marks
        self.marks: list[Mark] = []
        self.size = 0

    def add(self, part: bytes) -> None:
        """The next piece of the conversation, as it stands in the request."""
        if self._has_marks:
            part = _alone(_unmarked(part))
        self.size += len(part)
        if len(part) > 2 * _SIDE:
            self._hash.update(b"%d~" % len(part))
            self._hash.update(part[:_SIDE])
            part = part[-_SIDE:]
        self._hash.update(b"%d:" % len(part))
        self._hash.update(part)

    def end(self) -> None:
        """A prefix ends here, unless it is empty or has ended before."""
        if self.size and (not self.marks or self.marks[-1].size < self.size):
            self.marks.append(Mark(self._hash.copy().digest()[:_DIGEST], self.size))


def _unmarked(part: bytes) -> bytes:
    """Without marks, and without the commas that they need."""
    kept: list[bytes] = []
    at = 0
    while (found := part.find(_WORD, at)) >= 0:
        mark = _MARK.match(part, found)
        if mark is None:
            kept.append(part[at : found + len(_WORD)])
            at = found + len(_WORD)
            continue
        before, at = part[at:found].rstrip(), mark.end()
        if before.endswith(b","):
            before = before[:-1]
        elif (comma := _COMMA.match(part, at)) is not None:
            at = comma.end()
        kept.append(before)
    return b"".join((*kept, part[at:])) if kept else part


def _alone(part: bytes) -> bytes:
    """Without the list around a text. Of several parts the outermost brackets go, which is the same in every turn."""
    begin = _LIST_BEGINS.search(part, 0, _EDGE)
    if begin is None:
        return part
    end = _LIST_ENDS.search(part, max(begin.end(), len(part) - _EDGE))
    if end is None:
        return part
    return b"".join((part[: begin.start()], part[begin.end() : end.start()], part[end.end() :]))
