"""Images and files find their form, their type, and their way back."""

from __future__ import annotations

import pytest
from google.genai import types

from proxy.chat import Media
from proxy.dialects.gemini.media import kind_of, read_blob, read_file, write_answer_media, write_media
from proxy.dialects.gemini.wire import Blob, FileData
from proxy.errors import BadRequest

CASES = [
    (Media(kind="image", data="QQ==", media_type="image/png"), ("image/png", None)),
    (Media(kind="image", data="/9j/AA=="), ("image/jpeg", None)),
    (Media(kind="audio", data="QQ==", media_type="audio/mpeg; q=1"), ("audio/mp3", None)),
    (Media(kind="file", data="QQ==", name="a.csv"), ("text/csv", None)),
    (Media(kind="image", url="https://x.org/a.PNG?b=c.gif"), ("image/png", "https://x.org/a.PNG?b=c.gif")),
    (Media(kind="image", url="https://x.org/a"), ("image/jpeg", "https://x.org/a")),
    (Media(kind="file", url="gs://b/a.pdf"), ("application/pdf", "gs://b/a.pdf")),
    (Media(kind="video", file_id="files/abc", media_type="video/mp4"), ("video/mp4", "files/abc")),
    (Media(kind="file", url="https://[bad"), ("application/pdf", "https://[bad")),
]


@pytest.mark.parametrize(("media", "meant"), CASES)
def test_each_is_a_part_with_its_type(media: Media, meant: tuple[str, str | None]) -> None:
    part = types.Part.model_validate(write_media(media))
    if part.inline_data is not None:
        assert (part.inline_data.mime_type, None) == meant
    else:
        assert part.file_data is not None
        assert (part.file_data.mime_type, part.file_data.file_uri) == meant


def test_a_file_that_another_provider_keeps_cannot_be_said() -> None:
    media = Media(kind="file", file_id="file-123")
    assert write_media(media) is None
    assert write_answer_media(media) == {"text": "(file left out: it is kept by another provider)"}


def test_data_and_addresses_are_read() -> None:
    assert read_blob(Blob("audio/wav", "_-8", "a"), "p") == Media(
        kind="audio", data="/+8=", media_type="audio/wav", name="a"
    )
    assert read_file(FileData("https://x.org/a.png"), "p") == Media(
        kind="image", url="https://x.org/a.png", media_type="image/png"
    )
    kept = "https://generativelanguage.googleapis.com/v1beta/files/a"
    assert read_file(FileData(kept, "video/mp4"), "p") == Media(kind="video", file_id=kept, media_type="video/mp4")


@pytest.mark.parametrize("blob", [Blob(), Blob("image/png"), Blob(data="QQ==")])
def test_what_is_missing_is_named(blob: Blob) -> None:
    with pytest.raises(BadRequest) as caught:
        read_blob(blob, "contents[0].parts[0].inlineData")
    assert (caught.value.param or "").startswith("contents[0].parts[0].inlineData.")
    with pytest.raises(BadRequest):
        read_file(FileData(), "p")


def test_kinds_follow_from_types() -> None:
    assert [kind_of(one) for one in ("image/png", "VIDEO/mp4", "text/plain", None)] == [
        "image",
        "video",
        "file",
        "file",
    ]
