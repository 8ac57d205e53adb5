"""Images and documents become sources that the API takes, or nothing."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from proxy.chat import Media
from proxy.dialects.anthropic_messages.media import write_media

TEXT = base64.b64encode("Grüße".encode()).decode()


@pytest.mark.parametrize(
    ("media", "source"),
    [
        (
            Media(kind="image", data="iVBORw0KGgo=", media_type="image/png"),
            {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
        ),
        (
            Media(kind="image", data="/9j/AA==", media_type="image/jpg"),
            {"type": "base64", "media_type": "image/jpeg", "data": "/9j/AA=="},
        ),
        (Media(kind="image", data="R0lGODdh"), {"type": "base64", "media_type": "image/gif", "data": "R0lGODdh"}),
        (Media(kind="image", url="https://a.example/b.png"), {"type": "url", "url": "https://a.example/b.png"}),
        (Media(kind="image", file_id="file_1"), {"type": "file", "file_id": "file_1"}),
        (
            Media(kind="file", data="JVBERi0x", media_type="application/pdf"),
            {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"},
        ),
        (
            Media(kind="file", data=TEXT, media_type="text/markdown; charset=utf-8"),
            {"type": "text", "media_type": "text/plain", "data": "Grüße"},
        ),
        (Media(kind="file", url="https://a.example/b.pdf"), {"type": "url", "url": "https://a.example/b.pdf"}),
    ],
)
def test_what_the_api_takes_is_told_in_its_words(media: Media, source: dict[str, Any]) -> None:
    block = write_media(media)
    assert block is not None
    assert block["source"] == source
    assert block["type"] == ("image" if media.kind == "image" else "document")


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="audio", data="AAAA", media_type="audio/wav"),
        Media(kind="video", url="https://a.example/v.mp4"),
        Media(kind="image", data="PHN2Zz4=", media_type="image/svg+xml"),
        Media(kind="image", data="????"),
        Media(kind="image"),
        Media(kind="file", data="UEsDBA==", media_type="application/zip"),
        Media(kind="file", data="//79", media_type="text/plain"),
        Media(kind="file", data="not base64!", media_type="text/plain"),
        Media(kind="file", data="AAAA"),
    ],
)
def test_what_the_api_does_not_take_is_nothing(media: Media) -> None:
    assert write_media(media) is None


def test_a_document_has_its_title_context_and_citations() -> None:
    block = write_media(
        Media(kind="file", data=TEXT, media_type="text/plain", name="T", context="from the archive", cite=True)
    )
    assert block is not None
    assert (block["title"], block["context"], block["citations"]) == ("T", "from the archive", {"enabled": True})
