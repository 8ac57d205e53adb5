"""Every place of a multipart form that can carry text: fields, files that are text, and their names.

Only what can be read in one way alone is read (RFC 7578): a form that another reader could part otherwise is none.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NoReturn
from urllib.parse import unquote

from proxy.guarding.carriers import Carrier, Span, root
from proxy.guarding.words import NAMES

_BOUNDARY = re.compile(rb'(?i)^multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,256})"|([^\s;"]{1,256}))')
_HEADER = re.compile(rb"(?i)([a-z-]+):[ \t]*([^\r\n]*)(?:\r\n|$)")
_ASIDE = {b"content-type", b"content-length"}
_ENCODINGS = {b"7bit", b"8bit", b"binary"}
_PARAMETER = re.compile(
    rb"(?i)[ \t]*;[ \t]*(?:(name|filename)=\"((?:[^\"\\\r\n]|\\[^\r\n])*)\"|filename\*=utf-8'[a-z-]*'([^\s;]+))"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_NAMES = NAMES | frozenset(
    (
        *("image", "image[]", "mask", "size", "quality", "background", "output_format", "language", "response_format"),
        *("partial_images", "input_fidelity", "chunking_strategy", "timestamp_granularities[]", "include[]", "purpose"),
    )
)


def form_carriers(body: bytes, content_type: bytes, *, media: bool) -> list[Carrier]:
    """The carriers of a form, in the order of its bytes. ``media``: files that are no text are sound or pictures, as
    the endpoint takes no others.

    Raises:
        ValueError: it cannot be read, or not in one way alone.
    """
    found = _BOUNDARY.match(content_type)
    if found is None:
        _refuse("no boundary")
    delimiter = b"--" + (found[1] or found[2])
    marks = [mark.start() for mark in re.finditer(re.escape(delimiter), body)]
    if len(marks) < 2 or body[: marks[0]].strip() or body[marks[-1] + len(delimiter) :].strip() != b"--":
        _refuse("text around its parts, or no part")
    carriers: list[Carrier] = []
    for mark, following in pairwise(marks):
        start = mark + len(delimiter)
        if body[start : start + 2] != b"\r\n" or body[following - 2 : following] != b"\r\n":
            _refuse("a boundary within a part")
        _part(carriers, body, start + 2, following - 2, media)
    return carriers


def _part(carriers: list[Carrier], body: bytes, start: int, end: int, media: bool) -> None:
    blank = body.find(b"\r\n\r\n", start, end + 2)
    if blank < 0:
        _refuse("a part without headers")
    name = ""
    files: list[Carrier] = []
    at = start
    while at < blank:
        header = _HEADER.match(body, at, blank + 2)
        if header is None:
            _refuse("a header that is none")
        key, value = header[1].lower(), header[2].lower()
        at = header.end()
        if key == b"content-disposition":
            name, files = _disposition(carriers, body, header.start(2), header.end(2))
        elif key not in _ASIDE and not (key == b"content-transfer-encoding" and value in _ENCODINGS):
            _refuse("a header that nobody knows")
    if not name:
        _refuse("a part without a name")
    carriers += files
    content = Span(min(blank + 4, end), end)
    text = _text(body[content.start : content.end])
    if text is None and not (files and media):
        _refuse("a file that is no text")
    if text and name != "model":
        carriers.append(Carrier(root(), name, text, content, "field"))


def _disposition(carriers: list[Carrier], body: bytes, start: int, end: int) -> tuple[str, list[Carrier]]:
    """The name of a part, and the names of its file."""
    if not body[start:end].lower().startswith(b"form-data"):
        _refuse("a part that is no field")
    name, files, at = "", list[Carrier](), start + len(b"form-data")
    while at < end:
        found = _PARAMETER.match(body, at, end)
        if found is None:
            _refuse("a parameter that cannot be read")
        at = found.end()
        if found[3] is not None:
            files.append(Carrier(root(), "filename", unquote(found[3].decode()), Span(*found.span(3)), "percent"))
            continue
        text, span = found[2].decode(), Span(*found.span(2))
        if found[1].lower() == b"filename":
            files.append(Carrier(root(), "filename", unquote(text), span, "quoted"))
        elif name:
            _refuse("a part with two names")
        else:
            name = text
            if text not in _NAMES:
                carriers.append(Carrier(root(), text, unquote(text), span, "quoted"))
    return name, files


def _text(content: bytes) -> str | None:
    """What stands there; None if it is no text."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)
