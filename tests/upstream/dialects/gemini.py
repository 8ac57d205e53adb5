"""Google's generateContent: ai.google.dev/api/generate-content, and its client's types.

A signature stands at the first call or text after the thought that it proves, as the guide to thought signatures says.
"""

from __future__ import annotations

import json
from typing import Any

from tests.upstream.say import Asked, Part, Say, Tokens

_FINISH = {"length": "MAX_TOKENS", "content_filter": "SAFETY", "refusal": "PROHIBITED_CONTENT"}


def usage(tokens: Tokens | None) -> dict[str, Any]:
    """The cached are among those of the prompt, thoughts are not among those of the candidates."""
    if tokens is None:
        return {}
    details = [{"modality": "TEXT", "tokenCount": tokens.prompt - tokens.input_audio}]
    if tokens.input_audio:
        details.append({"modality": "AUDIO", "tokenCount": tokens.input_audio})
    found: dict[str, Any] = {
        "promptTokenCount": tokens.prompt,
        "candidatesTokenCount": tokens.output + tokens.output_audio,
        "totalTokenCount": tokens.prompt + tokens.completion,
        "promptTokensDetails": details,
    }
    if tokens.output_audio:
        found["candidatesTokensDetails"] = [
            {"modality": "TEXT", "tokenCount": tokens.output},
            {"modality": "AUDIO", "tokenCount": tokens.output_audio},
        ]
    if tokens.cached_read:
        found["cachedContentTokenCount"] = tokens.cached_read
    if tokens.reasoning:
        found["thoughtsTokenCount"] = tokens.reasoning
    return {"usageMetadata": found}


def _rows(say: Say, *, streamed: bool) -> list[list[dict[str, Any]]]:
    """The parts of each part of the answer: several where its text comes in pieces."""
    rows: list[list[dict[str, Any]]] = []
    pending = ""
    for part in say.parts:
        if part.kind in ("reasoning", "redacted"):
            pending = part.signature or pending
            if part.kind == "redacted":
                continue
        row = _parts(part, streamed=streamed)
        signature = part.signature or pending
        if part.kind != "reasoning" and signature and row:
            # Streamed text has its signature in the last part, which may be empty; a call in its own.
            row[-1]["thoughtSignature"] = signature
            pending = ""
        rows.append(row)
    return rows


def _parts(part: Part, *, streamed: bool) -> list[dict[str, Any]]:
    if part.kind == "call":
        return [{"functionCall": {"name": part.name, "args": json.loads(part.whole or "{}")}}]
    pieces = part.pieces if streamed else [part.whole]
    return [{"text": piece, **({"thought": True} if part.kind == "reasoning" else {})} for piece in pieces]


def _grounding(say: Say) -> dict[str, Any]:
    sources = [source for part in say.parts for source in part.sources]
    if not sources:
        return {}
    return {
        "groundingMetadata": {
            "webSearchQueries": ["query"],
            "groundingChunks": [{"web": {"uri": one.url, "title": one.title}} for one in sources],
            "groundingSupports": [
                {
                    "segment": {"startIndex": one.start, "endIndex": one.end, "text": one.quoted},
                    "groundingChunkIndices": [at],
                }
                for at, one in enumerate(sources)
            ],
        }
    }


def _answer(say: Say, asked: Asked, parts: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if last:
        candidate |= {"finishReason": _FINISH.get(say.stop, "STOP"), **_grounding(say)}
    counted = usage(say.usage)
    if counted and not last:
        counted = {"usageMetadata": {key: counted["usageMetadata"][key] for key in ("promptTokenCount",)}}
    return {"candidates": [candidate], **counted, "modelVersion": asked.model, "responseId": say.id}


def whole(say: Say, asked: Asked) -> dict[str, Any]:
    """A ``GenerateContentResponse``."""
    return _answer(say, asked, [part for row in _rows(say, streamed=False) for part in row], last=True)


def stream(say: Say, asked: Asked) -> list[bytes]:
    """Chunks, each one such response, the last with the reason why it stopped. Parallel calls come in one chunk."""
    chunks: list[list[dict[str, Any]]] = []
    for part in [part for row in _rows(say, streamed=True) for part in row]:
        if chunks and "functionCall" in part and "functionCall" in chunks[-1][-1]:
            chunks[-1].append(part)
        else:
            chunks.append([part])
    chunks = chunks or [[{"text": ""}]]
    answers = [_answer(say, asked, parts, last=at == len(chunks) - 1) for at, parts in enumerate(chunks)]
    return [b"data: " + json.dumps(answer, ensure_ascii=False).encode() for answer in answers]


def counted(tokens: Tokens) -> dict[str, Any]:
    """The answer of ``countTokens``."""
    return {
        "totalTokens": tokens.prompt,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens.prompt}],
    }
