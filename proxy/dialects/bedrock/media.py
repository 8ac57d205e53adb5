"""Images, documents, videos and audio as Converse takes them: as bytes, or as a place in S3."""

from __future__ import annotations

import re
from typing import Any

from proxy.chat import Media

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/markdown": "md",
}
# Whatever else is text is plain text.
_TEXTS = ("text/", "application/json", "application/xml", "application/yaml", "application/x-yaml")
_VIDEOS = {
    "video/x-matroska": "mkv",
    "video/quicktime": "mov",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/mpg": "mpg",
    "video/x-ms-wmv": "wmv",
    "video/wmv": "wmv",
    "video/3gpp": "three_gp",
}
_AUDIO = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "mp4",
    "audio/m4a": "m4a",
    "audio/ogg": "ogg",
    "audio/pcm": "pcm",
    "audio/webm": "webm",
}
_OF_KIND = {"image": _IMAGES, "file": _DOCUMENTS, "video": _VIDEOS, "audio": _AUDIO}
_ENDINGS = {"jpg": "jpeg", "htm": "html", "3gp": "three_gp"}
_ALSO = {"file": frozenset({"txt"})}
# How the base64 text of a file begins, for senders who do not say what it is.
_BEGINNINGS = (
    ("/9j/", "image/jpeg"),
    ("iVBOR", "image/png"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBER", "application/pdf"),
)
_S3 = re.compile(r"s3://[a-z0-9][.a-z0-9-]{1,61}[a-z0-9](?:/.*)?")
_MAX_URI = 1024
# By kind and format.
TYPES = {
    kind: {form: media_type for media_type, form in reversed([*table.items()])} for kind, table in _OF_KIND.items()
}
TYPES["file"]["txt"] = "text/plain"


def write_media(media: Media) -> dict[str, Any] | None:
    """The block, a document without its name; None if Converse does not take it, or cannot get it from there."""
    source = _source(media)
    form = None if source is None else _format(media)
    if form is None:
        return None
    if media.kind != "file":
        return {media.kind: {"format": form, "source": source}}
    document: dict[str, Any] = {"format": form, "source": source}
    if media.context:
        document["context"] = media.context
    if media.cite:
        document["citations"] = {"enabled": True}
    return {"document": document}


def _source(media: Media) -> dict[str, Any] | None:
    if media.data:
        return {"bytes": media.data}
    if media.url is not None and len(media.url) <= _MAX_URI and _S3.fullmatch(media.url):
        return {"s3Location": {"uri": media.url}}
    return None


def _format(media: Media) -> str | None:
    table, kind = _OF_KIND[media.kind], media.media_type
    if kind is None and media.data is not None:
        kind = next((known for beginning, known in _BEGINNINGS if media.data.startswith(beginning)), None)
    if kind is not None:
        kind = kind.partition(";")[0].strip().lower()
        form = table.get(kind)
        return "txt" if form is None and media.kind == "file" and kind.startswith(_TEXTS) else form
    ending = (media.url or media.name or "").rpartition(".")[2].lower()
    ending = _ENDINGS.get(ending, ending)
    return ending if ending in table.values() or ending in _ALSO.get(media.kind, ()) else None
