"""Neutral messages as the contents of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from proxy.chat import Chat, Foreign, Losses, Media, Message, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from proxy.dialects.gemini.media import write_media
from proxy.dialects.gemini.models import is_current
from proxy.dialects.gemini.signature import PLACEHOLDER
from proxy.dialects.gemini.wire import NAME, SIGNS
from proxy.dialects.reading import wrong

Value = dict[str, Any]
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_EMPTY = msgspec.Raw(b"{}")


def write_arguments(call: ToolCall) -> tuple[Any, bool]:
    """The arguments of a call as an object, and whether that says what was meant: text that is none is put into one."""
    text = call.arguments
    if call.custom:
        return {"input": text}, True
    if not text or text == "{}":
        return _EMPTY, True
    try:
        _OBJECT.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"arguments": text}, False
    if "\n" in text or "\r" in text:
        # Between the members; an event of a stream is one line.
        text = text.replace("\n", " ").replace("\r", " ")
    return msgspec.Raw(text.encode()), True


class Contents:
    """Writes the messages of one request.

    After ``write``: ``system``, the parts of the instruction, and ``contents``. Results of tools are a turn of their
    own, in the order of their calls, as the API counts one against the other.
    """

    __slots__ = ("_calls", "_is_current", "_losses", "contents", "system")

    def __init__(self, model: str, losses: Losses) -> None:
        self._losses = losses
        self._is_current = is_current(model)
        self._calls: dict[str, tuple[str, int]] = {}  # by id: name, and its place among all calls
        self.system: list[Value] = []
        self.contents: list[Value] = []

    def write(self, chat: Chat) -> None:
        """Write all messages of ``chat``.

        Raises:
            BadRequest: a result answers no call, or there is nothing to say.
        """
        head = True
        for at, message in enumerate(chat.messages):
            if message.name is not None:
                self._losses.add(f"messages[{at}].name")
            if head and message.role in ("system", "developer"):
                self.system += self._parts(message.parts, message, at)
                continue
            head = False
            if message.role == "assistant":
                self._add("model", self._parts(message.parts, message, at))
            else:
                if message.role != "user":
                    self._losses.add(f"messages[{at}].role")
                self._user(message, at)
        if not self.contents and self.system:
            # The API wants a turn, and has no other place for what is there.
            self._losses.add("messages[0].role")
            self.contents, self.system = [{"role": "user", "parts": self.system}], []
        if not self.contents:
            raise wrong("messages", "must hold a message with something in it")
        self._sign()

    def _user(self, message: Message, at: int) -> None:
        results = [part for part in message.parts if type(part) is ToolResult]
        if not results:
            self._add("user", self._parts(message.parts, message, at))
            return
        beside: list[Value] = []
        written = [self._result(part, message, at, beside) for part in results]
        self._add_results([part for _, part in sorted(written, key=lambda one: one[0])])
        others = [part for part in message.parts if type(part) is not ToolResult]
        beside += self._parts(others, message, at)
        if beside:
            self.contents.append({"role": "user", "parts": beside})

    def _add(self, role: str, parts: list[Value]) -> None:
        """As a turn of its own, or to the last one if that has the same role and holds no results of tools."""
        if not parts:
            return
        last = self.contents[-1] if self.contents else None
        if last is not None and last["role"] == role and "functionResponse" not in last["parts"][0]:
            last["parts"] += parts
        else:
            self.contents.append({"role": role, "parts": parts})

    def _add_results(self, parts: list[Value]) -> None:
        last = self.contents[-1] if self.contents else None
        if last is not None and "functionResponse" in last["parts"][-1]:
            last["parts"] += parts
        else:
            self.contents.append({"role": "user", "parts": parts})

    def _parts(self, parts: list[Part], message: Message, at: int) -> list[Value]:
        written: list[Value] = []
        for part in parts:
            value = _WRITERS[type(part)](self, part, message, at)
            if value is not None:
                written.append(value)
        return written

    def _text(self, part: Text, message: Message, at: int) -> Value | None:
        if part.signature and part.origin == SIGNS:
            return {"text": part.text, "thoughtSignature": part.signature}
        return {"text": part.text} if part.text else None

    def _refusal(self, part: Refusal, message: Message, at: int) -> Value | None:
        return {"text": part.text} if part.text else None

    def _media(self, part: Media, message: Message, at: int) -> Value | None:
        value = write_media(part)
        if value is None:
            self._losses.add(f"messages[{at}].{part.kind}")
        return value

    def _call(self, part: ToolCall, message: Message, at: int) -> Value:
        arguments, is_meant = write_arguments(part)
        if not is_meant:
            number = [one for one in message.parts if isinstance(one, ToolCall)].index(part)
            self._losses.add(f"messages[{at}].tool_calls[{number}].arguments")
        self._calls[part.id] = (part.name, len(self._calls))
        value: Value = {"functionCall": {"id": part.id, "name": part.name, "args": arguments}}
        if part.signature and part.origin == SIGNS:
            value["thoughtSignature"] = part.signature
        return value

    def _result(self, part: ToolResult, message: Message, at: int, beside: list[Value]) -> tuple[int, Value]:
        """The result and its place; media that the model does not take from tools go ``beside`` it."""
        found = self._calls.get(part.call_id)
        if found is None:
            raise wrong(f"messages[{at}]", f"holds the result of a call {part.call_id[:80]!r} that nobody made")
        name, place = found
        texts: list[str] = []
        media: list[Value] = []
        for one in part.parts:
            if isinstance(one, Text):
                texts.append(one.text)
                continue
            value = self._media(one, message, at) if isinstance(one, Media) else self._foreign(one, message, at)
            if value is not None:
                media.append(value)
        said = "\n".join(texts)
        result: Value = {"id": part.call_id, "name": name, "response": {"error" if part.is_error else "output": said}}
        if media and self._is_current:
            result["parts"] = media
        elif media:
            beside.append({"text": f"(from the tool {name}:)"})
            beside += media
        return place, {"functionResponse": result}

    def _stray(self, part: ToolResult, message: Message, at: int) -> Value:
        raise wrong(f"messages[{at}]", "holds the result of a tool, which only a user message may")

    def _reasoning(self, part: Reasoning, message: Message, at: int) -> Value | None:
        if part.origin != SIGNS or message.role != "assistant":
            self._losses.add("messages.reasoning")
            return None
        value: Value = {"text": part.text, "thought": True}
        if part.signature:
            value["thoughtSignature"] = part.signature
        return value

    def _foreign(self, part: Foreign, message: Message, at: int) -> Value | None:
        if part.origin == NAME and isinstance(part.value, dict):
            return part.value
        self._losses.add(part.what)
        return None

    def _sign(self) -> None:
        """Newer models refuse a turn whose first call has no signature. One that lost its own gets the documented
        placeholder, which stands for calls that no model of Google's made."""
        if not self._is_current or not self._calls:
            return
        for content in self.contents:
            if content["role"] == "model":
                first = next((part for part in content["parts"] if "functionCall" in part), None)
                if first is not None:
                    first.setdefault("thoughtSignature", PLACEHOLDER)


_WRITERS: dict[type, Callable[[Contents, Any, Message, int], Value | None]] = {
    Text: Contents._text,
    Media: Contents._media,
    ToolCall: Contents._call,
    ToolResult: Contents._stray,
    Reasoning: Contents._reasoning,
    Refusal: Contents._refusal,
    Foreign: Contents._foreign,
}
