"""Images and sound that other programs can open."""

from __future__ import annotations

import base64
import io
import wave
import zlib
from typing import Any

import msgspec
import pytest

from proxy.providers.simulation.made import Events, Whole
from proxy.providers.simulation.media import image_stream, images, speech, transcription
from tests.support.sse import read_events

DIGEST = "aabbccddeeff"


@pytest.mark.parametrize(("n", "count"), [(None, 1), (3, 3), (0, 1), (1000, 10), ("x", 1)])
def test_images_are_valid_and_bounded(n: Any, count: int) -> None:
    """A PNG of one pixel each."""
    found = msgspec.json.decode(images(n, False, "prompt", DIGEST).body)
    assert len(found["data"]) == count
    png = base64.b64decode(found["data"][0]["b64_json"])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at = png.index(b"IDAT")
    size = int.from_bytes(png[at - 4 : at], "big")
    assert zlib.decompress(png[at + 4 : at + 4 + size]) == b"\x00\xaa\xbb\xcc"
    assert msgspec.json.decode(images(1, True, "p", DIGEST).body)["data"][0]["url"].startswith("data:image/png")


def test_an_image_stream_ends_with_the_image() -> None:
    """One partial before."""
    made = image_stream("p", DIGEST, "image_edit")
    names = [event.name for event in read_events(made.opening + b"".join(made.tokens) + made.closing)]
    assert names == ["image_edit.partial_image", "image_edit.completed"]


def test_speech_is_a_wav_file() -> None:
    """As long as its text, and bounded."""
    made = speech({"input": "hello there"})
    assert isinstance(made, Whole)
    assert made.content_type == b"audio/wav"
    with wave.open(io.BytesIO(made.body)) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, 8000)
        assert file.getnframes() == len(made.body) - 44
    longest = speech({"input": "x" * 1_000_000})
    assert isinstance(longest, Whole)
    assert len(longest.body) <= 60 * 8000 + 44


def test_speech_comes_in_other_ways() -> None:
    """Bare samples, events."""
    raw = speech({"input": "hi", "response_format": "pcm"})
    assert isinstance(raw, Whole)
    assert raw.content_type == b"audio/pcm"
    assert isinstance(speech({"input": "hi", "stream_format": "sse"}), Events)


def _form(style: str) -> bytes:
    return f'--B\r\nContent-Disposition: form-data; name="response_format"\r\n\r\n{style}\r\n--B--\r\n'.encode()


@pytest.mark.parametrize(
    ("style", "begins"),
    [("text", b"This is m"), ("srt", b"1\n00:00:00,000 -->"), ("vtt", b"WEBVTT\n\n00:00:00.000 -->"), ("json", b"{")],
)
def test_transcriptions_come_in_the_format_asked_for(style: str, begins: bytes) -> None:
    """Text, subtitles, JSON."""
    made = transcription(_form(style), "m", stream=False)
    assert isinstance(made, Whole)
    assert made.body.startswith(begins)


def test_a_verbose_transcription_has_its_members() -> None:
    """And a streamed one its end."""
    made = transcription(_form("verbose_json"), "m", stream=False)
    assert isinstance(made, Whole)
    assert msgspec.json.decode(made.body)["language"] == "english"
    stream = transcription(b"", "m", stream=True)
    assert isinstance(stream, Events)
    assert b"transcript.text.done" in stream.closing
