"""Images, sound and documents in a request of OpenAI's chat format."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from proxy.chat import Media

_FORMATS = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/L16": "pcm16",
}


def write_media(part: Media, *, by_url: bool) -> dict[str, Any] | None:
    """A part of content; None where the format has no word for it. ``by_url``: documents and sound are addresses, as
    Mistral has them. https://docs.mistral.ai/capabilities/document_ai"""
    if part.kind == "image" and part.file_id is None:
        image: dict[str, Any] = {"url": _url(part, "image/png")}
        if part.detail is not None:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image}
    if part.kind == "audio" and part.data is not None:
        if by_url:
            return {"type": "input_audio", "input_audio": part.data}
        form = _FORMATS.get(part.media_type or "", (part.media_type or "audio/wav").partition("/")[2])
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": form}}
    if part.kind == "audio" and by_url and part.url is not None:
        return {"type": "input_audio", "input_audio": part.url}
    if part.kind == "video" and part.file_id is None:
        return {"type": "video_url", "video_url": {"url": _url(part, "video/mp4")}}
    if part.kind == "file":
        return _document(part, by_url)
    return None


def _url(part: Media, kind: str) -> str:
    return part.url if part.url is not None else f"data:{part.media_type or kind};base64,{part.data}"


def _document(part: Media, by_url: bool) -> dict[str, Any] | None:
    if part.file_id is not None:
        return (
            {"type": "file", "file_id": part.file_id} if by_url else {"type": "file", "file": {"file_id": part.file_id}}
        )
    if part.data is not None and part.media_type is not None and part.media_type.startswith("text/"):
        try:
            text = base64.b64decode(part.data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return {"type": "text", "text": f"{part.name}:\n{text}" if part.name else text}
    if by_url:
        document = {"type": "document_url", "document_url": _url(part, "application/pdf")}
        return document if part.name is None else document | {"document_name": part.name}
    if part.data is None:
        return None
    return {
        "type": "file",
        "file": {"filename": part.name or "document", "file_data": _url(part, "application/pdf")},
    }
