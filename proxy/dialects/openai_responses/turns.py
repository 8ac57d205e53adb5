"""Neutral messages as the input of a request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from proxy.chat import (
    Cache,
    Foreign,
    Losses,
    Media,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from proxy.dialects.openai_responses.annotation import write_annotation
from proxy.dialects.openai_responses.media import write_media
from proxy.dialects.openai_responses.signature import loosen
from proxy.dialects.openai_responses.wire import NAME, SIGNS
from proxy.dialects.reading import wrong

Block = dict[str, Any]
MAX_ID = 64  # characters of the id of a call
_TTL = {"5m": "30m", "1h": "12h"}
_CONTENT = ".content."  # in the name of what stood within a message, and is no item itself


def write_id(given: str) -> str:
    """The id of a call, in a length that the API takes: the same for a call and its result."""
    if len(given) <= MAX_ID:
        return given
    return "call_" + hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Turns:
    """Writes the messages of one request as ``items``. ``pairs``: every result must answer a call that is there."""

    __slots__ = ("_at", "_calls", "_content", "_losses", "_pairs", "_role", "items")

    def __init__(self, losses: Losses, *, pairs: bool = True) -> None:
        self._losses = losses
        self._pairs = pairs
        self._calls: dict[str, bool] = {}  # ids of the calls so far → whether of a custom tool
        self._at = 0
        self._role = ""
        self._content: list[Block] = []
        self.items: list[Block] = []

    def write(self, messages: Sequence[Message], first: int = 0) -> None:
        """Write ``messages``, of which the first stands at ``first`` in the conversation.

        Raises:
            BadRequest: a result answers no call.
        """
        for at, message in enumerate(messages, first):
            self._at, self._role = at, message.role
            if message.name is not None:
                self._losses.add(f"messages[{at}].name")
            for part in message.parts:
                _WRITERS[type(part)](self, part)
            self._end_message()

    def _lose(self, what: str) -> None:
        self._losses.add(f"messages[{self._at}].{what}")

    def _item(self, item: Block) -> None:
        """An item of its own, after what has been said so far."""
        self._end_message()
        self.items.append(item)

    def _end_message(self) -> None:
        content = self._content
        if not content:
            return
        self._content = []
        if len(content) == 1 and content[0].keys() == {"type", "text"}:
            self.items.append({"role": self._role, "content": content[0]["text"]})
            return
        message: Block = {"type": "message", "role": self._role, "content": content}
        if self._role == "assistant":
            for block in content:
                if block["type"] == "output_text":
                    block.setdefault("annotations", [])
        self.items.append(message)

    def _text(self, part: Text) -> None:
        if not part.text and part.cache is None:
            return
        if self._role != "assistant":
            self._content.append(_marked({"type": "input_text", "text": part.text}, part.cache))
            return
        block: Block = {"type": "output_text", "text": part.text}
        own = [write_annotation(one) for one in part.citations if one.origin == NAME]
        if own:
            block["annotations"] = own
        self._content.append(block)

    def _refusal(self, part: Refusal) -> None:
        if self._role == "assistant":
            self._content.append({"type": "refusal", "refusal": part.text})
        elif part.text:
            self._content.append({"type": "input_text", "text": part.text})

    def _media(self, part: Media) -> None:
        block = write_media(part) if self._role == "user" else None
        if block is None:
            self._lose(part.kind)
        else:
            self._content.append(_marked(block, part.cache))

    def _call(self, part: ToolCall) -> None:
        self._calls[part.id] = part.custom
        if part.custom:
            kind, name, text = "custom_tool_call", "input", part.arguments
        else:
            kind, name, text = "function_call", "arguments", part.arguments or "{}"
        self._item({"type": kind, "call_id": write_id(part.id), "name": part.name, name: text})

    def _result(self, part: ToolResult) -> None:
        custom = self._calls.get(part.call_id)
        if custom is None and self._pairs:
            what = f"holds the result of a call {part.call_id[:80]!r} that nobody made"
            raise wrong(f"messages[{self._at}]", what)
        kind = "custom_tool_call_output" if custom else "function_call_output"
        self._item({"type": kind, "call_id": write_id(part.call_id), "output": self._output(part)})

    def _output(self, result: ToolResult) -> str | list[Block]:
        blocks: list[Block] = []
        for part in result.parts:
            if isinstance(part, Text):
                blocks.append({"type": "input_text", "text": part.text})
            elif isinstance(part, Media) and part.kind != "audio" and (block := write_media(part)) is not None:
                blocks.append(block)
            elif isinstance(part, Foreign) and part.origin == NAME:
                blocks.append(part.value)
            else:
                self._lose(part.kind if isinstance(part, Media) else "content")
        if result.is_error:
            _say_error(blocks)
        if len(blocks) > 1 or (blocks and blocks[0]["type"] != "input_text"):
            return blocks
        return str(blocks[0]["text"]) if blocks else ""

    def _reasoning(self, part: Reasoning) -> None:
        proof = part.signature or part.redacted
        if part.origin != SIGNS or not proof:
            self._losses.add("messages.reasoning")
            return
        # Without an id it has been through a format that knows no summaries; what OpenAI shows beside a proof is one.
        is_summary = part.is_summary or part.id is None
        bound, proof = loosen(proof)
        summary = [{"type": "summary_text", "text": part.text}] if part.text and is_summary else []
        item: Block = {"type": "reasoning", "summary": summary, "encrypted_content": proof}
        if part.text and not is_summary:
            item["content"] = [{"type": "reasoning_text", "text": part.text}]
        known = part.id or bound
        if known is not None:  # a wrong one would be refused, as the content proves it too
            item["id"] = known
        self._item(item)

    def _foreign(self, part: Foreign) -> None:
        if part.origin != NAME or not isinstance(part.value, dict):
            self._losses.add(part.what)
        elif _CONTENT in part.what:
            self._content.append(part.value)
        else:
            self._item(part.value)


def _marked(block: Block, cache: Cache | None) -> Block:
    if cache is not None:
        block["prompt_cache_breakpoint"] = {"mode": "explicit", "ttl": _TTL[cache.ttl]}
    return block


def _say_error(blocks: list[Block]) -> None:
    """The API has no mark for a tool that failed, so its result says so."""
    first = blocks[0] if blocks else None
    if first is None or first["type"] != "input_text":
        blocks.insert(0, {"type": "input_text", "text": "Error"})
    elif "error" not in str(first["text"])[:80].lower():
        first["text"] = f"Error: {first['text']}"


_WRITERS: dict[type[Part], Callable[[Turns, Any], None]] = {
    Text: Turns._text,
    Refusal: Turns._refusal,
    Media: Turns._media,
    ToolCall: Turns._call,
    ToolResult: Turns._result,
    Reasoning: Turns._reasoning,
    Foreign: Turns._foreign,
}
