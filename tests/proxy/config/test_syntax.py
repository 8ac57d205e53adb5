"""From text to a tree: what YAML allows, what we refuse, and what it may cost (CFG-03)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.config.document import Node
from proxy.config.syntax import MAX_DEPTH, MAX_VALUES, parse


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(child) for child in node.value]
    return node.value


def _read(text: str) -> Any:
    root, problems = parse(text.encode(), "f")
    assert root is not None, problems
    assert problems == []
    return _plain(root)


def _refused(data: str | bytes) -> str:
    root, problems = parse(data.encode() if isinstance(data, str) else data, "f")
    assert root is None or problems
    assert len(problems) == 1
    return str(problems[0])


# Text that YAML 1.1 would read as text too, without its line breaks: the writer of this test knows no other rules.
_texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"])).map(lambda text: f"x {text}")
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef.-_ ", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150)
@given(st.dictionaries(st.text("abcxyz", min_size=1), _values, min_size=1, max_size=5), st.booleans())
def test_what_is_written_is_read_and_every_scalar_stands_where_its_mark_says(value: dict[str, Any], flow: bool) -> None:
    text = (
        json.dumps(value, indent=2, ensure_ascii=False)
        if flow
        else yaml.safe_dump(value, allow_unicode=True, width=10_000)
    )
    root, problems = parse(text.encode(), "f")
    assert problems == []
    assert root is not None
    assert _plain(root) == value
    rows = text.split("\n")
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        stack += [child for _, child in node.children()]
        if isinstance(node.value, (bool, int)):
            assert rows[node.mark.line - 1][node.mark.col - 1 :].startswith(node.text)
        for key, mark in node.keys.items():
            assert rows[mark.line - 1][mark.col - 1 :].lstrip("'\"? ").startswith(key.strip()[:3])


def test_anchors_and_merges_mean_what_they_mean_everywhere() -> None:
    text = "a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4, x: 9}]}\n"
    read = _read(text)
    assert read["b"] == {"x": 1, "y": 2}
    assert read["c"] == {"x": 1, "y": 3}
    assert read["d"] == {"x": 1, "y": 2, "z": 4}


def test_quoted_words_are_text() -> None:
    assert _read("a: 'no'\nb: \"5\"\nc: '<<'\n") == {"a": "no", "b": "5", "c": "<<"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 'f:3:1 a: the key "a" stands here for the second time; the first is at f:1:1'),
        ("a: 1\n---\nb: 1\n", "f:2:1: a second document begins here (`---`); one file holds one"),
        (
            "a: !!python/name:os.system x\n",
            'f:1:4 a: the tag "!!python/name:os.system" is not allowed; write the plain value',
        ),
        ("a: ! x\n", 'f:1:4 a: the tag "!" is not allowed; write the plain value'),
        ("1: a\n", 'f:1:1: the key 1 is not text; write "1"'),
        ("? {a: 1}\n: 2\n", "f:1:3: a map cannot be a key; quote it if it is text"),
        ("a: &b c\n*b : d\n", "f:2:1: an alias cannot be a key; write the key out"),
        ("a: &a [*a]\n", "f:1:8 a[0]: the alias `*a` stands inside of what `&a` names, so it has no end"),
        ("a: &anchor 1\nb: *ancor\n", 'f:2:4 b: no anchor `&ancor` stands above this alias; did you mean "*anchor"?'),
        ("a: {<<: 5}\n", "f:1:9 a: `<<` takes a map or a list of maps, usually an alias such as *defaults"),
        ("", "f:1:1: the file is empty"),
        ("- a\n", "f:1:1: the top level must be a map with keys such as `routes:`, not a list"),
        (b"a: \xff\n", "f:1:4: the byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"\xef\xbb\xbfa: 1\n", "f:1:1: the file begins with a byte order mark; save it as UTF-8 without one"),
        (b"\xff\xfea\x00", "f:1:1: the file is UTF-16; save it as UTF-8"),
        (b"a: 1\nb: \x00\n", "f:2:4: the control character U+0000 cannot stand in the file; remove it"),
    ],
)
def test_what_is_refused(text: str | bytes, said: str) -> None:
    assert _refused(text) == said


def _laughs() -> str:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 60)]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_laughs(), f"more than {MAX_VALUES:,} values"),
        ("a: &a x\nb: [" + "*a, " * 10**6 + "]", f"more than {MAX_VALUES:,} values"),
        ("a: [" + "1, " * 10**6 + "]", f"more than {MAX_VALUES:,} values"),
        ("\n".join(f"a{n}: &a{n} 1" for n in range(10**5)), f"more than {MAX_VALUES:,} values"),
        ("[" * 10**4, f"more than {MAX_DEPTH} levels"),
        ("a: " + "{a: " * 10**4, f"more than {MAX_DEPTH} levels"),
        ("- " * 10**4, f"more than {MAX_DEPTH} levels"),
        (
            "b0: &b0 {}\n" + "\n".join(f"b{n}: &b{n} {{x: *b{n - 1}}}" for n in range(1, 99)),
            f"more than {MAX_DEPTH} levels",
        ),
    ],
    ids=["laughs", "aliases", "numbers", "anchors", "lists", "maps", "dashes", "deep aliases"],
)
def test_a_bomb_ends_the_reading_within_its_bounds(data: str, said: str) -> None:
    assert said in _refused(data)


def test_merges_count_against_the_bounds() -> None:
    rows = ["a0: &a0 {" + ", ".join(f"k{n}: 1" for n in range(100)) + "}"]
    rows += [f"a{n}: {{<<: *a0}}" for n in range(1, 2000)]
    assert "values" in _refused("\n".join(rows))
