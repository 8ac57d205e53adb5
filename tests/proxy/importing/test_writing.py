"""YAML that is read as what was meant, whatever it holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.config.syntax import parse
from proxy.importing.source import Source
from proxy.importing.writing import WIDTH, comment, write

_TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=30)
_HARD = st.sampled_from(
    ["true", "~", "null", "1e3", "0x1f", "- a", "a: b", "#x", "'", '"', "${env:X}", "*a", "&a", "", " "]
)
_SCALARS: Any = st.booleans() | st.none() | st.integers(-(10**9), 10**9) | _TEXTS | _HARD
_VALUES: Any = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(st.sampled_from(["listen", "routes", "on", "a b"]), _VALUES, min_size=1))
def test_it_is_read_as_it_was_written(value: dict[str, Any]) -> None:
    text = write(value, {(key,): "A comment." for key in value})
    root, problems = parse(text.encode(), "x")
    assert not problems
    assert root is not None
    assert Source(root).value == value


def test_short_things_stand_on_one_line_and_long_ones_below() -> None:
    names = [f"name-{number}" for number in range(20)]
    text = write({"listen": "127.0.0.1:80", "routes": {"a": {"models": ["x"]}, "b": {"models": names}}}, {})
    lines = text.splitlines()
    assert lines[:5] == ['listen: "127.0.0.1:80"', "", "routes:", "  a: {models: [x]}", "  b:"]
    assert lines[5:8] == ["    models:", "      - name-0", "      - name-1"]


def test_comments_stand_above_and_are_wrapped() -> None:
    text = write({"routes": {"a": {"target": "x/y"}}}, {("routes", "a"): "word " * 60})
    lines = text.splitlines()
    assert lines[0] == "routes:"
    assert lines[1].startswith("  # word word")
    assert max(map(len, lines)) <= WIDTH
    assert lines[-2:] == ["  a:", "    target: x/y"] or lines[-1] == "  a: {target: x/y}"
    assert comment("one two") == ["# one two"]
