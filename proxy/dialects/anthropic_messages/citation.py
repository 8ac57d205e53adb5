"""Citations, from and to the five ways in which the Messages API points at a source."""

from __future__ import annotations

from typing import Any, Literal

from proxy.chat import Citation
from proxy.dialects.anthropic_messages.wire import NAME

_Unit = Literal["char", "page", "block"]
_UNITS: dict[str, tuple[_Unit, str, str]] = {
    "char_location": ("char", "start_char_index", "end_char_index"),
    "page_location": ("page", "start_page_number", "end_page_number"),
    "content_block_location": ("block", "start_block_index", "end_block_index"),
}
_BY_UNIT: dict[str, tuple[str, str, str]] = {unit: (kind, start, end) for kind, (unit, start, end) in _UNITS.items()}


def read_citation(value: dict[str, Any]) -> Citation:
    """A citation as it came; of an unknown kind, or with members of wrong types, what can be told of it."""
    kind = _text(value.get("type"))
    text = _text(value.get("cited_text")) or ""
    if kind in _UNITS:
        unit, start, end = _UNITS[kind]
        return Citation(
            text=text,
            title=_text(value.get("document_title")),
            document=_number(value.get("document_index")),
            start=_number(value.get(start)),
            end=_number(value.get(end)),
            unit=unit,
            value=value,
            origin=NAME,
        )
    if kind == "search_result_location":
        return Citation(
            text=text,
            url=_text(value.get("source")),
            title=_text(value.get("title")),
            document=_number(value.get("search_result_index")),
            start=_number(value.get("start_block_index")),
            end=_number(value.get("end_block_index")),
            unit="block",
            value=value,
            origin=NAME,
        )
    title, url = _text(value.get("title")), _text(value.get("url"))
    return Citation(text=text, url=url, title=title, value=value, origin=NAME)


def write_citation(citation: Citation) -> dict[str, Any]:
    """A citation for a client; what the source did not tell is 0 or empty, as the API has no word for unknown."""
    if citation.origin == NAME and isinstance(citation.value, dict):
        return citation.value
    if citation.url is not None or citation.document is None:
        return {
            "type": "web_search_result_location",
            "cited_text": citation.text,
            "encrypted_index": "",
            "title": citation.title,
            "url": citation.url or "",
        }
    kind, start, end = _BY_UNIT.get(citation.unit, _BY_UNIT["char"])
    return {
        "type": kind,
        "cited_text": citation.text,
        "document_index": citation.document,
        "document_title": citation.title,
        start: citation.start or 0,
        end: citation.end or 0,
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
