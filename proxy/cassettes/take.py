"""One take of a cassette: a request and its answer, as a document that is JSON (and so YAML), one line per event.

What the caller got is played again byte for byte, so nothing of it is parsed and written anew: JSON is embedded as it
came. A whole answer is laid out for readers only where the way back to its bytes is known (``layout``); an event is
taken apart only if it is written as everybody writes them. What is no JSON is text, what is no text is base64.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from itertools import chain, repeat
from typing import Literal

import msgspec

Raw = msgspec.Raw
Layout = Literal["compact", "spaced", "indented", "as_is"]
NONE = Raw(b"")
_INDENTS: dict[str, int] = {"compact": -1, "spaced": 0, "indented": 2}  # as msgspec.json.format has them
_EVENT = re.compile(rb"(?:event: ([^\r\n\0]+)\n)?data: ([^\r\n]*)\n\n")
_NAME = re.compile(rb"event: [^\r\n\0]+")
_BLOCK = re.compile(rb".*?(?:\r\n\r\n|\n\n|\r\r)", re.DOTALL)
_SHAPE = msgspec.json.Decoder(Raw)  # sees whether it is JSON, and builds nothing
_LIST = msgspec.json.Decoder(list[Raw])
_plain = msgspec.json.encode


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a document holds; unknown keys are refused, as nothing is skipped in silence."""


class Request(Struct, frozen=True):
    """As the caller sent it, without credentials. ``type``: of the content. At most one of the last three is there."""

    method: str
    path: str
    query: str = ""
    type: str = ""
    body: Raw = NONE
    text: str = ""
    base64: str = ""

    def content(self) -> bytes:
        """The body; JSON in some layout."""
        return bytes(self.body) or self.text.encode() or b64decode(self.base64)


class Event(Struct, frozen=True):
    """A piece of an answer, ``at`` milliseconds after its head: an event, or ``text`` or bytes as they came."""

    at: float
    event: str = ""
    data: Raw = NONE
    text: str = ""
    base64: str = ""

    def content(self) -> bytes:
        """Its bytes."""
        if not bytes(self.data):
            return self.text.encode() or b64decode(self.base64)
        name = f"event: {self.event}\n".encode() if self.event else b""
        return b"%bdata: %b\n\n" % (name, bytes(self.data))


class Cut(Struct, frozen=True):
    """Why an answer broke off: what its caller was told."""

    at: float
    status: int
    code: str
    message: str


class Response(Struct, frozen=True):
    """As the caller got it. ``after``: milliseconds from the request to the head; ``code``: of a refusal or failure;
    ``end``: what stands behind a body in JSON."""

    status: int
    headers: dict[str, str] = {}
    after: float = 0.0
    code: str | None = None
    layout: Layout = "as_is"
    end: str = ""
    body: Raw = NONE
    text: str = ""
    base64: str = ""
    events: list[Event] | None = None
    cut: Cut | None = None

    def content(self) -> bytes:
        """The bytes of a whole answer."""
        body = bytes(self.body)
        if body and self.layout != "as_is":
            return msgspec.json.format(body, indent=_INDENTS[self.layout]) + self.end.encode()
        return body or self.text.encode() or b64decode(self.base64)


class Take(Struct, frozen=True):
    """``recorded``: when, in UTC; ``target``: who answered, empty for the gateway itself."""

    recorded: str
    request: Request
    response: Response
    target: str = ""


Part = tuple[float, bytes]  # milliseconds after the head of the answer, and the bytes that came then


def write(take: Take, body: bytes, answer: bytes | None, parts: list[Part]) -> bytes:
    """``take`` as a document, with these bytes of the request and of the answer (whole, or as it came)."""
    asked, said = take.request, take.response
    request = [_member("method", asked.method), _member("path", asked.path)]
    request += [_member(name, value) for name, value in (("query", asked.query), ("type", asked.type)) if value]
    request += _readable(body, verbatim=False)
    response = [_member("status", said.status), _member("headers", said.headers), _member("after", said.after)]
    if said.code is not None:
        response.append(_member("code", said.code))
    if answer is not None:
        response += _readable(answer, verbatim=True)
    else:
        lines = b",\n".join(_lines(parts) or [_piece(at, block) for at, block in blocks(parts)])
        response.append(b'"events": [\n%b\n    ]' % lines if lines else b'"events": []')
    if said.cut is not None:
        response.append(_member("cut", said.cut))
    head = [_member("recorded", take.recorded), *([_member("target", take.target)] if take.target else [])]
    inner = [*head, _group("request", request), _group("response", response)]
    return b"{\n  %b\n}\n" % b",\n  ".join(inner)


