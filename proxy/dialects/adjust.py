"""Sets parameters and the system prompt of a conversation in its own bytes, in each dialect that callers speak, and
leaves every other byte as it is: providers cache prompts by their prefix."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from proxy.chat import Adjustment
from proxy.dialects.members import Edit, Members, apply
from proxy.dialects.places import PLACES
from proxy.dialects.spans import Span, items

_GAP = rb"\n\n"  # between two texts, as JSON spells it
_SYSTEM = frozenset({b'"system"', b'"developer"'})


def adjusted(body: bytes, dialect: str, wanted: Adjustment, *, counts: bool = False) -> tuple[bytes, tuple[str, ...]]:
    """``body``, a request in ``dialect``, with what is ``wanted``, and names of what the dialect has no word for.
    ``counts``: it asks for its number of tokens, and has no parameters.

    Raises:
        ValueError: it is not what the dialect says, or has a member twice that matters here.
    """
    if counts and dialect == "gemini":  # it asks about its turns alone
        return body, ()
    request = _Request(body, wanted)
    lost = () if counts else request.set_parameters(dialect)
    if wanted.system is not None:
        _SYSTEMS[dialect](request, wanted.system)
    return apply(body, request.all_edits()), lost


class _Request:
    """One body, and what is to be changed in it."""

    __slots__ = ("add", "body", "edits", "replace", "top", "wanted")

    def __init__(self, body: bytes, wanted: Adjustment) -> None:
        self.body = body
        self.wanted = wanted
        self.top = Members(body)
        self.add: dict[str, bytes] = {}
        self.replace: dict[str, bytes] = {}
        self.edits: list[Edit] = []

    def all_edits(self) -> list[Edit]:
        """Those of the document's own members, and those further down."""
        return self.top.edits(replace=self.replace, add=self.add) + self.edits

    def find(self, *names: str) -> tuple[str, Span] | None:
        """The member with one of these names, and its value's span; None if it is not there, or null.

        Raises:
            ValueError: there are two.
        """
        found = [member for member in self.top.found if member.name in names]
        if len(found) > 1:
            raise ValueError(f"{found[0].name!r} is there twice")
        return (found[0].name, found[0].value) if found and self.raw(found[0].value) != b"null" else None

    def raw(self, span: Span) -> bytes:
        """The bytes there."""
        return self.body[span[0] : span[1]]

    def put(self, names: Iterable[str], value: bytes) -> None:
        """A member of the document: where it stands, or as a new one under the first name."""
        _put(self.top, tuple(names), value, self.replace, self.add)

    def set_parameters(self, dialect: str) -> tuple[str, ...]:
        """Plan that, and tell which have no word."""
        places, inner, lost = PLACES[dialect], dict[tuple[str, ...], list[tuple[tuple[str, ...], bytes]]](), []
        for name, value in self.wanted.parameters.items():
            if name not in places:
                lost.append(name)
                continue
            place = places[name]
            inner.setdefault(place.within, []).append((place.names, msgspec.json.encode(value)))
        for holder, values in inner.items():
            self._set(holder, values)
        return tuple(lost)

    def _set(self, holder: tuple[str, ...], values: list[tuple[tuple[str, ...], bytes]]) -> None:
        if not holder:
            for names, value in values:
                self.put(names, value)
            return
        found = self.find(*holder)
        if found is None:
            self.put(holder, _object((names[0], value) for names, value in values))
            return
        members = Members(self.body, found[1])
        replace: dict[str, bytes] = {}
        add: dict[str, bytes] = {}
        for names, value in values:
            _put(members, names, value, replace, add)
        self.edits += members.edits(replace=replace, add=add)

    def write(self, span: Span, text: str, block: Callable[[bytes], bytes]) -> None:
        """Put ``text`` into the value at ``span``, a string or a list of blocks."""
        place, new = self.wanted.place, msgspec.json.encode(text)
        start, end = span
        first = self.body[start : start + 1]
        if place == "replace":
            self.edits.append((start, end, new))
        elif first == b'"':
            gap = _GAP if end - start > 2 else b""
            at, added = (start + 1, new[1:-1] + gap) if place == "prepend" else (end - 1, gap + new[1:-1])
            self.edits.append((at, at, added))
        elif self.is_list(span):
            self.insert(span, block(new), at_begin=place == "prepend")
        else:
            raise ValueError("a system prompt that is neither a text nor a list")

    def insert(self, span: Span, item: bytes, *, at_begin: bool) -> None:
        """A first or last item of the list at ``span``."""
        has_items = bool(items(self.body, span[0]))
        at = span[0] + 1 if at_begin else span[1] - 1
        comma = b"," if has_items else b""
        self.edits.append((at, at, item + comma if at_begin else comma + item))

    def is_list(self, span: Span) -> bool:
        """Whether a list is there."""
        return self.body[span[0] : span[0] + 1] == b"["

    def _items(self, name: str) -> list[Span]:
        """Of the list ``name``; none if that is no list."""
        found = self.find(name)
        return [] if found is None or not self.is_list(found[1]) else items(self.body, found[1][0])

    def head(self, name: str) -> list[Span]:
        """The messages of the system that stand first in the list ``name``."""
        spans = self._items(name)
        for number, span in enumerate(spans):
            role = _value(Members(self.body, span), "role")
            if role is None or self.raw(role) not in _SYSTEM:
                return spans[:number]
        return spans

    def drop(self, name: str, gone: list[Span]) -> None:
        """Take neighbours out of the list ``name``: its first items, or those behind the first."""
        if not gone:
            return
        spans = self._items(name)
        first, behind = spans.index(gone[0]), spans.index(gone[-1]) + 1
        start = spans[first - 1][1] if first else gone[0][0]
        self.edits.append((start, spans[behind][0] if not first and behind < len(spans) else gone[-1][1], b""))


