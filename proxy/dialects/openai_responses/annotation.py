"""Citations, from and to the annotations of a text."""

from __future__ import annotations

from typing import Any

from proxy.chat import Citation
from proxy.dialects.openai_responses.wire import NAME


def read_annotation(value: dict[str, Any]) -> Citation:
    """An annotation as it came; of an unknown kind, or with members of wrong types, what can be told of it."""
    return Citation(
        url=_text(value.get("url")),
        title=_text(value.get("title")) or _text(value.get("filename")),
        start=_number(value.get("start_index")),
        end=_number(value.get("end_index")),
        unit="answer",
        value=value,
        origin=NAME,
    )


def write_annotation(citation: Citation) -> dict[str, Any]:
    """An annotation for a client. What others tell is a page of the web here, or a document by name."""
    if citation.origin == NAME and isinstance(citation.value, dict):
        return citation.value
    in_answer = citation.unit == "answer"
    if citation.url is not None:
        return {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title or "",
            "start_index": (citation.start or 0) if in_answer else 0,
            "end_index": (citation.end or 0) if in_answer else 0,
        }
    name = citation.title or ""
    return {"type": "file_citation", "file_id": name, "filename": name, "index": citation.document or 0}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
