"""Every place of a JSON document that can carry text, with its path and its bytes.

Nothing is asked about the format: each string is a carrier, in whatever member of whatever dialect it stands, and so
are the names of members that no protocol knows, long numbers, and text in base64. What is there twice is found twice.
Only what no reader takes for text is left out: pictures and the like, seals, and the protocols' own words.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple
from urllib.parse import quote

import msgspec

from proxy.guarding.words import BLOBS, NAMES, PLACES, TOP_PLACES, TYPES, WORDS

Place = Literal["system", "user", "assistant", "tool_definition", "tool_call", "tool_result", "metadata", "other"]
_Form = Literal["string", "name", "number", "base64", "field", "quoted", "percent"]

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|-?\d[\d.eE+-]*+', re.DOTALL)
_QUOTE, _OPEN, _CLOSE, _LIST, _LIST_END, _COMMA, _COLON = b'"{}[],:'
_DATA_URL = re.compile(r"data:[\w.+-]*/?[\w.+-]*(?:;[\w.+=-]*)*?;base64,", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_DIGITS = 7  # of a number that may be somebody's
_IN_QUOTES = {34: "%22", 13: "%0D", 10: "%0A"}
_PROBE = 256  # characters of base64 that tell whether the rest is text


class Span(NamedTuple):
    """Bytes of the document."""

    start: int
    end: int


class _Frame:
    """An object or a list around a carrier."""

    __slots__ = ("index", "is_list", "key", "kind", "parent", "role", "step")

    def __init__(self, parent: _Frame | None, step: str | int, is_list: bool) -> None:
        self.parent = parent
        self.step = step  # where it stands in its parent
        self.is_list = is_list
        self.index = 0
        self.key: str | None = None  # the name before the next value
        self.kind = ""  # its member `type`
        self.role = ""


class Carrier:
    """One piece of text. ``text`` is what a reader would see; ``span`` are its bytes, quotes included."""

    __slots__ = ("_form", "_frame", "_prefix", "_step", "outer", "span", "text")

    def __init__(self, frame: _Frame, step: str | int, text: str, span: Span, form: _Form, prefix: str = "") -> None:
        self.outer: Carrier | None = None  # whose text is JSON in which this one stands
        self._frame = frame
        self._step = step
        self._form = form
        self._prefix = prefix  # of base64: what stands before it
        self.text = text
        self.span = span

    @property
    def path(self) -> str:
        """``messages[0].content``; a name that nobody but its writer knows is shown as ``*``."""
        shown = "".join(f"[{step}]" if isinstance(step, int) else f".{_shown(step)}" for step in self.steps)
        return (f"{shown} (name)" if self.is_name else shown).removeprefix(".")

    @property
    def steps(self) -> list[str | int]:
        """The names and numbers that lead to it."""
        steps = [self._step, *(frame.step for frame in _outward(self._frame))]
        own = steps[-3::-1]  # without those of the document and of what is around it
        return own if self.outer is None else self.outer.steps + own

    @property
    def top(self) -> str:
        """The name of the document's member in which it stands."""
        return str(self.steps[0]) if self.steps else ""

    @property
    def place(self) -> Place:
        """Who says it."""
        if self.outer is not None:
            return self.outer.place
        if (found := TOP_PLACES.get(self.top)) is not None:
            return found
        frames = list(_outward(self._frame))
        for frame in frames:
            if found := PLACES.get(frame.step) if isinstance(frame.step, str) else None:
                return found
            if found := TYPES.get(frame.kind):
                return found
            if frame.role:
                return _ROLES.get(frame.role, "other")
        return "user" if self.top in ("input", "prompt", "contents", "messages", "content", "query") else "other"

    @property
    def is_name(self) -> bool:
        """Whether it is the name of a member."""
        return self._form == "name"

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return self._form == "number"

    @property
    def is_json(self) -> bool:
        """Whether the text is meant to be JSON itself."""
        return self._form == "string" and self._step in ("arguments", "partial_json")

    def written(self, text: str) -> bytes:
        """The bytes that say ``text`` in its place."""
        if self._form == "field":  # of a form
            return text.encode()
        if self._form == "quoted":  # in a header of one of its parts, as browsers have it there
            return text.translate(_IN_QUOTES).encode()
        if self._form == "percent":
            return quote(text, safe="").encode()
        if self._form == "base64":
            text = self._prefix + base64.b64encode(text.encode()).decode()
        return msgspec.json.encode(text)


_ROLES: dict[str, Place] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "model": "assistant",
    "tool": "tool_result",
    "function": "tool_result",
}


def _outward(frame: _Frame | None) -> Iterable[_Frame]:
    while frame is not None:
        yield frame
        frame = frame.parent