def _member(name: str, value: object) -> bytes:
    return b'"%b": %b' % (name.encode(), _plain(value))


def _group(name: str, members: list[bytes]) -> bytes:
    return b'"%b": {\n    %b\n  }' % (name.encode(), b",\n    ".join(members))


def _readable(body: bytes, *, verbatim: bool) -> list[bytes]:
    """Members that hold ``body``: laid out if it is JSON, and if its bytes are found again where they must be."""
    if not body:
        return []
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return [_member("base64", b64encode(body).decode())]
    try:
        shown = msgspec.json.format(body, indent=2)
    except msgspec.DecodeError:
        return [_member("text", text)]
    laid_out = b'"body": ' + shown.replace(b"\n", b"\n    ")
    if not verbatim:
        return [laid_out]
    inner = body.rstrip()
    end = [_member("end", body[len(inner) :].decode())] if len(inner) < len(body) else []
    for layout, indent in _INDENTS.items():
        if msgspec.json.format(shown, indent=indent) == inner:
            return [_member("layout", layout), *end, laid_out]
    # The file's own line ends may be changed on its way through version control.
    return [_member("text", text)] if b"\r" in body or body != body.strip() else [b'"body": ' + body]


def _lines(parts: list[Part]) -> list[bytes]:
    """A line for each event, where every part is made of whole plain events in JSON (and the end mark of OpenAI's) and
    nothing else: the same as piece by piece, at a fraction of the cost, as streams have many. Else nothing."""
    body = b"".join([data for _, data in parts])
    found = body.split(b"\n\n")
    counts = [data.count(b"\n\n") for _, data in parts]
    # As many ends in the parts as in the whole: none lies across two of them, and behind the last there is nothing.
    if found.pop() or sum(counts) != len(found) or b"\r" in body or b"\0" in body:
        return []
    last = [found.pop()] if found and found[-1] == b"data: [DONE]" else []
    split = [(b"", block) if block.startswith(b"data: ") else block.split(b"\n", 1) for block in found]
    if not all([len(pair) == 2 and pair[1].startswith(b"data: ") for pair in split]):  # noqa: C419 - twice as fast
        return []
    datas = [data[6:] for _, data in split]
    names = {name: named for name, _ in split if (named := _named(name)) is not None}
    if not all([name in names for name, _ in split]) or not _are_json(body, datas):  # noqa: C419
        return []
    times = chain.from_iterable([repeat(at, count) for (at, _), count in zip(parts, counts, strict=True)])
    lines = [
        b'      {"at": %.1f, %b"data": %b}' % (at, names[name], data)
        for at, (name, _), data in zip(times, split, datas, strict=False)
    ]
    return lines + [_piece(parts[-1][0], mark + b"\n\n") for mark in last]


def _named(line: bytes) -> bytes | None:
    """The member for a line ``event: …``; empty where there is none; None where it is another line."""
    if not line:
        return b""
    return _member("event", line[7:].decode("utf-8", "replace")) + b", " if _NAME.fullmatch(line) else None


def _are_json(body: bytes, datas: list[bytes]) -> bool:
    """Whether each of them is found again as it stands."""
    try:
        body.decode()
        return [bytes(raw) for raw in _LIST.decode(b"[%b]" % b",".join(datas))] == datas
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def blocks(parts: list[Part]) -> list[Part]:
    """A stream in whole events, each with the time at which its last byte came. What is no whole event is the last."""
    found: list[Part] = []
    rest = b""
    at = 0.0
    for at, data in parts:
        rest += data
        end = 0
        for match in _BLOCK.finditer(rest):
            found.append((at, match[0]))
            end = match.end()
        rest = rest[end:]
    return [*found, (at, rest)] if rest else found


def _piece(at: float, block: bytes) -> bytes:
    """One line of ``events``."""
    time = b'      {"at": %.1f, ' % at
    try:
        text = block.decode()
    except UnicodeDecodeError:
        return time + _member("base64", b64encode(block).decode()) + b"}"
    match = _EVENT.fullmatch(block)
    if match is None or not _is_plain_json(match[2]):
        return time + _member("text", text) + b"}"
    name = _member("event", match[1].decode()) + b", " if match[1] else b""
    return b'%b%b"data": %b}' % (time, name, match[2])


def _is_plain_json(data: bytes) -> bool:
    """Whether it is found again as it stands: JSON, and nothing around it."""
    try:
        _SHAPE.decode(data)
    except msgspec.DecodeError:
        return False
    return data == data.strip()
