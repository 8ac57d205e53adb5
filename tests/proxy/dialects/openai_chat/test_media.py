"""Images, sound and documents as OpenAI and Mistral have them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from proxy.chat import Media
from proxy.dialects.openai_chat.media import write_media

TEXT = base64.b64encode("grüß".encode()).decode()


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            Media(kind="image", url="https://x/a.png", detail="high"),
            {"type": "image_url", "image_url": {"url": "https://x/a.png", "detail": "high"}},
        ),
        (
            Media(kind="image", data="QUJD", media_type="image/webp"),
            {"type": "image_url", "image_url": {"url": "data:image/webp;base64,QUJD"}},
        ),
        (Media(kind="image", file_id="f"), None),
        (
            Media(kind="audio", data="QUJD", media_type="audio/mpeg"),
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
        ),
        (
            Media(kind="audio", data="QUJD", media_type="audio/flac"),
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "flac"}},
        ),
        (Media(kind="audio", url="https://x/a.mp3"), None),
        (
            Media(kind="video", url="https://x/a.mp4"),
            {"type": "video_url", "video_url": {"url": "https://x/a.mp4"}},
        ),
        (Media(kind="file", file_id="f"), {"type": "file", "file": {"file_id": "f"}}),
        (
            Media(kind="file", data="QUJD", name="a.pdf"),
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
        ),
        (Media(kind="file", data=TEXT, media_type="text/plain"), {"type": "text", "text": "grüß"}),
        (Media(kind="file", data=TEXT, media_type="text/csv", name="a"), {"type": "text", "text": "a:\ngrüß"}),
        (Media(kind="file", data="/w==", media_type="text/plain"), None),
        (Media(kind="file", data="%", media_type="text/plain"), None),
        (Media(kind="file", url="https://x/a.pdf"), None),
    ],
)
def test_a_part_is_written_or_has_no_word(part: Media, expected: Any) -> None:
    assert write_media(part, by_url=False) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            Media(kind="file", url="https://x/a.pdf", name="a"),
            {"type": "document_url", "document_url": "https://x/a.pdf", "document_name": "a"},
        ),
        (
            Media(kind="file", data="QUJD", media_type="application/pdf"),
            {"type": "document_url", "document_url": "data:application/pdf;base64,QUJD"},
        ),
        (Media(kind="file", file_id="f"), {"type": "file", "file_id": "f"}),
        (Media(kind="audio", data="QUJD"), {"type": "input_audio", "input_audio": "QUJD"}),
        (Media(kind="audio", url="https://x/a.mp3"), {"type": "input_audio", "input_audio": "https://x/a.mp3"}),
    ],
)
def test_documents_and_sound_may_be_addresses(part: Media, expected: Any) -> None:
    assert write_media(part, by_url=True) == expected
