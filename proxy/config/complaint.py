"""What libyaml says about broken syntax, in words that help whoever typed it."""

from __future__ import annotations

from typing import Any

# By the parser's own words; `{context}` is the place where the broken construct begins.
_SENTENCES = {
    "mapping values are not allowed in this context": (
        "a `:` cannot stand here; check the indentation, or quote the text if the `:` belongs to it"
    ),
    "did not find expected key": "this does not continue what stands above it; check indentation and quotes",
    "did not find expected '-' indicator": "this does not continue the list begun at {context}; check indentation",
    "did not find expected ',' or ']'": "the list that begins at {context} with `[` is not closed, or lacks a `,`",
    "did not find expected ',' or '}'": "the map that begins at {context} with `{{` is not closed, or lacks a `,`",
    "could not find expected ':'": "the key that begins at {context} is not followed by `:`",
    "found unexpected end of stream": "the quote that is opened at {context} is never closed",
    "found unexpected document indicator": "the quote that is opened at {context} is not closed",
    "block sequence entries are not allowed in this context": "a list begins on the line after its key",
    "mapping keys are not allowed in this context": "a key cannot stand here; check the indentation",
    "found unknown escape character": "this escape is unknown; write `\\\\`, or use single quotes",
    "did not find expected alphabetic or numeric character": "a name follows `*` or `&`; quote text that begins so",
    "did not find expected <document start>": "this does not belong to what stands above it; check the indentation",
    "did not find expected node content": "a value is missing here",
    "did not find expected comment or line break": "after `|` or `>` the text begins on the next line",
    "found incompatible YAML document": "the file asks for another version of YAML; remove the line `%YAML`",
    "found duplicate %YAML directive": "the line `%YAML` stands twice",
    "found invalid Unicode character escape code": "this escape is not a Unicode character",
    "did not find expected hexdecimal number": "hexadecimal digits must follow this escape",
    "found undefined tag handle": "tags are not allowed; write the plain value",
}


def explain_error(error: Any, text: str) -> tuple[int, int, str]:
    """Line and column (from 1) and a sentence for an error of the parser."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return 1, 1, "the file is not YAML"
    tab = _leading_tab(text, mark.line)
    if tab is not None:
        return mark.line + 1, tab + 1, "a tab cannot indent; use spaces"
    context = getattr(error, "context_mark", None)
    begins = "" if context is None else f"{context.line + 1}:{context.column + 1}"
    problem = str(error.problem)
    if problem == "found character that cannot start any token":
        sentence = _bad_start(text, mark.line, mark.column)
    elif problem in _SENTENCES:
        sentence = _SENTENCES[problem].format(context=begins)
    else:
        sentence = f"the syntax is broken: {problem}"
    return mark.line + 1, mark.column + 1, sentence


def _leading_tab(text: str, line: int) -> int | None:
    """Column of a tab in the indentation of a line."""
    lines = text.split("\n", line + 1)
    if line >= len(lines):
        return None
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    found = indent.find("\t")
    return None if found < 0 else found


def _bad_start(text: str, line: int, column: int) -> str:
    rest = text.split("\n", line + 1)[line][column:]
    if rest[:1] == "\t":
        return "a tab cannot stand here; use spaces"
    return f"text cannot begin with `{rest[:1]}`; quote it"
