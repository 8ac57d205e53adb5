"""Embeddings, moderations and rerankings: numbers derived from the text alone. Texts of like letters lie near."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from array import array
from typing import Any

import msgspec

from proxy.providers.simulation.made import Whole
from proxy.providers.simulation.request import refused, text_of, token_count

DEFAULT_DIMENSIONS = 1536
MAX_DIMENSIONS = 4096
MAX_INPUTS = 2048
_CATEGORIES = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm"),
    *("self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic"),
)
_LETTERS = 2000  # of a text that are looked at one by one
_SPREAD = 4  # numbers that a piece of a text changes
_WORD = re.compile(r"\w+")


def _inputs(given: Any) -> list[str]:
    """One text, several, or tokens in their place."""
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not given:
        raise refused(400, "`input` must be a string, a list of strings, or tokens.", param="input")
    if len(given) > MAX_INPUTS:
        raise refused(400, f"`input` has more than {MAX_INPUTS} elements.", param="input")
    if all(isinstance(one, int) for one in given):
        return [" ".join(map(str, given))]
    return [one if isinstance(one, str) else text_of([one]) or str(one) for one in given]


def _vector(text: str, dimensions: int, seed: int) -> array[float]:
    """A vector of length one, by the text's letters, three at a time; and a little by all of them."""
    around = f" {text[:_LETTERS].lower()} "
    found = array("f", bytes(4 * dimensions))
    pieces = {around[at : at + 3] for at in range(len(around) - 2)} | {f"= {text}"}
    for piece in pieces:
        digest = hashlib.blake2b(f"{seed} {piece}".encode("utf-8", "surrogatepass"), digest_size=4 * _SPREAD).digest()
        for number in array("I", digest):
            found[(number >> 1) % dimensions] += 1.0 if number & 1 else -1.0
    norm = math.sqrt(sum(value * value for value in found))
    if not norm:
        found[0] = norm = 1.0
    return array("f", [value / norm for value in found])


def embeddings(fields: dict[str, Any], model: str, seed: int) -> Whole:
    """A list of vectors, as numbers or base64."""
    inputs = _inputs(fields.get("input"))
    dimensions = fields.get("dimensions") or DEFAULT_DIMENSIONS
    if not isinstance(dimensions, int) or not 0 < dimensions <= MAX_DIMENSIONS:
        raise refused(400, f"`dimensions` must be between 1 and {MAX_DIMENSIONS}.", param="dimensions")
    packed = fields.get("encoding_format") == "base64"
    data: list[dict[str, Any]] = []
    for index, text in enumerate(inputs):
        vector = _vector(text, dimensions, seed)
        value: Any = base64.b64encode(vector.tobytes()).decode() if packed else vector.tolist()
        data.append({"object": "embedding", "index": index, "embedding": value})
    tokens = sum(token_count(text) for text in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return Whole(msgspec.json.encode({"object": "list", "data": data, "model": model, "usage": usage}))


def moderations(fields: dict[str, Any], model: str, digest: str) -> Whole:
    """Nothing is flagged; the scores are small and differ."""
    results = []
    for text in _inputs(fields.get("input")):
        noise = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=len(_CATEGORIES)).digest()
        results.append(
            {
                "flagged": False,
                "categories": dict.fromkeys(_CATEGORIES, False),
                "category_scores": {name: byte / 10_000 for name, byte in zip(_CATEGORIES, noise, strict=True)},
                "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
            }
        )
    return Whole(msgspec.json.encode({"id": f"modr-{digest}", "model": model, "results": results}))


def rerank(fields: dict[str, Any], model: str, digest: str) -> Whole:
    """Documents by the words that they share with the query."""
    given = fields.get("documents")
    if not isinstance(given, list) or not given or len(given) > MAX_INPUTS:
        raise refused(400, f"`documents` must be a list of 1 to {MAX_INPUTS} documents.", param="documents")
    query = set(_WORD.findall(str(fields.get("query", "")).lower()))
    texts = [
        one if isinstance(one, str) else str(one.get("text", "")) if isinstance(one, dict) else "" for one in given
    ]
    scored: list[dict[str, Any]] = []
    for index, text in enumerate(texts):
        words = set(_WORD.findall(text.lower()))
        score = len(words & query) / (len(words | query) or 1)
        result: dict[str, Any] = {"index": index, "relevance_score": round(score, 6)}
        if fields.get("return_documents"):
            result["document"] = {"text": text}
        scored.append(result)
    scored.sort(key=lambda one: (-one["relevance_score"], one["index"]))
    top = fields.get("top_n")
    kept = scored[:top] if isinstance(top, int) and top > 0 else scored
    tokens = token_count("".join(texts))
    body = {"id": f"rerank-{digest}", "model": model, "results": kept, "usage": {"total_tokens": tokens}}
    return Whole(msgspec.json.encode(body))
