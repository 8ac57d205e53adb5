"""Citations keep their place in the text: bytes at Google, characters elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types

from proxy.chat import Citation
from proxy.dialects.gemini.citation import Said, read_citations, write_citations
from proxy.dialects.gemini.wire import Candidate

TEXT = "Ünter den Linden."


def _said(text: str = TEXT) -> Said:
    said = Said()
    for letter in text:
        said.add(letter)
    return said


def test_grounding_is_read_in_characters() -> None:
    grounding = {
        "groundingChunks": [
            {"web": {"uri": "https://a.org", "title": "A"}},
            {"retrievedContext": {"uri": "gs://b", "title": "B", "text": "quoted"}},
        ],
        "groundingSupports": [
            {"segment": {"endIndex": 7, "text": "Ünter "}, "groundingChunkIndices": [0, 1, 9]},
            {"segment": {"startIndex": 7, "endIndex": 10}, "groundingChunkIndices": [1]},
        ],
    }
    found = read_citations(Candidate(grounding_metadata=grounding), _said())
    assert [(one.url, one.title, one.text, one.start, one.end) for one in found] == [
        ("https://a.org", "A", "", 0, 6),
        ("gs://b", "B", "quoted", 0, 6),
        ("gs://b", "B", "quoted", 6, 9),
    ]


def test_sources_without_a_place_are_told_too() -> None:
    grounding = {"groundingChunks": [{"web": {"uri": "https://a.org"}}], "searchEntryPoint": {}}
    found = read_citations(Candidate(grounding_metadata=grounding), _said())
    assert [(one.url, one.end) for one in found] == [("https://a.org", None)]


@pytest.mark.parametrize("name", ["citations", "citationSources"])
def test_quotations_are_read_by_both_names(name: str) -> None:
    quoted = {name: [{"startIndex": 2, "endIndex": 7, "uri": "https://a.org"}]}
    (found,) = read_citations(Candidate(citation_metadata=quoted), _said())
    assert (found.start, found.end, found.url) == (1, 6, "https://a.org")


@pytest.mark.parametrize(
    "odd",
    [
        {"groundingChunks": 5},
        {"groundingChunks": [5], "groundingSupports": [5, {"segment": 5, "groundingChunkIndices": ["x", -1, 7]}]},
        {"groundingSupports": [{"groundingChunkIndices": None}]},
    ],
)
def test_odd_ones_are_no_crash(odd: dict[str, Any]) -> None:
    assert read_citations(Candidate(grounding_metadata=odd), _said()) == []


def test_what_is_written_is_read_again_by_us_and_by_the_official_client() -> None:
    citations = [
        Citation(url="https://a.org", title="A", start=0, end=5, unit="answer"),
        Citation(url="https://a.org", title="A", start=6, end=9, unit="answer"),
        Citation(text="words", title="Doc", document=1, start=4, end=9),
    ]
    written = write_citations(citations, TEXT)
    official: Any = types.GroundingMetadata.model_validate(written)
    assert len(official.grounding_chunks) == 2
    assert [one.segment and one.segment.text for one in official.grounding_supports] == ["Ünter", "den", None]
    found = read_citations(Candidate(grounding_metadata=written), _said())
    assert [(one.start, one.end) for one in found][:2] == [(0, 5), (6, 9)]
    assert (found[2].text, found[2].title) == ("words", "Doc")


def test_only_the_beginning_of_a_long_text_is_kept() -> None:
    said = Said()
    said.add("x" * (Said.MAX + 1))
    said.add("y")
    assert "y" not in said.text()
