"""The content of messages and of tools' results, as neutral parts."""

from __future__ import annotations

from typing import Any

from proxy.chat import Cache, Foreign, Media, Part, Refusal, Text
from proxy.dialects.openai_responses.annotation import read_annotation
from proxy.dialects.openai_responses.wire import NAME, Breakpoint, Content
from proxy.dialects.reading import wrong
from proxy.errors import BadRequest

_SHORT, _LONG = Cache("5m"), Cache("1h")


class Unknown(Exception):
    """Content of a kind that has no neutral form."""


def read_content(content: list[Content], where: str, values: Any, what: str) -> list[Part]:
    """The parts at ``where``. ``values`` gives one of them as a plain value; ``what`` begins the name of a loss.

    Raises:
        BadRequest: with the place of what is wrong.
    """
    parts: list[Part] = []
    for at, piece in enumerate(content):
        try:
            parts.append(read_piece(piece, f"{where}[{at}]"))
        except Unknown:
            name = f"{what}.{piece.type[:64]}" if piece.type else what
            parts.append(Foreign(origin=NAME, what=name, value=values(at)))
    return parts


def read_piece(piece: Content, where: str) -> Part:
    """One piece of content.

    Raises:
        Unknown: it has no neutral form.
        BadRequest: with the place of what is wrong.
    """
    match piece.type:
        case "input_text" | "text" | "summary_text" | "reasoning_text":
            return Text(_need(piece.text, where, "text"), read_cache(piece.prompt_cache_breakpoint))
        case "output_text":
            cited = tuple(read_annotation(one) for one in piece.annotations) if piece.annotations else ()
            return Text(_need(piece.text, where, "text"), citations=cited)
        case "refusal":
            return Refusal(_need(piece.refusal, where, "refusal"))
        case "input_image":
            return _image(piece, where)
        case "input_file":
            return _file(piece, where)
        case "input_audio":
            sound = piece.input_audio
            if sound is None:
                raise wrong(f"{where}.input_audio", "is required")
            return Media(kind="audio", data=sound.data, media_type=f"audio/{sound.format}")
    raise Unknown


def read_cache(marker: Breakpoint | None) -> Cache | None:
    """A marker; without a lifetime it is the shorter one."""
    if marker is None:
        return None
    return _LONG if marker.ttl == "12h" else _SHORT


def split_data(url: str) -> tuple[str | None, str] | None:
    """Media type and base64 text of a ``data:`` URL; None for what is none, or not in base64."""
    if url[:5].lower() != "data:":
        return None
    head, comma, data = url[5:].partition(",")
    kind, *flags = head.split(";")
    if not comma or "base64" not in flags:
        return None
    return kind.lower() or None, data


def _need(value: str | None, where: str, name: str) -> str:
    if value is None:
        raise wrong(f"{where}.{name}", "is required")
    return value


def _image(piece: Content, where: str) -> Media:
    cache = read_cache(piece.prompt_cache_breakpoint)
    image = Media(kind="image", file_id=piece.file_id, detail=piece.detail, cache=cache)
    url = piece.image_url
    if url is not None and piece.file_id is not None:
        raise wrong(where, "names both an `image_url` and a `file_id`; keep one of them")
    if url is not None:
        _locate(image, url, f"{where}.image_url")
    elif piece.file_id is None:
        raise wrong(f"{where}.image_url", "is required, or `file_id`")
    return image


def _locate(media: Media, url: str, where: str) -> None:
    if url[:5].lower() == "data:":
        found = split_data(url)
        if found is None or found[0] is None:
            raise wrong(where, "is no data URL of the form data:TYPE;base64,DATA")
        media.media_type, media.data = found
    elif url[:8].lower().startswith(("http://", "https://", "gs://", "s3://")):
        media.url = url
    else:
        raise wrong(where, "is neither a URL nor a data URL")


def _file(piece: Content, where: str) -> Media:
    cache = read_cache(piece.prompt_cache_breakpoint)
    found = Media(kind="file", name=piece.filename, detail=piece.detail, cache=cache)
    given = [name for name in ("file_data", "file_id", "file_url") if getattr(piece, name) is not None]
    if len(given) != 1:
        raise _one_of(where, given)
    if piece.file_id is not None:
        found.file_id = piece.file_id
    elif piece.file_url is not None:
        _locate(found, piece.file_url, f"{where}.file_url")
    elif piece.file_data is not None:
        data = split_data(piece.file_data)
        if data is None:
            found.data, found.media_type = piece.file_data, _type_of(piece.filename)
        else:
            found.media_type, found.data = data[0] or _type_of(piece.filename), data[1]
    return found


def _one_of(where: str, given: list[str]) -> BadRequest:
    if given:
        return wrong(where, f"names {' and '.join(given)}; keep one of them")
    return wrong(f"{where}.file_data", "is required, or `file_id` or `file_url`")


_TYPES = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "xml": "application/xml",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _type_of(name: str | None) -> str:
    """What a file is, by its name; the API was made for PDF."""
    return _TYPES.get((name or "").rpartition(".")[2].lower(), "application/pdf")
