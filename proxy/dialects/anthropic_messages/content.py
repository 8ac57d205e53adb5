"""Neutral messages as the system prompt and the turns of a request."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec

from proxy.chat import (
    Cache,
    Chat,
    Foreign,
    Losses,
    Media,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from proxy.dialects.anthropic_messages.citation import write_citation
from proxy.dialects.anthropic_messages.media import write_media
from proxy.dialects.anthropic_messages.wire import NAME, SIGNS
from proxy.dialects.reading import wrong

Block = dict[str, Any]
MediaWriter = Callable[[Media], Block | None]

# A quirk of newer models: messages of the system may stand between the turns.
SYSTEM_ANYWHERE = "system_anywhere"
_HEAD = ("system", "developer")
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MARKS: dict[Cache, dict[str, str]] = {
    Cache("5m"): {"type": "ephemeral"},
    Cache("1h"): {"type": "ephemeral", "ttl": "1h"},
}


def write_cache(cache: Cache) -> dict[str, str]:
    """A marker; the shorter lifetime is the usual one and not said."""
    return _MARKS[cache]


def write_id(given: str) -> str:
    """The id of a call, in letters that the API takes: the same for a call and its result."""
    if _ID.fullmatch(given):
        return given
    return "toolu_" + hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def read_input(arguments: str) -> msgspec.Raw | None:
    """Arguments that are a JSON object, as they are; None if they are something else."""
    if not arguments or arguments == "{}":
        return msgspec.Raw(b"{}")
    try:
        _OBJECT.decode(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return msgspec.Raw(arguments.encode())


def write_input(call: ToolCall) -> tuple[Any, bool]:
    """The input of a call, and whether it says what was meant. Free text and broken JSON are put into an object."""
    if call.custom:
        return {"input": call.arguments}, True
    found = read_input(call.arguments)
    return ({"arguments": call.arguments}, False) if found is None else (found, True)


class Turns:
    """Writes the messages of one request. ``media`` writes images and the like: other doors to the same models take
    others.

    After ``write``: ``system`` and ``messages``, the latter with roles that alternate and none of them empty, and the
    names of all tools that were ``called``.
    """

    __slots__ = ("_ids", "_losses", "_write_media", "called", "messages", "system")

    def __init__(self, losses: Losses, media: MediaWriter = write_media) -> None:
        self._losses = losses
        self._write_media = media
        self._ids: set[str] = set()
        self.called: dict[str, None] = {}
        self.system: list[Block] = []
        self.messages: list[dict[str, Any]] = []

    def write(self, chat: Chat, quirks: frozenset[str]) -> None:
        """Write all messages of ``chat``.

        Raises:
            BadRequest: a result answers no call, or there is nothing to say.
        """
        head = True
        for at, message in enumerate(chat.messages):
            head = head and message.role in _HEAD
            blocks = self._blocks(message, at)
            if head:
                self.system += blocks
            elif blocks:
                self._add(self._role(message, at, quirks), blocks)
            if message.name is not None:
                self._losses.add(f"messages[{at}].name")
        if not self.messages:
            raise wrong("messages", "must hold a message with something in it, beside the system prompt")
        self._trim()

    def _role(self, message: Message, at: int, quirks: frozenset[str]) -> str:
        if message.role not in _HEAD:
            return message.role
        follows_user = bool(self.messages) and self.messages[-1]["role"] != "assistant"
        if SYSTEM_ANYWHERE in quirks and follows_user:
            return "system"
        self._losses.add(f"messages[{at}].role")
        return "user"

    def _add(self, role: str, blocks: list[Block]) -> None:
        """As a turn of its own, or to the last one if that has the same role."""
        if not self.messages or self.messages[-1]["role"] != role:
            self.messages.append({"role": role, "content": blocks})
            return
        content = self.messages[-1]["content"]
        results = [block for block in blocks if block.get("type") == "tool_result"]
        if role == "user" and results and content[-1].get("type") != "tool_result":
            # Results stand before everything else in their turn.
            first = sum(block.get("type") == "tool_result" for block in content)
            content[first:first] = results
            content += [block for block in blocks if block.get("type") != "tool_result"]
        else:
            content += blocks

    def _trim(self) -> None:
        """What the model shall continue must not end with white space."""
        last = self.messages[-1]
        if last["role"] != "assistant":
            return
        block = last["content"][-1]
        if block.get("type") == "text":
            block["text"] = block["text"].rstrip()

    def _blocks(self, message: Message, at: int) -> list[Block]:
        blocks: list[Block] = []
        for part in message.parts:
            block = _WRITERS[type(part)](self, part, message, at)
            cache: Cache | None = getattr(part, "cache", None)
            if cache is not None and (block is not None or blocks):
                # A text that is left out for being empty marks what stands before it.
                marked = blocks[-1] if block is None else block
                marked["cache_control"] = write_cache(cache)
            if block is not None:
                blocks.append(block)
        return blocks

    def _text(self, part: Text, message: Message, at: int) -> Block | None:
        if not part.text or part.text.isspace():
            return None  # refused by the API, and says nothing
        block: Block = {"type": "text", "text": part.text}
        if part.citations and message.role == "assistant":
            own = [write_citation(one) for one in part.citations if one.origin == NAME]
            if own:
                block["citations"] = own
        return block

    def _refusal(self, part: Refusal, message: Message, at: int) -> Block | None:
        return {"type": "text", "text": part.text} if part.text.strip() else None

    def _media(self, part: Media, message: Message, at: int) -> Block | None:
        block = self._write_media(part) if message.role == "user" else None
        if block is None:
            self._losses.add(f"messages[{at}].{part.kind}")
        return block

    def _call(self, part: ToolCall, message: Message, at: int) -> Block | None:
        value, meant = write_input(part)
        if not meant:
            number = [one for one in message.parts if isinstance(one, ToolCall)].index(part)
            self._losses.add(f"messages[{at}].tool_calls[{number}].arguments")
        self._ids.add(part.id)
        self.called[part.name] = None
        return {"type": "tool_use", "id": write_id(part.id), "name": part.name, "input": value}

    def _result(self, part: ToolResult, message: Message, at: int) -> Block | None:
        if part.call_id not in self._ids:
            raise wrong(f"messages[{at}]", f"holds the result of a call {part.call_id[:80]!r} that nobody made")
        content = self._blocks(Message("user", list(part.parts)), at)
        block: Block = {"type": "tool_result", "tool_use_id": write_id(part.call_id)}
        if content:
            block["content"] = content
        if part.is_error:
            block["is_error"] = True
        return block

    def _reasoning(self, part: Reasoning, message: Message, at: int) -> Block | None:
        if part.origin == SIGNS:
            if part.redacted is not None:
                return {"type": "redacted_thinking", "data": part.redacted}
            if part.signature:
                return {"type": "thinking", "thinking": part.text, "signature": part.signature}
        self._losses.add("messages.reasoning")
        return None

    def _foreign(self, part: Foreign, message: Message, at: int) -> Block | None:
        if part.origin == NAME and isinstance(part.value, dict):
            return dict(part.value)
        self._losses.add(part.what)
        return None


_WRITERS: dict[type, Callable[[Turns, Any, Message, int], Block | None]] = {
    Text: Turns._text,
    Refusal: Turns._refusal,
    Media: Turns._media,
    ToolCall: Turns._call,
    ToolResult: Turns._result,
    Reasoning: Turns._reasoning,
    Foreign: Turns._foreign,
}


def leads_with_thought(messages: list[dict[str, Any]]) -> bool:
    """Whether the last answer, if it calls tools, begins with a thought: the API wants that of a model that thinks."""
    for message in reversed(messages):
        if message["role"] == "assistant":
            kinds = [block.get("type") for block in message["content"]]
            return "tool_use" not in kinds or kinds[0] in ("thinking", "redacted_thinking")
    return True


def is_prefill(messages: list[dict[str, Any]]) -> bool:
    """Whether the model shall continue an answer that is begun."""
    return bool(messages[-1]["role"] == "assistant")
