"""The tools that a request offers to the model, and the request without some of them. What stays keeps its bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from proxy.dialects.members import Edit, Members, apply
from proxy.dialects.spans import Span, items

_LISTS = ("tools", "functions")
_DECLARED = ("functionDeclarations", "function_declarations")
# What says something of tools where none are left.
_ABOUT = ("tool_choice", "parallel_tool_calls", "function_call", "toolConfig", "tool_config")
_CHOICES = ("tool_choice", "function_call", "toolConfig", "tool_config")


class Offered:
    """The tools of one request, in whatever dialect; those that the provider runs itself by their type."""

    __slots__ = ("_body", "_members", "names")

    def __init__(self, body: bytes) -> None:
        """Find them.

        Raises:
            ValueError: the request, or one of its tools, cannot be read.
        """
        self._body = body
        self._members = Members(body)
        self.names: list[str] = []
        for member in self._members.found:
            if member.name in _LISTS:
                self._kept(member.value, self._note)

    def _note(self, name: str) -> bool:
        self.names.append(name)
        return False

    def chosen(self) -> list[str]:
        """Texts in what the request says of the tools that must be called: among them their names."""
        found: list[str] = []
        for member in self._members.found:
            if member.name in _CHOICES:
                found += _texts(msgspec.json.decode(self._body[slice(*member.value)]))
        return found

    def without(self, is_denied: Callable[[str], bool]) -> bytes:
        """The request without tools of these names."""
        kept = {member: self._kept(member.value, is_denied) for member in self._members.found if member.name in _LISTS}
        if not any(kept.values()):
            drop = {member.name for member in self._members.found if member.name in (*_LISTS, *_ABOUT)}
            return apply(self._body, self._members.edits(drop=drop))
        some = {member.name for member, left in kept.items() if left}  # a name may be there twice
        edits: list[Edit] = self._members.edits(drop={member.name for member in kept} - some)
        edits += [(*member.value, b"[%b]" % b",".join(left)) for member, left in kept.items() if member.name in some]
        return apply(self._body, edits)

    def _kept(self, span: Span, is_denied: Callable[[str], bool]) -> list[bytes]:
        """The items of a list that are not denied, as they stand there."""
        body, kept = self._body, []
        if body[span[0] : span[0] + 1] != b"[":
            return []
        for start, end in items(body, span[0]):
            tool = msgspec.json.decode(body[start:end])
            if not isinstance(tool, dict):
                raise ValueError("a tool is no object")
            declared = next((name for name in _DECLARED if isinstance(tool.get(name), list)), None)
            if declared is None:
                kept += [] if is_denied(_name(tool)) else [body[start:end]]
            elif left := self._declared((start, end), is_denied):
                kept.append(left)
        return kept

    def _declared(self, span: Span, is_denied: Callable[[str], bool]) -> bytes:
        """Gemini's tool without some of its functions; nothing if it has no others."""
        members = Members(self._body, span)
        edits: list[Edit] = []
        left: list[bytes] = []
        for member in members.found:
            if member.name in _DECLARED:
                kept = self._kept(member.value, is_denied)
                edits.append((*member.value, b"[%b]" % b",".join(kept)))
                left += kept
        if not left and len(edits) == len(members.found):
            return b""
        shifted = [(start - span[0], end - span[0], new) for start, end, new in edits]
        return apply(self._body[slice(*span)], shifted)


def _name(tool: dict[str, Any]) -> str:
    """What it is called: a function by its name, what the provider runs itself by its type, or by its only member."""
    inner = next((tool[kind] for kind in ("function", "custom") if isinstance(tool.get(kind), dict)), tool)
    for name in (inner.get("name"), tool.get("type"), next(iter(tool), "")):
        if isinstance(name, str) and name:
            return name
    return ""


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []
