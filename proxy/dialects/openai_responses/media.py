"""Images, files and sounds in the words of the API."""

from __future__ import annotations

from typing import Any

from proxy.chat import Media

_IMAGES = (("/9j/", "image/jpeg"), ("iVBOR", "image/png"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp"))
_SOUNDS = {
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
}
# The API wants a name for data, and looks at its ending.
_ENDINGS = {
    "application/json": "json",
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
}


def write_media(media: Media) -> dict[str, Any] | None:
    """A piece of content for a provider; None for what the API does not take."""
    if media.kind == "image":
        return _image(media)
    if media.kind == "file":
        return _file(media)
    if media.kind == "audio" and media.data is not None and (kind := _SOUNDS.get(media.media_type or "")):
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": kind}}
    return None


def image_type(data: str, told: str | None) -> str:
    """The media type of an image: as told, or as its data begins."""
    if told:
        return told
    return next((kind for beginning, kind in _IMAGES if data.startswith(beginning)), "image/png")


def left_out(media: Media) -> str:
    """A word for what an answer of this API cannot hold."""
    return f"({media.media_type or media.kind} left out: this API cannot answer with it)"


def _image(media: Media) -> dict[str, Any] | None:
    written: dict[str, Any] = {"type": "input_image", "detail": media.detail or "auto"}
    if media.file_id is not None:
        written["file_id"] = media.file_id
    elif media.url is not None:
        written["image_url"] = media.url
    elif media.data is not None:
        written["image_url"] = f"data:{image_type(media.data, media.media_type)};base64,{media.data}"
    else:
        return None
    return written


def _file(media: Media) -> dict[str, Any] | None:
    written: dict[str, Any] = {"type": "input_file"}
    if media.file_id is not None:
        written["file_id"] = media.file_id
    elif media.url is not None:
        written["file_url"] = media.url
    elif media.data is not None:
        kind = media.media_type or "application/pdf"
        written["filename"] = _file_name(media.name, kind)
        written["file_data"] = f"data:{kind};base64,{media.data}"
    else:
        return None
    if media.detail is not None:
        written["detail"] = media.detail
    return written


def _file_name(name: str | None, kind: str) -> str:
    ending = _ENDINGS.get(kind, "txt" if kind.startswith("text/") else "bin")
    if not name:
        return f"file.{ending}"
    return name if "." in name else f"{name}.{ending}"
