"""How many tokens a picture has: the sums that providers publish, from its size in pixels."""

from __future__ import annotations

import base64
import binascii
import re
from math import ceil, sqrt

from proxy.chat import Media

# OpenAI, per https://platform.openai.com/docs/guides/images-vision: a base, and so much for each tile of 512 pixels.
_TILES = (
    ("gpt-4o-mini", 2833, 5667),
    ("gpt-5", 70, 140),
    ("o1", 75, 150),
    ("o3", 75, 150),
    ("computer-use", 65, 129),
)
_TILE_DEFAULT = (85, 170)  # gpt-4o, gpt-4.1, gpt-4.5, gpt-4-turbo
# The same page: patches of 32 pixels, at most 1,536, times a factor.
_PATCHES = (
    ("gpt-4.1-mini", 1.62),
    ("gpt-4.1-nano", 2.46),
    ("gpt-5-mini", 1.62),
    ("gpt-5-nano", 2.46),
    ("o4-mini", 1.72),
)
_MOST_PATCHES = 1536
# Anthropic: width times height by 750, at most about 1,600. https://docs.claude.com/en/docs/build-with-claude/vision
_CLAUDE_PIXELS, _CLAUDE_MOST = 750, 1600
# Gemini: 258 for a small picture and for each tile. https://ai.google.dev/gemini-api/docs/tokens
_GEMINI_TILE, _GEMINI_SMALL = 258, 384
UNKNOWN_SIZE = (1024, 1024)  # pixels, of a picture that is only named
_HEADER = 256 << 10  # characters of base64 that are looked at: what stands before a photograph's size may be long
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def most_per_picture(model: str) -> int:
    """What one picture can have at most. gpt-4o-mini counts eight tiles; newer models take originals in larger numbers
    of patches, for which there is a margin here."""
    own = model.lower()
    if "gpt-4o-mini" in own:
        return 2833 + 8 * 5667
    return 10_000 if "gpt-5." in own else 5000


def picture_tokens(part: Media, model: str) -> int:
    """What ``model`` makes of a picture. One whose size is not known counts as a square of 1,024 pixels."""
    width, height = size_of(part) or UNKNOWN_SIZE
    own = model.lower().rpartition("/")[2]
    if "claude" in own:
        return min(_CLAUDE_MOST, ceil(width * height / _CLAUDE_PIXELS))
    if "gemini" in own:
        return _gemini(width, height)
    for name, factor in _PATCHES:
        if own.startswith(name):
            return ceil(_patches(width, height) * factor)
    base, tile = next(((base, tile) for name, base, tile in _TILES if own.startswith(name)), _TILE_DEFAULT)
    return base if part.detail == "low" else base + tile * _tiles(width, height)


def _tiles(width: int, height: int) -> int:
    """Shrunk into a square of 2,048 pixels, then until the shorter side has 768; never made larger."""
    scale = min(1.0, 2048 / max(width, height))
    scale = min(scale, 768 / min(width, height))
    return ceil(int(width * scale) / 512) * ceil(int(height * scale) / 512)


def _patches(width: int, height: int) -> int:
    """Shrunk until whole patches fit."""
    patches = ceil(width / 32) * ceil(height / 32)
    if patches <= _MOST_PATCHES:
        return patches
    scale = sqrt(32 * 32 * _MOST_PATCHES / (width * height))
    wide, high = width * scale / 32, height * scale / 32
    scale *= min(max(1, int(wide)) / wide, max(1, int(high)) / high)
    return min(_MOST_PATCHES, ceil(width * scale / 32) * ceil(height * scale / 32))


def _gemini(width: int, height: int) -> int:
    if width <= _GEMINI_SMALL and height <= _GEMINI_SMALL:
        return _GEMINI_TILE
    side = max(256, min(768, int(min(width, height) / 1.5)))
    return _GEMINI_TILE * ceil(width / side) * ceil(height / side)


def size_of(part: Media) -> tuple[int, int] | None:
    """Width and height in pixels of a picture that came along; None if they cannot be read."""
    data = part.data
    if data is None and part.url is not None and part.url.startswith("data:"):
        data = part.url.partition(",")[2]
    if not data:
        return None
    head = data[:_HEADER]
    try:
        raw = base64.b64decode(head[: len(head) // 4 * 4], altchars=b"-_" if "-" in head or "_" in head else None)
    except (binascii.Error, ValueError):
        return None
    found = _size(raw)
    return found if found is not None and min(found) > 0 else None


def _size(raw: bytes) -> tuple[int, int] | None:
    """The size as PNG, GIF, WebP and JPEG tell it."""
    if raw.startswith(b"\x89PNG\r\n\x1a\n") and len(raw) >= 24:
        return int.from_bytes(raw[16:20]), int.from_bytes(raw[20:24])
    if raw.startswith((b"GIF87a", b"GIF89a")) and len(raw) >= 10:
        return int.from_bytes(raw[6:8], "little"), int.from_bytes(raw[8:10], "little")
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP" and len(raw) >= 30:
        return _webp(raw)
    return _jpeg(raw) if raw.startswith(b"\xff\xd8") else None


def _webp(raw: bytes) -> tuple[int, int] | None:
    """https://developers.google.com/speed/webp/docs/riff_container"""
    kind = raw[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(raw[24:27], "little"), 1 + int.from_bytes(raw[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(raw[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(raw[26:28], "little") & 0x3FFF, int.from_bytes(raw[28:30], "little") & 0x3FFF
    return None


_SEGMENT = re.compile(rb"\xff+([\x01-\xfe])")


def _jpeg(raw: bytes) -> tuple[int, int] | None:
    """Segment by segment, until one tells of a frame."""
    at = 2
    while (found := _SEGMENT.match(raw, at)) is not None:
        marker, at = found[1][0], found.end()
        if len(raw) < at + 7:
            return None
        if marker in _JPEG_FRAMES:
            return int.from_bytes(raw[at + 5 : at + 7]), int.from_bytes(raw[at + 3 : at + 5])
        at += int.from_bytes(raw[at : at + 2])
    return None