def _openai_chat(request: _Request, text: str) -> None:
    messages = request.find("messages")
    if messages is None or not request.is_list(messages[1]):
        raise ValueError("no list of messages")
    head = request.head("messages")
    if not head:
        written = _object([("role", b'"system"'), ("content", msgspec.json.encode(text))])
        request.insert(messages[1], written, at_begin=True)
        return
    content = _value(Members(request.body, head[-1 if request.wanted.place == "append" else 0]), "content")
    if content is None:
        raise ValueError("a system message without content")
    request.write(content, text, _text_block)
    if request.wanted.place == "replace":
        request.drop("messages", head[1:])


def _openai_responses(request: _Request, text: str) -> None:
    found = request.find("instructions")
    if request.wanted.place == "replace":
        request.drop("input", request.head("input"))
    if found is None:
        request.put(("instructions",), msgspec.json.encode(text))
    else:
        request.write(found[1], text, _text_block)


def _anthropic_messages(request: _Request, text: str) -> None:
    found = request.find("system")
    if found is None:
        request.put(("system",), msgspec.json.encode(text))
    else:
        request.write(found[1], text, _text_block)


def _gemini(request: _Request, text: str) -> None:
    names = ("systemInstruction", "system_instruction")
    found = request.find(*names)
    if found is None or request.wanted.place == "replace":
        request.put(names, _object([("parts", b"[%b]" % _part(msgspec.json.encode(text)))]))
        return
    parts = _value(Members(request.body, found[1]), "parts")
    if parts is None or not request.is_list(parts):
        raise ValueError("a system instruction without parts")
    request.write(parts, text, _part)


_SYSTEMS: dict[str, Callable[[_Request, str], None]] = {
    "openai_chat": _openai_chat,
    "openai_responses": _openai_responses,
    "anthropic_messages": _anthropic_messages,
    "gemini": _gemini,
}


def _put(
    members: Members, names: tuple[str, ...], value: bytes, replace: dict[str, bytes], add: dict[str, bytes]
) -> None:
    there = [member.name for member in members.found if member.name in names]
    replace.update(dict.fromkeys(there, value))
    if not there:
        add[names[0]] = value


def _value(members: Members, name: str) -> Span | None:
    """Of the only member with that name."""
    found = [member.value for member in members.found if member.name == name]
    if len(found) > 1:
        raise ValueError(f"{name!r} is there twice")
    return found[0] if found else None


def _object(of: Iterable[tuple[str, bytes]]) -> bytes:
    return b"{%b}" % b",".join(b"%b:%b" % (msgspec.json.encode(name), value) for name, value in of)


def _text_block(text: bytes) -> bytes:
    return b'{"type":"text","text":%b}' % text


def _part(text: bytes) -> bytes:
    return b'{"text":%b}' % text
