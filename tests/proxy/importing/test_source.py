"""The file that is read: what was said of it, numbers and words as people write them."""

from __future__ import annotations

import pytest

from proxy.config.syntax import parse
from proxy.importing.source import Source, flag, number, seconds


def _source(text: str) -> Source:
    root, _ = parse(text.encode(), "config.yaml")
    assert root is not None
    return Source(root)


def test_what_nobody_speaks_of_is_lost_with_its_place() -> None:
    source = _source("a: 1\nb:\n  c: 2\n  d: [x, {e: 3}]\nf: {}\n")
    source.carried(("b", "d"), "all of it")
    found = [(one.line, one.col, one.path, one.outcome) for one in source.findings()]
    assert found == [
        (1, 1, "a", "not carried"),
        (3, 3, "b.c", "not carried"),
        (4, 3, "b.d", "carried"),
        (5, 1, "f", "needless"),
    ]


def test_a_loss_wins_over_what_was_said_before() -> None:
    source = _source("a: 1\n")
    source.carried(("a",), "first")
    source.lost(("a",), "no")
    source.needless(("a",), "late")
    (only,) = source.findings()
    assert (only.outcome, only.text) == ("not carried", "no")


@pytest.mark.parametrize(
    ("value", "found"),
    [("os.environ/KEY", "${env:KEY}"), ("os.environ/a b", None), ("plain", None), ("os.environ/", None)],
)
def test_references(value: str, found: str | None) -> None:
    assert _source("a: 1\n").reference(value) == found


def test_text_that_looks_like_a_reference_is_none() -> None:
    assert _source("a: 1\n").text("${env:HOME}") == "$${env:HOME}"


@pytest.mark.parametrize(
    ("value", "found"),
    [(True, True), ("yes", True), ("Off", False), (0, False), (None, False), ("maybe", None), ([], None)],
)
def test_switches(value: object, found: bool | None) -> None:
    assert flag(value) is found


@pytest.mark.parametrize(
    ("value", "found"),
    [(1, 1.0), ("2.5", 2.5), (True, None), (-1, None), ("x", None), ([], None), (float("nan"), None)],
)
def test_numbers(value: object, found: float | None) -> None:
    assert number(value) == found


@pytest.mark.parametrize(
    ("value", "found"), [(30, "30s"), (0.5, "500ms"), (1.25, "1.25s"), (0.0001, "1ms"), (6000, "6000s")]
)
def test_durations(value: float, found: str) -> None:
    assert seconds(value) == found
