"""What a request gives to answer from."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import re2

from proxy.chat import Chat, Foreign, Media, Message, Part, Text, ToolResult
from proxy.grounding.passages import MAX_PASSAGES, Given, Passage, TooMuch, Where, given, searched

WHERE = Where(tags=("document", "context", "documents"))


def _given(*parts: Part, where: Where = WHERE, role: Any = "user") -> Given:
    return given(Chat(model="m", messages=[Message(role, list(parts))]), where)


def _short(found: Given) -> list[tuple[str, tuple[str, ...], str]]:
    return [(one.text, one.ids, one.source) for one in found.passages]


def _document(text: bytes, kind: str = "text/plain", **more: Any) -> Media:
    return Media(kind="file", data=base64.b64encode(text).decode(), media_type=kind, **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<document id=\"7\" title='Prices'>A</document>", [("A", ("7", "prices"), "tag")]),
        ("<Document index=3 other=x>A</DOCUMENT> b", [("A", ("3",), "tag")]),
        ("<context><document id=1>A</document><document id=2>B</document></context>", None),
        ("<context>[1] A\n[2] B</context>", [("A", ("1",), "numbered"), ("B", ("2",), "numbered")]),
        (
            "<documents><document index='1'><source>a.txt</source><text>A</text></document></documents>",
            [("a.txt  A", ("1", "a.txt"), "tag")],
        ),
        ("<document>never closed", [("never closed", (), "tag")]),
        ("<document><document>A</document>B</document>", [("A", (), "tag"), ("B", (), "tag")]),
        ("[1] A\nmore\n[doc-2]: B\n\nQuestion?", [("A\nmore", ("1",), "numbered"), ("B", ("doc-2",), "numbered")]),
        ("see [1](http://x)\n[x] done\n[link] no", []),
        ("<documentation>no</documentation>", []),
    ],
)
def test_passages_in_a_prompt(text: str, expected: list[Any] | None) -> None:
    if expected is None:
        expected = [("A", ("1",), "tag"), ("B", ("2",), "tag")]
    assert _short(_given(Text(text))) == expected
    assert _short(_given(Text(text), role="system")) == expected
    assert not _given(Text(text), role="assistant").passages


def test_documents() -> None:
    found = _given(_document(b"A", name="a.txt", context="https://a"), _document(b"%PDF", "application/pdf"))
    assert _short(found) == [("A", ("a.txt", "https://a"), "document")]
    assert (found.documents, found.unread) == (2, 1)
    assert not _given(_document(b"A"), where=Where(documents=False)).documents
    assert _given(_document(b"\xff")).unread == 1
    assert _given(Media(kind="file", url="https://a")).unread == 1
    assert not _given(Media(kind="image", url="https://a")).unread


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is warm.", [("It is warm.", ())]),
        ('{"city": "Paris", "temp": 21}', [("city: Paris, temp: 21", ())]),
        (
            '{"hits": [{"id": 4, "text": "A"}, {"id": "x", "text": "B"}]}',
            [("id: 4\n\nA", ("4",)), ("id: x\n\nB", ("x",))],
        ),
        (
            '{"city": "Paris", "days": [{"day": "Mon", "temp": 1, "rain": true, "snow": null}]}',
            [("city: Paris, day: Mon, temp: 1, rain: yes", ())],
        ),
        (
            '[{"page_content": "A", "metadata": {"source": "a.txt"}}]',
            [("metadata: source: a.txt\n\nA", ("a.txt",))],
        ),
        ("[1] A\n[2] B", [("A", ("1",)), ("B", ("2",))]),
        ("{no json", [("{no json", ())]),
        ("[1, 2]", [("1, 2", ())]),
        ("", []),
    ],
)
def test_results_of_tools(text: str, expected: list[Any]) -> None:
    result = ToolResult(call_id="c", parts=(Text(text),))
    assert [(one.text, one.ids) for one in _given(result).passages] == expected
    assert not _given(result, where=Where(tool_results=False)).passages


def test_what_a_provider_has_found() -> None:
    call = Foreign(
        origin="openai_responses",
        what="output.file_search_call",
        value={"type": "file_search_call", "results": [{"file_id": "f", "filename": "a.txt", "text": "A"}]},
    )
    (found,) = _given(call).passages
    assert (found.text.endswith("A"), found.ids, found.source) == (True, ("f", "a.txt"), "search")
    assert searched([call], Given()).passages == [found]
    assert not _given(Foreign(origin="o", what="w", value={"type": "web_search_call", "text": "A"})).passages


def test_patterns() -> None:
    where = Where(patterns=(re2.compile(r"(?s)Facts:(.*?)Question:"), re2.compile("all of it")))
    assert _short(_given(Text("Facts: A Question: all of it"), where=where)) == [
        ("A", (), "pattern"),
        ("all of it", (), "pattern"),
    ]


def test_ids_are_made_where_no_number_is_one() -> None:
    passages = [Passage("A", ("a.txt",), "tag"), Passage("B", (), "tag")]
    assert Given(passages).by_id() == {"a.txt": {0}, "1": {0}, "2": {1}}
    assert Given([*passages, Passage("C", ("7", "a.txt"), "tag")]).by_id() == {"a.txt": {0, 2}, "7": {2}}


def test_bounds() -> None:
    _given(Text("<document>A</document>" * MAX_PASSAGES))
    with pytest.raises(TooMuch):
        _given(Text("<document>A</document>" * (MAX_PASSAGES + 1)))
    with pytest.raises(TooMuch):
        _given(ToolResult(call_id="c", parts=(Text("word " * 200_000),)))
    deep = json.dumps(["x"])
    for _ in range(40):
        deep = f'{{"a": {deep}}}'
    assert len(_given(ToolResult(call_id="c", parts=(Text(deep),))).passages) == 1
    assert _given(Text("<context>" * 20_000)).passages == []


@pytest.mark.parametrize(
    "piece", ["<context ", "[1] ", "[1]" + " " * 150_000, "</context>", "<", "[1]\n", " \n", "<a b=c "]
)
def test_the_time_is_linear(piece: str) -> None:
    """Whatever is repeated: a quadratic way would take minutes for this."""
    _given(Text((piece * (1 + 200_000 // len(piece)))[:200_000]))
