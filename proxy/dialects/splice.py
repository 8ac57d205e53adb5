"""Replace the model in a request and leave every other byte as the client sent it.

Providers cache prompts by their prefix, byte for byte: a body that is parsed and dumped again costs the caller real
money. So the value is found in the bytes and replaced there; where the bytes alone leave a doubt which member is the
right one, trial decodes decide.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from python_multipart.multipart import MultipartParser, parse_options_header

from proxy.errors import BadRequest

_MODEL_KEY = b'"model"'
_MODEL_VALUE = re.compile(rb'"model"[ \t\r\n]*:[ \t\r\n]*("(?:[^"\\]|\\.)*")')
# A body with more members called "model" than this is an attack or a mistake; each costs a decode of the body.
_MAX_CANDIDATES = 64


class Maxima(msgspec.Struct):
    """What a request of any dialect says of the most that its answer may have, as it stands there."""

    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None
    n: Any = None
    generation: Any = msgspec.field(name="generationConfig", default=None)


class Envelope(msgspec.Struct):
    """The members of a JSON request that the gateway itself reads; all others stay bytes."""

    model: str
    stream: bool
    maxima: Maxima | None = None


class _Name(str):
    """A model's name while it is decoded: a type of our own, so that every occurrence is seen."""

    __slots__ = ()


class _Members(Maxima):
    model: _Name = _Name()
    stream: bool | None = None


class _Names:
    """Sees each top-level ``model`` of one body. Of two the decoder keeps the last; a provider may read the first."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def read(self, kind: type[_Name], value: object) -> _Name:
        self.count += 1
        if value is None:
            return kind()
        if not isinstance(value, str):
            raise ValueError("not a string")
        return kind(value)


_EXPECTED = {"model": "a string", "stream": "true or false"}


def read_envelope(body: bytes) -> Envelope:
    """Decode what the gateway needs from a JSON object; ``model`` is "" where there is none.

    Raises:
        BadRequest: not UTF-8, not JSON, not an object, nested too deep, `model` or `stream` of a wrong type, or `model`
            there twice.
    """
    names = _Names()
    try:
        if not body.isascii():
            body.decode()
        found = msgspec.json.decode(body, type=_Members, dec_hook=names.read)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8 (byte {error.start}).", code="invalid_json") from None
    except msgspec.ValidationError as error:
        param = next((name for name in _EXPECTED if f"$.{name}`" in str(error)), None)
        what = "The body must be a JSON object." if param is None else f"`{param}` must be {_EXPECTED[param]}."
        raise BadRequest(what, code="invalid_type", param=param) from None
    except (msgspec.DecodeError, RecursionError) as error:
        what = "it ends too early, or holds half a surrogate pair" if "truncated" in str(error) else str(error)
        raise BadRequest(f"The body is not valid JSON: {what}", code="invalid_json") from None
    if names.count > 1:
        raise BadRequest('The member "model" is there twice; send it once.', code="invalid_json", param="model")
    return Envelope(str(found.model), bool(found.stream), found)


def splice_model(body: bytes, model: str) -> bytes:
    """``body``, which ``read_envelope`` has read, with its top-level ``model`` replaced, all other bytes untouched.

    Raises:
        BadRequest: the member cannot be found, as its name is spelled with escapes.
    """
    found = _candidates(body)
    if len(found) > 1 or _has_escapes(body):
        found = [span for span in found if _is_top_level(body, found, span)]
    if len(found) != 1:
        raise BadRequest('Spell the name of the member "model" plainly.', code="invalid_json", param="model")
    start, end = found[0]
    return b"%b%b%b" % (body[:start], msgspec.json.encode(model), body[end:])


def insert_model(body: bytes, model: str) -> bytes:
    """``body``, which ``read_envelope`` has read and which names no model, with one as its first member."""
    start = body.index(b"{") + 1
    comma = b"" if body[start:].lstrip().startswith(b"}") else b","
    return b'%b"model":%b%b%b' % (body[:start], msgspec.json.encode(model), comma, body[start:])


def _has_escapes(body: bytes) -> bool:
    return b"\\" in body and b"\\u" in body  # one byte is searched twenty times faster than two


def _candidates(body: bytes) -> list[tuple[int, int]]:
    """Spans of the string values of all members called ``model``, at any depth."""
    found: list[tuple[int, int]] = []
    at = body.find(_MODEL_KEY)
    while at >= 0:
        if match := _MODEL_VALUE.match(body, at):
            found.append(match.span(1))
            if len(found) > _MAX_CANDIDATES:
                raise BadRequest('The body has too many members called "model".', code="invalid_json", param="model")
        at = body.find(_MODEL_KEY, at + len(_MODEL_KEY))
    return found


def _is_top_level(body: bytes, found: list[tuple[int, int]], span: tuple[int, int]) -> bool:
    """Whether the candidate at ``span`` is the top-level one: a mark put there alone must come out when decoding."""
    parts: list[bytes] = []
    at = 0
    for start, end in found:
        key = body.rindex(_MODEL_KEY, 0, start)
        if (start, end) == span:
            parts += (body[at:start], b'"\\u0001"')
        else:  # renamed, so that it cannot be the one that counts
            parts += (body[at:key], b'"-"', body[key + len(_MODEL_KEY) : end])
        at = end
    parts.append(body[at:])
    try:
        return read_envelope(b"".join(parts)).model == "\x01"
    except BadRequest:
        return False


class Form(msgspec.Struct):
    """What the gateway reads of a multipart form, and where the model's bytes stand (start, end)."""

    model: str = ""
    stream: bool = False
    span: tuple[int, int] | None = None


