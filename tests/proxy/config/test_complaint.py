"""Broken syntax in words for whoever typed it."""

from __future__ import annotations

import pytest

from proxy.config.syntax import parse


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n\t- b\n", "f:2:1 a: a tab cannot indent; use spaces"),
        (
            "a: b: c\n",
            "f:1:5: a `:` cannot stand here; check the indentation, or quote the text if the `:` belongs to it",
        ),
        ("a: [1\nb: 2\n", "f:2:2 a[1]: the list that begins at 1:4 with `[` is not closed, or lacks a `,`"),
        ("a: {b: 1\nc: 2\n", "f:2:2 a: the map that begins at 1:4 with `{` is not closed, or lacks a `,`"),
        ('a: "x\n', "f:2:1 a: the quote that is opened at 1:4 is never closed"),
        ("a: `x`\n", "f:1:4 a: text cannot begin with ```; quote it"),
        ("a: 1\n  \tb: 2\n", "f:2:3: a tab cannot indent; use spaces"),
        ("a: - b\n", "f:1:4 a: a list begins on the line after its key"),
        ('a: "\\q"\n', "f:1:5 a: this escape is unknown; write `\\\\`, or use single quotes"),
        ("a: *\n", "f:1:5 a: a name follows `*` or `&`; quote text that begins so"),
        ("- a\nb: 1\n", "f:2:1 [1]: this does not continue the list begun at 1:1; check indentation"),
        ("%YAML 3.0\n---\na: 1\n", "f:1:1: the file asks for another version of YAML; remove the line `%YAML`"),
        (" a: 1\nb: 2\n", "f:2:1: this does not belong to what stands above it; check the indentation"),
        ("a: >x\n", "f:1:5 a: after `|` or `>` the text begins on the next line"),
    ],
)
def test_the_sentence_names_the_place_and_the_way_out(text: str, said: str) -> None:
    root, problems = parse(text.encode(), "f")
    assert root is None
    assert [str(problem) for problem in problems] == [said]