def root() -> _Frame:
    """Around what stands in no object and no list: a field of a form."""
    return _Frame(_Frame(None, "", True), 0, False)


def _shown(step: str) -> str:
    """A name that somebody chose may be what is looked for: it is not repeated."""
    return step if step in NAMES else "*"


def carriers(body: bytes) -> list[Carrier]:
    """The carriers of a JSON document that a decoder has read before, in the order of its bytes. JSON in a text, as
    arguments of tools are, is looked into."""
    return [carrier for found in _read(body) for carrier in _inner(found)]


def _inner(carrier: Carrier) -> list[Carrier]:
    """Those in the JSON that is a carrier's text, or the carrier itself."""
    if not carrier.is_json:
        return [carrier]
    data = carrier.text.encode()
    try:
        msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return [carrier]
    inner = _read(data)
    for one in inner:
        one.outer = carrier
    return inner


def _read(body: bytes) -> list[Carrier]:
    found: list[Carrier] = []
    frame: _Frame | None = None
    top = _Frame(None, "", True)
    for token in _TOKEN.finditer(body):
        start, end = token.span()
        mark = body[start]
        holder = top if frame is None else frame
        if mark == _QUOTE:
            _string(found, holder, body, start, end)
        elif mark in (_OPEN, _LIST):
            frame = _Frame(frame or top, holder.index if holder.is_list else holder.key or "", mark == _LIST)
        elif mark in (_CLOSE, _LIST_END):
            frame = holder.parent
        elif mark == _COMMA:
            if holder.is_list:
                holder.index += 1
            holder.key = None
        elif mark != _COLON and end - start >= _DIGITS:
            step = holder.index if holder.is_list else holder.key or ""
            found.append(Carrier(holder, step, body[start:end].decode(), Span(start, end), "number"))
    return found


def _string(found: list[Carrier], holder: _Frame, body: bytes, start: int, end: int) -> None:
    raw = body[start + 1 : end - 1]
    text: str = msgspec.json.decode(body[start:end]) if b"\\" in raw else raw.decode()
    span = Span(start, end)
    if not holder.is_list and holder.key is None:
        holder.key = text
        if text not in NAMES:
            found.append(Carrier(holder, text, text, span, "name"))
        return
    step = holder.index if holder.is_list else holder.key or ""
    if step in ("type", "role") and text in WORDS:
        if step == "type":
            holder.kind = text
        else:
            holder.role = text
        return
    if not text or (step == "model" and holder.parent is not None and holder.parent.parent is None):
        return
    blob = _blob(text, step)
    if blob is None:
        found.append(Carrier(holder, step, text, span, "string"))
    elif blob[1]:
        found.append(Carrier(holder, step, blob[1], span, "base64", blob[0]))


def _blob(text: str, step: str | int) -> tuple[str, str] | None:
    """What stands before some base64, and the text that it holds, "" if it holds none; None if this is no base64."""
    prefix = ""
    if text.startswith("data:") and (url := _DATA_URL.match(text)):
        prefix = url[0]
    elif step not in BLOBS:
        return None
    if len(text) < 24 or _BASE64.fullmatch(text, len(prefix)) is None:
        return None
    return prefix, _decoded(text[len(prefix) :])


def _decoded(data: str) -> str:
    data = data.replace("-", "+").replace("_", "/")
    try:
        probe = base64.b64decode(data[:_PROBE] + "=" * (-len(data[:_PROBE]) % 4))
        if _CONTROL.search(probe.decode("utf-8", "ignore")) or len(probe.decode("utf-8", "ignore")) < len(probe) // 4:
            return ""
        text = base64.b64decode(data + "=" * (-len(data) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return "" if _CONTROL.search(text) else text


def splice(body: bytes, changes: Iterable[tuple[Carrier, str]]) -> bytes:
    """``body`` with other texts in some carriers, and every other byte as it was."""
    own: list[tuple[Carrier, str]] = []
    inner: dict[Carrier, list[tuple[Carrier, str]]] = {}
    for carrier, text in changes:
        if carrier.outer is None:
            own.append((carrier, text))
        else:
            inner.setdefault(carrier.outer, []).append((carrier, text))
    own += ((outer, _put(outer.text.encode(), found).decode()) for outer, found in inner.items())
    return _put(body, own)


def _put(body: bytes, changes: list[tuple[Carrier, str]]) -> bytes:
    parts: list[bytes] = []
    at = 0
    for carrier, text in sorted(changes, key=lambda change: change[0].span):
        start, end = carrier.span
        parts += (body[at:start], carrier.written(text))
        at = end
    return b"".join((*parts, body[at:]))
