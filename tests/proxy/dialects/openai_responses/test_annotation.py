"""Annotations are citations, and back."""

from __future__ import annotations

import pytest
from openai.types.responses.response_output_text import Annotation
from pydantic import TypeAdapter

from proxy.chat import Citation
from proxy.dialects.openai_responses.annotation import read_annotation, write_annotation

_OFFICIAL: TypeAdapter[object] = TypeAdapter(Annotation)
_PAGE = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 3, "end_index": 9}


def test_a_page_is_read_and_written_as_it_came() -> None:
    found = read_annotation(_PAGE)
    assert (found.url, found.title, found.start, found.end) == ("https://a.example", "A", 3, 9)
    assert write_annotation(found) is _PAGE


@pytest.mark.parametrize(
    "citation",
    [
        Citation(url="https://b.example", text="quoted"),
        Citation(url="https://b.example", title="B", start=1, end=2, unit="answer"),
        Citation(title="Report", document=2, start=5, end=9, unit="page"),
        Citation(text="only words"),
    ],
)
def test_what_others_cite_has_a_form_that_the_client_knows(citation: Citation) -> None:
    _OFFICIAL.validate_python(write_annotation(citation), strict=True)


def test_positions_in_a_source_are_none_in_the_answer() -> None:
    written = write_annotation(Citation(url="https://b.example", start=700, end=800, unit="char"))
    assert (written["start_index"], written["end_index"]) == (0, 0)


@pytest.mark.parametrize(
    "value", [{}, {"type": "new", "url": 5}, {"title": None, "start_index": "3"}, {"end_index": True}]
)
def test_what_is_unknown_or_wrong_is_told_as_far_as_it_can_be(value: dict[str, object]) -> None:
    found = read_annotation(value)
    assert (found.url, found.start, found.end) == (None, None, None)
    assert write_annotation(found) is value
