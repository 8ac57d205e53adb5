"""Images and sound: tiny, but whole and valid."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import msgspec

from proxy.providers.simulation.made import CREATED, Events, Whole, data, named
from proxy.providers.simulation.request import form_field, pieces_of, token_count

_MAX_IMAGES = 10
_RATE = 8000  # samples a second
_PER_TOKEN = 400  # samples: a twentieth of a second
_MAX_SAMPLES = 60 * _RATE


def _png(digest: str) -> str:
    """One pixel, of a colour that the request decides."""

    def block(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00" + bytes.fromhex(digest[:6]))
    whole = b"\x89PNG\r\n\x1a\n" + block(b"IHDR", head) + block(b"IDAT", pixel) + block(b"IEND", b"")
    return base64.b64encode(whole).decode()


def images(n: Any, as_url: bool, prompt: str, digest: str) -> Whole:
    """Generations, edits and variations."""
    picture = _png(digest)
    image = {"url": f"data:image/png;base64,{picture}"} if as_url else {"b64_json": picture}
    count = min(max(n, 1), _MAX_IMAGES) if isinstance(n, int) else 1
    return Whole(
        msgspec.json.encode(
            {
                "created": CREATED,
                "data": [image] * count,
                "output_format": "png",
                "size": "1024x1024",
                "usage": _image_usage(prompt, count),
            }
        )
    )


def image_stream(prompt: str, digest: str, operation: str) -> Events:
    """One partial image, then the whole one."""
    shared = {
        "b64_json": _png(digest),
        "created_at": CREATED,
        "size": "1024x1024",
        "quality": "low",
        "background": "opaque",
        "output_format": "png",
    }
    partial = named(f"{operation}.partial_image", {"partial_image_index": 0, **shared})
    return Events(b"", [partial], named(f"{operation}.completed", {**shared, "usage": _image_usage(prompt, 1)}))


def _image_usage(prompt: str, count: int) -> dict[str, Any]:
    text = token_count(prompt)
    return {
        "input_tokens": text,
        "input_tokens_details": {"text_tokens": text, "image_tokens": 0},
        "output_tokens": 272 * count,
        "total_tokens": text + 272 * count,
    }


def _wav(samples: int) -> bytes:
    """Silence, eight bits, one channel."""
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + samples, b"WAVE", b"fmt ", 16, 1, 1, _RATE, _RATE, 1, 8, b"data", samples
    )
    return head + b"\x80" * samples


def speech(fields: dict[str, Any]) -> Whole | Events:
    """As long as the text; a WAV file whatever format was asked for, or bare samples for ``pcm``."""
    text = str(fields.get("input", ""))
    tokens = len(pieces_of(text[:10_000]))
    samples = min(max(tokens, 1) * _PER_TOKEN, _MAX_SAMPLES)
    if fields.get("stream_format") == "sse":
        usage = {"input_tokens": tokens, "output_tokens": tokens, "total_tokens": 2 * tokens}
        delta = base64.b64encode(_wav(samples)).decode()
        return Events(
            b"", [named("speech.audio.delta", {"audio": delta})], named("speech.audio.done", {"usage": usage})
        )
    if fields.get("response_format") == "pcm":
        return Whole(bytes(2 * samples), tokens, b"audio/pcm")
    return Whole(_wav(samples), tokens, b"audio/wav")


def transcription(body: bytes, model: str, *, stream: bool) -> Whole | Events:
    """Says how much it heard."""
    text = f"This is {model}, simulated. You sent {len(body)} bytes."
    seconds = len(body) // 16_000 + 1
    tokens = pieces_of(text)
    if stream:
        usage = {"type": "duration", "seconds": seconds}
        deltas = [data({"type": "transcript.text.delta", "delta": piece, "logprobs": []}) for piece in tokens]
        return Events(b"", deltas, data({"type": "transcript.text.done", "text": text, "usage": usage}))
    style = form_field(body, b"response_format")
    if style == "text":
        return Whole(f"{text}\n".encode(), len(tokens), b"text/plain; charset=utf-8")
    if style in ("srt", "vtt"):
        lines = f"1\n00:00:00,000 --> 00:00:{min(seconds, 59):02d},000\n{text}\n"
        lines = "WEBVTT\n\n" + lines[2:].replace(",", ".", 2) if style == "vtt" else lines
        return Whole(lines.encode(), len(tokens), b"text/plain; charset=utf-8")
    found: dict[str, Any] = {"text": text, "usage": {"type": "duration", "seconds": seconds}}
    if style == "verbose_json":
        found |= {"task": "transcribe", "language": "english", "duration": float(seconds), "segments": []}
    return Whole(msgspec.json.encode(found), len(tokens))