class _FormReader:
    """Callbacks for python-multipart's parser. The whole body is fed at once, so offsets are those of the body."""

    def __init__(self) -> None:
        self.form = Form()
        self._field = b""
        self._value = b""
        self._header = b""
        self._name: bytes | None = None
        self._start = self._end = 0
        self.complete = False

    def on_end(self) -> None:
        self.complete = True

    def on_part_begin(self) -> None:
        self._name, self._value, self._start = None, b"", -1

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            options = parse_options_header(self._header)[1]
            self._name = None if b"filename" in options else options.get(b"name")
        self._field = self._header = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name in (b"model", b"stream"):
            if self._start < 0:
                self._start = start
            self._end = end
            self._value += data[start:end]

    def on_part_end(self) -> None:
        if self._name == b"model":
            if self.form.span is not None:
                raise BadRequest('The form has the field "model" twice.', code="invalid_form", param="model")
            self.form.model = self._value.decode("utf-8", "replace")
            self.form.span = (self._start, self._end)
        elif self._name == b"stream":
            self.form.stream = self._value.strip().lower() in (b"true", b"1")


def read_form(body: bytes, content_type: bytes) -> Form:
    """Read ``model`` and ``stream`` of a ``multipart/form-data`` body.

    Raises:
        BadRequest: another content type, no boundary, or a malformed body.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 256:
        raise BadRequest("This path takes multipart/form-data with a boundary.", code="invalid_form")
    reader = _FormReader()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": reader.on_part_begin,
            "on_header_field": reader.on_header_field,
            "on_header_value": reader.on_header_value,
            "on_header_end": reader.on_header_end,
            "on_part_data": reader.on_part_data,
            "on_part_end": reader.on_part_end,
            "on_end": reader.on_end,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except ValueError as error:
        raise BadRequest(f"The form is malformed: {error}", code="invalid_form") from None
    if not reader.complete:
        raise BadRequest("The form ends before its closing boundary.", code="invalid_form")
    return reader.form


def splice_form_model(body: bytes, content_type: bytes, model: str) -> bytes:
    """A multipart ``body`` with its field ``model`` replaced, or put first if there is none; all else untouched.

    Raises:
        BadRequest: as ``read_form``.
    """
    span = read_form(body, content_type).span
    if span is not None:
        return b"%b%b%b" % (body[: span[0]], model.encode(), body[span[1] :])
    delimiter = b"--" + parse_options_header(content_type)[1][b"boundary"]
    start = body.index(delimiter)
    field = b'%b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n' % (delimiter, model.encode())
    return body[:start] + field + body[start:]
