"""Citations keep what they say, whoever reads them."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types import TextCitation
from pydantic import TypeAdapter

from proxy.chat import Citation
from proxy.dialects.anthropic_messages.citation import read_citation, write_citation

JUDGE: TypeAdapter[Any] = TypeAdapter(TextCitation)
PLACES: list[dict[str, Any]] = [
    {
        "type": "char_location",
        "cited_text": "q",
        "document_index": 0,
        "document_title": "T",
        "start_char_index": 0,
        "end_char_index": 4,
    },
    {
        "type": "page_location",
        "cited_text": "q",
        "document_index": 2,
        "document_title": None,
        "start_page_number": 1,
        "end_page_number": 2,
    },
    {
        "type": "content_block_location",
        "cited_text": "q",
        "document_index": 1,
        "document_title": "T",
        "start_block_index": 3,
        "end_block_index": 5,
    },
]


@pytest.mark.parametrize("value", PLACES, ids=lambda value: str(value["type"]))
def test_places_in_documents_keep_their_unit_and_numbers(value: dict[str, Any]) -> None:
    read = read_citation(value)
    plain = Citation(
        text=read.text, title=read.title, document=read.document, start=read.start, end=read.end, unit=read.unit
    )
    assert write_citation(plain) == value
    assert write_citation(read) is value


def test_a_finding_of_the_web_has_its_address() -> None:
    value = {
        "type": "web_search_result_location",
        "cited_text": "q",
        "url": "https://a.example/",
        "title": "T",
        "encrypted_index": "E",
    }
    read = read_citation(value)
    assert (read.url, read.title, read.text) == ("https://a.example/", "T", "q")


def test_a_finding_of_the_clients_own_search_has_its_source() -> None:
    value = {
        "type": "search_result_location",
        "cited_text": "q",
        "source": "kb/1",
        "title": None,
        "search_result_index": 1,
        "start_block_index": 0,
        "end_block_index": 1,
    }
    read = read_citation(value)
    assert (read.url, read.document, read.unit, read.start, read.end) == ("kb/1", 1, "block", 0, 1)


@pytest.mark.parametrize(
    "value", [{}, {"type": "new", "cited_text": 4}, {"type": "char_location", "end_char_index": "x"}]
)
def test_a_citation_of_an_unknown_kind_is_no_error(value: dict[str, Any]) -> None:
    assert read_citation(value).value is value


@pytest.mark.parametrize(
    "citation",
    [
        Citation(url="https://a.example/", start=3, end=9, unit="answer"),
        Citation(text="q", document=1, title="T", start=1, end=2),
        Citation(text="q", document=0, unit="page"),
        Citation(),
    ],
)
def test_the_official_client_takes_citations_of_others(citation: Citation) -> None:
    JUDGE.validate_python(write_citation(citation))
