"""Target trees: every leaf names a provider, every branch can be reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config.targets import check_target, children, walk
from tests.support.config import lines, report_of, written

_PROVIDERS = ["openai", "sim"]


def _check(folder: Path, target: str) -> tuple[set[str], list[str], list[str]]:
    value, report = report_of(written(folder, f"target: {target}\n"))
    used = check_target(value["target"], ("target",), _PROVIDERS, report)
    return used, lines(report.problems), lines(report.notices)


def test_every_leaf_of_any_tree_is_found(tmp_path: Path) -> None:
    split = "{split: {of: [{weight: 1, target: sim/b}, {weight: 2, target: {fallback: {of: [sim/c]}}}]}}"
    text = f"{{fallback: [sim/a, {split}]}}"
    value, report = report_of(written(tmp_path, f"target: {text}\n"))
    leaves = [
        (node, str(report.mark(path))[-4:]) for node, path in walk(value["target"], (), report) if node.__class__ is str
    ]
    assert [leaf for leaf, _ in leaves] == ["sim/a", "sim/b", "sim/c"]


def test_children_are_found_in_every_spelling() -> None:
    assert list(children(["a/b"], ())) == [("a/b", (0,))]
    assert list(children({"of": ["a/b"]}, ("n",))) == [("a/b", ("n", "of", 0))]
    assert list(children({"of": [{"weight": 1, "target": "a/b"}]}, ())) == [("a/b", ("of", 0, "target"))]
    assert list(children("nonsense", ())) == []


def test_the_providers_that_are_used(tmp_path: Path) -> None:
    assert _check(tmp_path, "{fallback: [sim/a, openai/*]}") == ({"sim", "openai"}, [], [])


def test_a_provider_that_is_not_there_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    used, (line,), _ = _check(tmp_path, "opeani/gpt")
    assert line.endswith('there is no provider "opeani"; did you mean "openai/gpt"?')
    assert used == {"openai"}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("sim/gpt-*", "stands for the one that the caller named"),
        ("{fallback: [sim/a, sim/b, sim/a]}", "stands in this fallback already, at target.fallback[0]"),
        ("{fallback: [{fallback: [sim/a]}, {fallback: [sim/a]}]}", "stands in this fallback already"),
        ("{split: [{weight: 0, target: sim/a}]}", "every weight is 0"),
        ("{split: {of: [{weight: 0, target: sim/a}, {weight: 0.0, target: sim/b}]}}", "every weight is 0"),
    ],
)
def test_branches_that_nothing_reaches(tmp_path: Path, target: str, said: str) -> None:
    _, (line,), _ = _check(tmp_path, target)
    assert said in line


def test_one_idle_branch_is_worth_a_notice(tmp_path: Path) -> None:
    _, problems, (notice,) = _check(tmp_path, "{split: [{weight: 1, target: sim/a}, {weight: 0, target: sim/b}]}")
    assert problems == []
    assert "the branch takes no request" in notice


def test_one_model_may_stand_on_both_sides_of_a_split(tmp_path: Path) -> None:
    assert _check(tmp_path, "{split: [{weight: 1, target: sim/a}, {weight: 2, target: sim/a}]}")[1] == []
