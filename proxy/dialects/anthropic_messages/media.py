"""Images and documents as sources of the Messages API."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from proxy.chat import Media

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_ALIASES = {"image/jpg": "image/jpeg"}
# How the base64 text of a file begins, for senders who do not say what it is.
_BEGINNINGS = (
    ("/9j/", "image/jpeg"),
    ("iVBOR", "image/png"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBER", "application/pdf"),
)
_TEXTS = ("text/", "application/json", "application/xml", "application/yaml", "application/x-yaml")


def write_media(media: Media) -> dict[str, Any] | None:
    """The block; None if the API takes nothing of the kind."""
    if media.kind == "image":
        source = _located(media) or _image(media)
        return None if source is None else {"type": "image", "source": source}
    if media.kind != "file":
        return None
    source = _located(media) or _document(media)
    if source is None:
        return None
    block: dict[str, Any] = {"type": "document", "source": source}
    if media.name:
        block["title"] = media.name
    if media.context:
        block["context"] = media.context
    if media.cite:
        block["citations"] = {"enabled": True}
    return block


def _located(media: Media) -> dict[str, Any] | None:
    if media.url is not None:
        return {"type": "url", "url": media.url}
    if media.file_id is not None:
        return {"type": "file", "file_id": media.file_id}
    return None


def _kind(media: Media) -> str | None:
    if media.media_type is not None:
        kind = media.media_type.partition(";")[0].strip().lower()
        return _ALIASES.get(kind, kind)
    data = media.data or ""
    return next((kind for beginning, kind in _BEGINNINGS if data.startswith(beginning)), None)


def _image(media: Media) -> dict[str, Any] | None:
    kind = _kind(media)
    if media.data is None or kind not in _IMAGES:
        return None
    return {"type": "base64", "media_type": kind, "data": media.data}


def _document(media: Media) -> dict[str, Any] | None:
    """A PDF as it is; whatever is text as plain text."""
    kind = _kind(media)
    if media.data is None or kind is None:
        return None
    if kind == "application/pdf":
        return {"type": "base64", "media_type": kind, "data": media.data}
    if not kind.startswith(_TEXTS):
        return None
    try:
        text = b64decode(media.data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return {"type": "text", "media_type": "text/plain", "data": text}
