"""Images, files and sounds, and back."""

from __future__ import annotations

import msgspec
import pytest

from proxy.chat import Media
from proxy.dialects.openai_responses.content import read_piece
from proxy.dialects.openai_responses.media import image_type, left_out, write_media
from proxy.dialects.openai_responses.wire import Content

_PNG = "iVBORw0KGgo="


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="image", data=_PNG, media_type="image/png", detail="high"),
        Media(kind="image", url="https://a.example/x.jpg", detail="auto"),
        Media(kind="image", file_id="file-1", detail="low"),
        Media(kind="file", data="JVBERi0=", media_type="application/pdf", name="a.pdf"),
        Media(kind="file", url="https://a.example/x.pdf"),
        Media(kind="file", file_id="file-1"),
        Media(kind="audio", data="UklG", media_type="audio/wav"),
    ],
)
def test_what_is_written_reads_the_same(media: Media) -> None:
    written = write_media(media)
    assert written is not None
    assert read_piece(msgspec.convert(written, Content), "input[0]") == media


def test_data_without_a_type_is_looked_at() -> None:
    written = write_media(Media(kind="image", data=_PNG))
    assert written is not None
    assert written["image_url"] == f"data:image/png;base64,{_PNG}"
    assert image_type("/9j/4AAQ", None) == "image/jpeg"
    assert image_type("AAAA", None) == "image/png"


def test_a_file_has_a_name_with_an_ending() -> None:
    """The API goes by it."""
    named = write_media(Media(kind="file", data="aGk=", media_type="text/plain", name="Report"))
    unnamed = write_media(Media(kind="file", data="aGk=", media_type="text/x-python"))
    assert named is not None
    assert unnamed is not None
    assert (named["filename"], unnamed["filename"]) == ("Report.txt", "file.txt")


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="video", data="AAAA", media_type="video/mp4"),
        Media(kind="audio", data="AAAA", media_type="audio/flac"),
        Media(kind="image"),
        Media(kind="file"),
    ],
)
def test_what_the_api_does_not_take_is_none(media: Media) -> None:
    assert write_media(media) is None


def test_what_an_answer_cannot_hold_is_named() -> None:
    assert "audio/wav" in left_out(Media(kind="audio", data="", media_type="audio/wav"))
