"""Edits the members of a JSON object in its bytes: drops, renames, replaces and adds, and leaves every other byte.

The decoder finds the values, at its own speed; what is left to find are the few bytes between them. For documents that
a decoder has read before: what is no valid JSON raises ``ValueError``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from proxy.dialects.spans import Span, value_at

_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OPEN = re.compile(rb"[ \t\r\n]*+\{[ \t\r\n]*+")
_COLON = re.compile(rb"[ \t\r\n]*+:[ \t\r\n]*+")
_NEXT = re.compile(rb"[ \t\r\n]*+(?:,[ \t\r\n]*+)?")
_AFTER_VALUE = frozenset(b", \t\r\n}")

Edit = tuple[int, int, bytes]


class Member(NamedTuple):
    """One member: its name decoded, and the spans of name (with quotes) and value."""

    name: str
    key: Span
    value: Span


class Members:
    """The members of one object, in the order in which they stand; a name that is there twice is there twice."""

    __slots__ = ("_body", "_start", "found")

    def __init__(self, body: bytes, span: Span | None = None, values: Mapping[str, msgspec.Raw] | None = None) -> None:
        """Of the whole ``body``, or of the object at ``span``; ``values`` as a decoder found them, if one has.

        Raises:
            ValueError: there is no object, or no valid JSON.
        """
        self._body = body
        start, end = span or (0, len(body))
        if values is None:
            try:
                values = _TOP.decode(body if span is None else body[start:end])
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise ValueError(f"no object: {error}") from None
        opening = _OPEN.match(body, start)
        if opening is None:
            raise ValueError(f"no {{ at byte {start}")
        self._start = opening.end()
        self.found: list[Member] = []
        at = self._start
        while body[at : at + 1] != b"}":
            member = self._member(at, values)
            self.found.append(member)
            gap = _NEXT.match(body, member.value[1])
            at = member.value[1] if gap is None else gap.end()

    def _member(self, at: int, values: Mapping[str, msgspec.Raw]) -> Member:
        body = self._body
        key = value_at(body, at)
        spelled = body[key[0] : key[1]]
        name: str = msgspec.json.decode(spelled) if b"\\" in spelled else spelled[1:-1].decode()
        colon = _COLON.match(body, key[1])
        if colon is None:
            raise ValueError(f"no colon at byte {key[1]}")
        start = colon.end()
        value = bytes(values.get(name, b""))
        end = start + len(value)
        # Of a name that is there twice the decoder knows one value only.
        if value and body.startswith(value, start) and end < len(body) and body[end] in _AFTER_VALUE:
            return Member(name, key, (start, end))
        return Member(name, key, value_at(body, start))

    def edits(
        self,
        *,
        drop: Collection[str] = (),
        rename: Mapping[str, str] | None = None,
        replace: Mapping[str, bytes] | None = None,
        add: Mapping[str, bytes] | None = None,
    ) -> list[Edit]:
        """What to change in the bytes. ``add`` goes behind the last member; its names must not be there already."""
        edits = self._drops(drop)
        for member in self.found:
            if member.name in drop:
                continue
            if rename is not None and member.name in rename:
                edits.append((*member.key, msgspec.json.encode(rename[member.name])))
            if replace is not None and member.name in replace:
                edits.append((*member.value, replace[member.name]))
        if add:
            edits.append(self._added(drop, add))
        return edits

    def _drops(self, names: Collection[str]) -> list[Edit]:
        """A member goes with the comma before it; those at the head with the one behind."""
        edits: list[Edit] = []
        kept = -1  # end of the last value that stays
        first = -1  # begin of the members at the head that go
        for member in self.found:
            if member.name not in names:
                if kept < 0 <= first:
                    edits.append((first, member.key[0], b""))
                kept = member.value[1]
            elif kept >= 0:
                edits.append((kept, member.value[1], b""))
                kept = member.value[1]
            elif first < 0:
                first = member.key[0]
        if kept < 0 <= first:
            edits.append((first, self.found[-1].value[1], b""))
        return edits

    def _added(self, drop: Collection[str], add: Mapping[str, bytes]) -> Edit:
        written = b",".join(b"%b:%b" % (msgspec.json.encode(name), value) for name, value in add.items())
        at = self.found[-1].value[1] if self.found else self._start
        stays = any(member.name not in drop for member in self.found)
        return at, at, (b"," if stays else b"") + written


def apply(body: bytes, edits: Iterable[Edit]) -> bytes:
    """``body`` with ``edits`` made; those that overlap are a mistake of whoever made them."""
    parts: list[bytes] = []
    at = 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        if start < at:
            raise ValueError(f"two edits of byte {start}")
        parts += (body[at:start], new)
        at = end
    return b"".join((*parts, body[at:])) if parts else body
