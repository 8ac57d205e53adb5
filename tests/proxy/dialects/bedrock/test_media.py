"""Media in Converse's formats, all of which botocore knows."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from proxy.chat import Media
from proxy.dialects.bedrock.media import TYPES, write_media
from tests.support.heard.bedrock import model

DATA = base64.b64encode(b"some data").decode()
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
PDF = base64.b64encode(b"%PDF-1.7").decode()
SHAPES = {"image": "ImageFormat", "file": "DocumentFormat", "video": "VideoFormat", "audio": "AudioFormat"}


@pytest.mark.parametrize(
    ("kind", "media_type", "form"),
    [
        ("image", "image/jpg", "jpeg"),
        ("image", "IMAGE/PNG; x=y", "png"),
        ("file", "text/plain", "txt"),
        ("file", "application/json", "txt"),
        ("file", "text/csv", "csv"),
        ("file", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
        ("video", "video/3gpp", "three_gp"),
        ("video", "video/quicktime", "mov"),
        ("audio", "audio/mpeg", "mp3"),
        ("audio", "audio/x-wav", "wav"),
    ],
)
def test_types_have_formats(kind: Any, media_type: str, form: str) -> None:
    found = write_media(Media(kind=kind, data=DATA, media_type=media_type))
    assert found == {"document" if kind == "file" else kind: {"format": form, "source": {"bytes": DATA}}}
    assert form in model().shape_for(SHAPES[kind]).enum


def test_every_format_that_is_written_is_known_and_finds_back() -> None:
    kinds: list[Any] = list(SHAPES)
    for kind in kinds:
        assert set(TYPES[kind]) <= set(model().shape_for(SHAPES[kind]).enum)
        for form, media_type in TYPES[kind].items():
            written = write_media(Media(kind=kind, data=DATA, media_type=media_type))
            assert written is not None
            assert next(iter(written.values()))["format"] == form


def test_what_does_not_say_what_it_is_is_known_by_its_beginning() -> None:
    found = write_media(Media(kind="image", data=PNG))
    assert found is not None
    assert found["image"]["format"] == "png"
    found = write_media(Media(kind="file", data=PDF))
    assert found is not None
    assert found["document"]["format"] == "pdf"


@pytest.mark.parametrize(
    ("kind", "uri", "form"),
    [
        ("image", "s3://bucket-1/a/b.JPG", "jpeg"),
        ("file", "s3://bucket-1/notes.txt", "txt"),
        ("video", "s3://bucket-1/clip.3gp", "three_gp"),
    ],
)
def test_what_lies_in_s3_is_named_by_its_place(kind: Any, uri: str, form: str) -> None:
    found = write_media(Media(kind=kind, url=uri))
    assert found is not None
    assert next(iter(found.values())) == {"format": form, "source": {"s3Location": {"uri": uri}}}


@pytest.mark.parametrize(
    "media",
    [
        Media(kind="image", url="https://example.com/a.png"),
        Media(kind="image", file_id="file-1"),
        Media(kind="image", data="", media_type="image/png"),
        Media(kind="image", data=DATA, media_type="image/tiff"),
        Media(kind="image", data=DATA),
        Media(kind="image", data=DATA, media_type="application/pdf"),
        Media(kind="image", url="s3://UPPER/a.png"),
        Media(kind="image", url="s3://bucket-1/" + "a" * 2000 + ".png"),
        Media(kind="image", url="s3://bucket-1/nothing"),
        Media(kind="file", data=DATA, media_type="application/zip"),
        Media(kind="video", data=DATA, media_type="audio/wav"),
    ],
)
def test_what_converse_cannot_get_or_take_is_nothing(media: Media) -> None:
    assert write_media(media) is None
