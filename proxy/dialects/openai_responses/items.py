"""Items of an input as messages.

What the model said in one go (thoughts, text, calls) is one message, as other formats have it, and results of tools
that follow each other are one too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import msgspec

from proxy.chat import Foreign, Media, Message, Part, Role, Text, ToolCall, ToolResult
from proxy.dialects.openai_responses.content import read_content
from proxy.dialects.openai_responses.signature import add_reasoning, read_reasoning
from proxy.dialects.openai_responses.wire import CONTENTS, NAME, Content, Item
from proxy.dialects.reading import Again, refuse, wrong

_ROLES = get_args(Role)
# Unknown items are the model's, but for these.
_OF_USER = frozenset({"mcp_approval_response", "additional_tools", "compaction_trigger", "configuration_update"})


class Items:
    """Collects messages. ``extra`` takes what has no neutral name; ``path`` leads to the items in ``again``."""

    __slots__ = ("_again", "_collects", "_extra", "_path", "messages")

    def __init__(self, again: Again, extra: dict[str, Any], path: str = "input") -> None:
        self._again = again
        self._extra = extra
        self._path = path
        self._collects = False  # whether the last message takes further results
        self.messages: list[Message] = []

    def add(self, item: Item, at: int) -> None:
        """The item at ``at``.

        Raises:
            BadRequest: with the place of what is wrong.
        """
        kind = item.type
        if kind is None:
            kind = "message" if item.role is not None else "item_reference"
        read = _READERS.get(kind, Items._foreign)
        read(self, item, at)

    def _where(self, at: int) -> str:
        return f"{self._path}[{at}]"

    def _said(self) -> list[Part]:
        """The parts of what the model says at this point."""
        if not self.messages or self.messages[-1].role != "assistant":
            self.messages.append(Message("assistant", []))
        self._collects = False
        return self.messages[-1].parts

    def _message(self, item: Item, at: int) -> None:
        where = self._where(at)
        role: Any = item.role
        if role not in _ROLES:
            said = "is required" if role is None else f"must be one of {', '.join(_ROLES)}"
            raise wrong(f"{where}.role", said)
        if item.content is None:
            raise wrong(f"{where}.content", "is required")
        parts = self._content(item.content, at, "content")
        if item.phase is not None:
            self._extra[f"{where}.phase"] = item.phase
        if role == "assistant":
            self._said().extend(parts)
        else:
            self._collects = False
            self.messages.append(Message(role, parts))

    def _content(self, content: str | list[Content], at: int, name: str) -> list[Part]:
        if isinstance(content, str):
            return [Text(content)]
        index = len(self.messages)

        def value(which: int) -> Any:
            return self._again.at(self._path, at, name, which)

        return read_content(content, f"{self._where(at)}.{name}", value, f"messages[{index}].content")

    def _call(self, item: Item, at: int) -> None:
        self._add_call(item, at, "arguments", item.arguments, custom=False)

    def _custom_call(self, item: Item, at: int) -> None:
        self._add_call(item, at, "input", item.input, custom=True)

    def _add_call(self, item: Item, at: int, name: str, text: Any, *, custom: bool) -> None:
        where = self._where(at)
        if not item.call_id:
            raise wrong(f"{where}.call_id", "is required")
        if not item.name:
            raise wrong(f"{where}.name", "is required")
        if not isinstance(text, str):
            raise wrong(f"{where}.{name}", "must be a string")
        if item.namespace is not None:
            self._extra[f"{where}.namespace"] = item.namespace
        self._said().append(ToolCall(id=item.call_id, name=item.name, arguments=text, custom=custom))

    def _result(self, item: Item, at: int) -> None:
        where = self._where(at)
        if not item.call_id:
            raise wrong(f"{where}.call_id", "is required")
        result = ToolResult(call_id=item.call_id, parts=self._output(item, at), name=item.name)
        if not self._collects:
            self.messages.append(Message("user", []))
            self._collects = True
        self.messages[-1].parts.append(result)

    def _output(self, item: Item, at: int) -> tuple[Text | Media | Foreign, ...]:
        output, where = item.output, f"{self._where(at)}.output"
        if isinstance(output, list):
            try:
                output = msgspec.convert(output, CONTENTS)
            except msgspec.ValidationError as error:
                refuse(error, where)
        elif not isinstance(output, str):
            raise wrong(where, "must be a string or an array of content")
        found: list[Text | Media | Foreign] = []
        for index, part in enumerate(self._content(output, at, "output")):
            if not isinstance(part, Text | Media | Foreign):
                raise wrong(f"{where}[{index}].type", "is no content that a result of a tool may hold")
            found.append(part)
        return tuple(found)

    def _reasoning(self, item: Item, at: int) -> None:
        text, is_summary = thoughts(item)
        add_reasoning(self._said(), read_reasoning(text, item.encrypted_content, item.id, is_summary=is_summary))

    def _image(self, item: Item, at: int) -> None:
        """A picture that the model made."""
        if not isinstance(item.result, str):
            self._foreign(item, at)
            return
        kind = f"image/{item.output_format or 'png'}"
        self._said().append(Media(kind="image", data=item.result, media_type=kind))

    def _reference(self, item: Item, at: int) -> None:
        if not item.id:
            raise wrong(f"{self._where(at)}.type", "is required")
        index = len(self.messages)
        value = {"type": "item_reference", "id": item.id}
        self._said().append(Foreign(origin=NAME, what=f"messages[{index}].item_reference", value=value))

    def _foreign(self, item: Item, at: int) -> None:
        kind = (item.type or "")[:64]
        if not kind:
            raise wrong(f"{self._where(at)}.type", "must name the kind of item")
        value = self._again.at(self._path, at)
        part = Foreign(origin=NAME, what=f"messages[{len(self.messages)}].{kind}", value=value)
        if kind.endswith("_output") or kind in _OF_USER:
            self._collects = False
            self.messages.append(Message("user", [part]))
        else:
            self._said().append(part)


def thoughts(item: Item) -> tuple[str, bool]:
    """The text of a reasoning item, and whether it is but a summary."""
    if isinstance(item.content, list) and item.content:
        return "".join(piece.text or "" for piece in item.content), False
    return "\n\n".join(piece.text or "" for piece in item.summary or ()), True


_READERS: dict[str, Callable[[Items, Item, int], None]] = {
    "message": Items._message,
    "function_call": Items._call,
    "custom_tool_call": Items._custom_call,
    "function_call_output": Items._result,
    "custom_tool_call_output": Items._result,
    "reasoning": Items._reasoning,
    "image_generation_call": Items._image,
    "item_reference": Items._reference,
}
