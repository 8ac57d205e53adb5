"""Images, audio, video and documents: ``inlineData`` and ``fileData``."""

from __future__ import annotations

import posixpath
from typing import Any, Literal
from urllib.parse import urlsplit

from proxy.chat import Media
from proxy.dialects.gemini.signature import in_usual_alphabet
from proxy.dialects.gemini.wire import Blob, FileData
from proxy.dialects.reading import wrong

Kind = Literal["image", "audio", "video", "file"]
_KINDS: dict[str, Kind] = {"image": "image", "audio": "audio", "video": "video"}
_FILES = "https://generativelanguage.googleapis.com/"
# By the extension of an address; Google wants to be told.
_TYPES = {
    ".aac": "audio/aac",
    ".aiff": "audio/aiff",
    ".avif": "image/avif",
    ".csv": "text/csv",
    ".flac": "audio/flac",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m4a": "audio/m4a",
    ".md": "text/markdown",
    ".mov": "video/mov",
    ".mp3": "audio/mp3",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".ogg": "audio/ogg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".xml": "text/xml",
}
_USUAL: dict[str, str] = {
    "image": "image/jpeg",
    "audio": "audio/mp3",
    "video": "video/mp4",
    "file": "application/pdf",
}
# How the base64 text of a file begins, for senders who do not say what it is.
_BEGINNINGS = (
    ("/9j/", "image/jpeg"),
    ("iVBOR", "image/png"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBER", "application/pdf"),
)
_ALIASES = {"audio/mpeg": "audio/mp3", "audio/x-wav": "audio/wav", "image/jpg": "image/jpeg"}


def kind_of(media_type: str | None) -> Kind:
    """Which kind of thing a MIME type is."""
    return _KINDS.get((media_type or "").partition("/")[0].lower(), "file")


def read_blob(blob: Blob, at: str) -> Media:
    """Data as they stand in a request."""
    if blob.data is None:
        raise wrong(f"{at}.data", "is required")
    if not blob.mime_type:
        raise wrong(f"{at}.mimeType", "is required")
    return Media(
        kind=kind_of(blob.mime_type),
        data=in_usual_alphabet(blob.data),
        media_type=blob.mime_type,
        name=blob.display_name,
    )


def read_file(file: FileData, at: str) -> Media:
    """An address, or a file that Google keeps."""
    if not file.file_uri:
        raise wrong(f"{at}.fileUri", "is required")
    uri, kind = file.file_uri, file.mime_type or _guess(file.file_uri)
    if uri.startswith(("files/", _FILES)):
        return Media(kind=kind_of(kind), file_id=uri, media_type=kind, name=file.display_name)
    return Media(kind=kind_of(kind), url=uri, media_type=kind, name=file.display_name)


def write_media(media: Media) -> dict[str, Any] | None:
    """The part; None for a file that another provider keeps."""
    if media.data is not None:
        kind = media.media_type or _sniff(media)
        kind = kind.partition(";")[0].strip()
        return {"inlineData": {"mimeType": _ALIASES.get(kind, kind), "data": media.data}}
    uri = media.url or media.file_id or ""
    if media.url is None and not uri.startswith(("files/", "gs://", "https://")):
        return None
    kind = media.media_type or _guess(uri) or _USUAL[media.kind]
    return {"fileData": {"mimeType": _ALIASES.get(kind, kind), "fileUri": uri}}


def write_answer_media(media: Media) -> dict[str, Any]:
    """The part of an answer."""
    return write_media(media) or {"text": f"({media.kind} left out: it is kept by another provider)"}


def _guess(uri: str) -> str | None:
    try:
        path = urlsplit(uri).path
    except ValueError:
        return None
    return _TYPES.get(posixpath.splitext(path)[1].lower())


def _sniff(media: Media) -> str:
    data = media.data or ""
    found = next((kind for beginning, kind in _BEGINNINGS if data.startswith(beginning)), None)
    return found or _guess(media.name or "") or _USUAL[media.kind]
