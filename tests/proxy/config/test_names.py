"""Model names: one route for each, and none that leads nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proxy.config.names import check_answered, check_paths, check_routes, is_pattern
from tests.support.config import lines, report_of, written


def _routes(folder: Path, text: str) -> list[str]:
    value, report = report_of(written(folder, text))
    routes: Any = value["routes"]
    check_routes(routes, report)
    return lines(report.problems)


@pytest.mark.parametrize(
    "text",
    [
        "{a: {models: [x, 'x*']}, b: {models: ['*']}, c: {}}",
        "{a: {models: [x]}, b: {models: [x], match: {path: /v1/*}}}",
        "{a: {match: {path: /a}}, b: {match: {path: /b}}, c: {}}",
        "{a: {match: {header: {h: a}}, models: [x]}, b: {match: {tag: {h: a}}, models: [x]}}",
    ],
)
def test_routes_that_differ_may_share_names(tmp_path: Path, text: str) -> None:
    assert _routes(tmp_path, f"routes: {text}\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "{a: {models: [x]}, b: {models: [x]}}",
        "{a: {models: ['x*']}, b: {models: ['x*']}}",
        "{a: {}, b: {}}",
        "{a: {match: {path: /a}}, b: {match: {path: [/a]}}}",
        "{a: {models: [x], match: {header: {H: a, I: b}}}, b: {models: [x], match: {header: {i: b, h: [a]}}}}",
    ],
)
def test_the_second_route_for_one_model_is_a_problem(tmp_path: Path, text: str) -> None:
    (line,) = _routes(tmp_path, f"routes: {text}\n")
    assert "routes.a already" in line
    assert " routes.b" in line


@pytest.mark.parametrize(
    ("pattern", "models", "useless"),
    [
        ("fast", ["fast"], False),
        ("fast", ["f*"], False),
        ("f*", ["fast"], False),
        ("f*", ["g*"], False),  # two patterns may overlap; we do not judge
        ("slow", ["fast", "f*"], True),
        ("s*", ["fast"], True),
    ],
)
def test_a_restriction_to_what_nobody_answers_is_a_problem(
    tmp_path: Path, pattern: str, models: list[str], useless: bool
) -> None:
    _, report = report_of(written(tmp_path, "models: [x]\n"))
    check_answered([pattern], ("models",), [{"models": models}], report)
    assert bool(report.problems) is useless


def test_a_route_for_any_model_answers_every_restriction(tmp_path: Path) -> None:
    _, report = report_of(written(tmp_path, "models: [x]\n"))
    check_answered(["x"], ("models",), [{"models": ["y"]}, {}], report)
    assert report.problems == ()


@pytest.mark.parametrize(
    ("pattern", "known"),
    [
        ("/v1/chat/completions", True),
        ("/v1/*", True),
        ("*", True),
        ("/v1/files/*/content", True),
        ("/v1/files/f-1", True),
        ("/v1/fil*", True),
        ("/v1/chat/completion", False),
        ("/v2/*", False),
        ("/v1/fi", False),
    ],
)
def test_a_path_that_no_request_can_have_is_a_problem(tmp_path: Path, pattern: str, known: bool) -> None:
    value, report = report_of(written(tmp_path, f"routes: {{a: {{match: {{path: ['{pattern}']}}}}}}\n"))
    routes: Any = value["routes"]
    check_paths(routes, ["/v1/chat/completions", "/v1/files"], ["/v1/files/"], report)
    assert (report.problems == ()) is known
    if pattern.endswith("completion"):
        assert report.problems[0].suggestion == "/v1/chat/completions"


def test_what_is_a_pattern() -> None:
    assert [name for name in ("a", "a*", "a?", "[ab]", "gpt-4.1") if is_pattern(name)] == ["a*", "a?", "[ab]"]
