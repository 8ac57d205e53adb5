"""Citations: ``citationMetadata`` and ``groundingMetadata`` of a candidate.

Google counts the bytes of the answer's text, everybody else its characters.
"""

from __future__ import annotations

from typing import Any

from proxy.chat import Citation
from proxy.dialects.gemini.wire import NAME, Candidate


class Said:
    """The text of an answer as far as it has come, to count in."""

    __slots__ = ("_pieces", "_size")

    MAX = 4 << 20  # characters; what is cited beyond has no place

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        """More of it."""
        if self._size < self.MAX:
            self._pieces.append(text)
        self._size += len(text)

    def text(self) -> str:
        """All of it, or its beginning."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""


def read_citations(candidate: Candidate, said: Said) -> list[Citation]:
    """What a candidate cites, in order, each once."""
    if candidate.citation_metadata is None and candidate.grounding_metadata is None:
        return []
    text = said.text()
    raw = text.encode("utf-8", "surrogatepass")
    count = _Characters(raw, len(raw) == len(text))
    found = _quoted(candidate.citation_metadata or {}, count)
    return found + _grounded(candidate.grounding_metadata or {}, count)


class _Characters:
    """From positions in bytes to positions in characters."""

    __slots__ = ("_is_ascii", "_raw")

    def __init__(self, raw: bytes, is_ascii: bool) -> None:
        self._raw = raw
        self._is_ascii = is_ascii

    def __call__(self, at: Any) -> int | None:
        if not isinstance(at, int) or isinstance(at, bool) or at < 0 or at > len(self._raw):
            return None
        return at if self._is_ascii else len(self._raw[:at].decode("utf-8", "ignore"))


def _quoted(metadata: dict[str, Any], count: _Characters) -> list[Citation]:
    sources = metadata.get("citations") or metadata.get("citationSources")
    return [
        Citation(
            url=_text(one.get("uri")),
            title=_text(one.get("title")),
            start=count(one.get("startIndex", 0)),
            end=count(one.get("endIndex")),
            unit="answer",
            value=one,
            origin=NAME,
        )
        for one in _objects(sources)
    ]


def _grounded(metadata: dict[str, Any], count: _Characters) -> list[Citation]:
    chunks = [_source(chunk) for chunk in _objects(metadata.get("groundingChunks"))]
    found: list[Citation] = []
    for support in _objects(metadata.get("groundingSupports")):
        segment = support.get("segment")
        segment = segment if isinstance(segment, dict) else {}
        indices = support.get("groundingChunkIndices")
        for index in indices if isinstance(indices, list) else ():
            if not isinstance(index, int) or not 0 <= index < len(chunks):
                continue
            url, title, quoted = chunks[index]
            found.append(
                Citation(
                    text=quoted,
                    url=url,
                    title=title,
                    start=count(segment.get("startIndex", 0)),
                    end=count(segment.get("endIndex")),
                    unit="answer",
                    origin=NAME,
                )
            )
    if found:
        return found
    return [Citation(text=quoted, url=url, title=title, unit="answer", origin=NAME) for url, title, quoted in chunks]


def _source(chunk: dict[str, Any]) -> tuple[str | None, str | None, str]:
    """Address, title and words of what is behind a statement."""
    for kind in ("web", "retrievedContext", "maps", "image"):
        found = chunk.get(kind)
        if isinstance(found, dict):
            url = _text(found.get("uri")) or _text(found.get("sourceUri"))
            return url, _text(found.get("title")), _text(found.get("text")) or ""
    return None, None, ""


def write_citations(citations: list[Citation], text: str) -> dict[str, Any]:
    """``groundingMetadata`` for a client."""
    chunks: list[dict[str, Any]] = []
    known: dict[tuple[Any, ...], int] = {}
    supports: list[dict[str, Any]] = []
    for one in citations:
        source = (one.url, one.title, one.text if one.url is None else "")
        if source not in known:
            known[source] = len(chunks)
            chunks.append(_chunk(one))
        support: dict[str, Any] = {"groundingChunkIndices": [known[source]]}
        if one.unit == "answer" and one.end is not None:
            start = one.start or 0
            segment = {"endIndex": _bytes(text, one.end), "text": text[start : one.end]}
            if start:
                segment["startIndex"] = _bytes(text, start)
            support["segment"] = segment
        supports.append(support)
    return {"groundingChunks": chunks, "groundingSupports": supports}


def _chunk(one: Citation) -> dict[str, Any]:
    if one.url is not None:
        return {"web": {"uri": one.url, "title": one.title or one.url}}
    return {"retrievedContext": {"title": one.title or "", "text": one.text}}


def _bytes(text: str, at: int) -> int:
    return len(text[:at].encode("utf-8", "surrogatepass"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
