"""Writes the messages of a request in OpenAI's chat format."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import msgspec

from proxy.chat import Cache, Foreign, Losses, Media, Message, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from proxy.dialects.openai_chat.answer import write_call
from proxy.dialects.openai_chat.media import write_media
from proxy.dialects.openai_chat.thought import write_detail
from proxy.dialects.openai_chat.wire import NAME
from proxy.errors import BadRequest

_NINE = re.compile(r"[a-zA-Z0-9]{9}")
_BETWEEN = {"role": "assistant", "content": "OK."}


def mark(cache: Cache) -> dict[str, str]:
    """A marker in Anthropic's form."""
    return {"type": "ephemeral"} if cache.ttl == "5m" else {"type": "ephemeral", "ttl": cache.ttl}


def nine(call_id: str) -> str:
    """An id of a call as Mistral takes it: nine letters or digits, the same for the same call always."""
    return call_id if _NINE.fullmatch(call_id) else sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:9]


class Turns:
    """The messages of one request. ``quirks``: see ``proxy.dialects.openai_chat.body.QUIRKS``."""

    __slots__ = ("_by_url", "_called", "_losses", "_marks", "_nine", "_quirks")

    def __init__(self, quirks: frozenset[str], losses: Losses) -> None:
        self._quirks = quirks
        self._losses = losses
        self._marks = "cache_control" in quirks
        self._nine = "tool_ids_9" in quirks
        self._by_url = "by_url" in quirks
        self._called: set[str] = set()

    def write(self, messages: list[Message]) -> list[dict[str, Any]]:
        """Messages on the wire: results of tools are messages of their own there.

        Raises:
            BadRequest: a result answers no call.
        """
        written: list[dict[str, Any]] = []
        for at, message in enumerate(messages):
            if message.role == "assistant":
                written.append(self._assistant(message, at))
            elif message.role == "user":
                written += self._user(message, at)
            else:
                role = "system" if "no_developer" in self._quirks else message.role
                content = self._content(message.parts, at)
                written.append(self._named(message, {"role": role, "content": content}, at))
        if "no_user_after_tool" in self._quirks:
            return _separated(written)
        return written

    def _named(self, message: Message, written: dict[str, Any], at: int) -> dict[str, Any]:
        if message.name is not None:
            if "no_names" in self._quirks:
                self._losses.add(f"messages[{at}].name")
            else:
                written["name"] = message.name
        return written

    def _user(self, message: Message, at: int) -> list[dict[str, Any]]:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        if not results:
            return [self._named(message, {"role": "user", "content": self._content(message.parts, at)}, at)]
        written = [self._result(result, at) for result in results]
        shown = [part for result in results for part in _shown(result)]
        rest = [*shown, *(part for part in message.parts if not isinstance(part, ToolResult))]
        if rest:
            written.append(self._named(message, {"role": "user", "content": self._content(rest, at)}, at))
        return written

    def _result(self, result: ToolResult, at: int) -> dict[str, Any]:
        """A result in words. What can only be seen or heard follows as the user's (``_shown``)."""
        call_id = result.call_id
        if call_id not in self._called:
            message = f"The result of the tool call {call_id[:100]!r} has no such call before it."
            raise BadRequest(message, code="invalid_request", param=f"messages[{at}]")
        texts = [part for part in result.parts if isinstance(part, Text)]
        if len(texts) == 1 or not texts:
            content: Any = _error(result, texts[0].text if texts else "")
        else:
            content = [{"type": "text", "text": part.text} for part in texts]
            content[0]["text"] = _error(result, texts[0].text)
        if any(isinstance(part, Foreign) for part in result.parts):
            self._losses.add(f"messages[{at}].tool_result")
        if not content and len(result.parts) > len(texts):
            content = "(see below)"
        return {"role": "tool", "tool_call_id": nine(call_id) if self._nine else call_id, "content": content}

    def _content(self, parts: list[Part], at: int) -> Any:
        if len(parts) == 1:
            only = parts[0]
            if isinstance(only, Text) and not (self._marks and only.cache is not None):
                return only.text
        written = [one for part in parts if (one := self._part(part, at)) is not None]
        return written or ""

    def _part(self, part: Part, at: int) -> dict[str, Any] | None:
        written: dict[str, Any] | None = None
        if isinstance(part, Text):
            written = {"type": "text", "text": part.text}
        elif isinstance(part, Media):
            written = write_media(part, by_url=self._by_url)
        if written is None:
            self._lose(part, at)
        elif self._marks and isinstance(part, Text | Media) and part.cache is not None:
            written["cache_control"] = mark(part.cache)
        return written

    def _lose(self, part: Part, at: int) -> None:
        what = part.kind if isinstance(part, Media) else part.what if isinstance(part, Foreign) else "content"
        self._losses.add(f"messages[{at}].{what}")

    def _assistant(self, message: Message, at: int) -> dict[str, Any]:
        written: dict[str, Any] = {"role": "assistant"}
        texts: list[Text] = []
        thoughts: list[Reasoning] = []
        calls: list[dict[str, Any]] = []
        refusals: list[str] = []
        for part in message.parts:
            if isinstance(part, Text):
                texts.append(part)
            elif isinstance(part, ToolCall):
                calls.append(self._call(part))
            elif isinstance(part, Reasoning):
                thoughts.append(part)
            elif isinstance(part, Refusal):
                if "no_refusals" in self._quirks:
                    texts.append(Text(part.text))
                else:
                    refusals.append(part.text)
            elif isinstance(part, Foreign) and part.origin == NAME and part.what == "audio":
                written["audio"] = part.value
            else:
                self._lose(part, at)
        if self._marks and any(text.cache is not None for text in texts):
            written["content"] = [self._part(text, at) for text in texts]
        elif texts or not (calls or refusals or "audio" in written):
            written["content"] = "".join(text.text for text in texts)
        if refusals:
            written["refusal"] = "".join(refusals)
        if calls:
            written["tool_calls"] = calls
        if thoughts:
            self._thoughts(thoughts, written)
        return self._named(message, written, at)

    def _call(self, call: ToolCall) -> dict[str, Any]:
        self._called.add(call.id)
        if call.custom and "functions_only" in self._quirks:
            arguments = msgspec.json.encode({"input": call.arguments}).decode()
            call = ToolCall(id=call.id, name=call.name, arguments=arguments)
        written = write_call(call)
        if self._nine:
            written["id"] = nine(call.id)
        return written

    def _thoughts(self, thoughts: list[Reasoning], written: dict[str, Any]) -> None:
        if "reasoning_details" in self._quirks:
            written["reasoning_details"] = [write_detail(thought, at) for at, thought in enumerate(thoughts)]
            return
        told = [thought for thought in thoughts if thought.text]
        if "reasoning_content" in self._quirks:
            written["reasoning_content"] = "".join(thought.text for thought in told)
        elif "thinking" in self._quirks:
            said = written.get("content") or []
            chunks = [{"type": "text", "text": said}] if isinstance(said, str) else said
            written["content"] = [*(_chunk(thought) for thought in told), *chunks]
        else:
            self._losses.add("messages.reasoning")


def _chunk(thought: Reasoning) -> dict[str, Any]:
    """A thought among the content, in Mistral's form."""
    return {"type": "thinking", "thinking": [{"type": "text", "text": thought.text}], "closed": True}


def _separated(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With a word of the assistant where the user would speak right after a tool."""
    written: list[dict[str, Any]] = []
    for message in messages:
        if written and message["role"] == "user" and written[-1]["role"] == "tool":
            written.append(_BETWEEN)
        written.append(message)
    return written


def _error(result: ToolResult, text: str) -> str:
    """The format cannot say that a tool has failed, so its result does."""
    if not result.is_error or text[:5].lower() == "error":
        return text
    return f"Error: {text}" if text else "Error"


def _shown(result: ToolResult) -> list[Part]:
    """What of a result is no text, with a word on where it comes from."""
    media: list[Part] = [part for part in result.parts if isinstance(part, Media)]
    return [Text(f"(result of the tool call {result.call_id})"), *media] if media else []
