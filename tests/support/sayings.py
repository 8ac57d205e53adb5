"""Answers made up by chance, from a seed: every kind of part, cut into pieces anywhere."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

from tests.upstream.say import Part, Say, Source, Tokens

_WORDS = [
    *("the", "Fluss", "naïve", "北京", "🙂", "data:", "[DONE]", "\n\n", "event: error", "\u2028", "\\u0041", '"'),
    *("\\", "\t", "{", "}", "</tool>", "a" * 40, "\r\n", " ", "مرحبا", "𝔘𝔫𝔦", "\x7f", "null"),
]
_TOOLS = ["get_weather", "search", "f", "read_file_at_line-2"]


def pieces(chance: random.Random, text: str) -> list[str]:
    """``text`` cut at a few random places; sometimes with an empty piece."""
    cuts = sorted(chance.sample(range(len(text) + 1), min(chance.randint(0, 6), len(text) + 1)))
    found = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    return found if chance.random() < 0.1 else [piece for piece in found if piece]


def words(chance: random.Random) -> str:
    """Some text, never empty."""
    return "".join(chance.choice(_WORDS) + chance.choice(["", " "]) for _ in range(chance.randint(1, 9))).strip() or "x"


def value(chance: random.Random, depth: int = 0) -> Any:
    """A JSON value."""
    leaves = [words(chance), chance.randint(-(10**9), 10**9), chance.random(), True, False, None, "", 0.1, 1e21]
    if depth > 2 or chance.random() < 0.5:
        return chance.choice(leaves)
    if chance.random() < 0.5:
        return [value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    return {words(chance): value(chance, depth + 1) for _ in range(chance.randint(0, 3))}


def _arguments(chance: random.Random) -> str:
    if chance.random() < 0.15:
        return "{}"
    given = {f"k{at}": value(chance) for at in range(chance.randint(0, 3))}
    return json.dumps(given, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, None, 2]))


def _tokens(chance: random.Random) -> Tokens:
    def some(most: int) -> int:
        return chance.randint(1, most) if chance.random() < 0.4 else 0

    return Tokens(
        input=chance.randint(1, 10**6),
        cached_read=some(10**5),
        cache_write_5m=some(10**4),
        cache_write_1h=some(10**4),
        input_audio=some(500),
        output=chance.randint(1, 10**4),
        reasoning=some(5000),
        output_audio=some(300),
    )


def saying(seed: int) -> Say:
    """The answer of this number."""
    chance = random.Random(seed)
    parts: list[Part] = []
    signed = base64.b64encode(chance.randbytes(24)).decode()
    if chance.random() < 0.4:
        parts.append(Part(kind="reasoning", pieces=pieces(chance, words(chance)), signature=signed))
    if chance.random() < 0.1:
        parts.append(Part(kind="redacted", pieces=[base64.b64encode(chance.randbytes(12)).decode()]))
    calls = chance.choice([0, 0, 1, 2, 3, 5])
    refuses = not calls and chance.random() < 0.15
    if refuses:
        parts = [Part(kind="refusal", pieces=pieces(chance, words(chance)))]
    elif not calls or chance.random() < 0.4:
        parts.append(_text(chance))
    for _ in range(calls):
        called = f"call_{chance.randbytes(6).hex()}"
        parts.append(
            Part(kind="call", id=called, name=chance.choice(_TOOLS), pieces=pieces(chance, _arguments(chance)))
        )
    by_itself = chance.choice(["stop", "stop", "length", "stop_sequence"])
    stop = "refusal" if refuses else "tool_calls" if calls else by_itself
    return Say(
        parts=parts,
        stop=stop,  # type: ignore[arg-type]
        sequence="END" if stop == "stop_sequence" else None,
        usage=_tokens(chance),
        tangled=chance.random() < 0.3,
        id=f"s{seed}",
    )


def _text(chance: random.Random) -> Part:
    said = words(chance)
    sources = []
    if chance.random() < 0.2:
        sources = [Source(url="https://a.example/x", title="A page", start=0, end=len(said), quoted="quoted")]
    return Part(kind="text", pieces=pieces(chance, said), sources=sources)


def cut(chance: random.Random, data: bytes, sizes: tuple[int, ...] = (1, 3, 40, 400, 4000)) -> list[bytes]:
    """Bytes in chunks of random sizes: often single bytes, often many events at once."""
    chunks, at = [], 0
    most = chance.choice(sizes)
    while at < len(data):
        size = chance.randint(1, most)
        chunks.append(data[at : at + size])
        at += size
    return chunks
