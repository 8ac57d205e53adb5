"""Lists of policies: names that lead somewhere, no circles, an order that is safe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proxy.config.document import Report
from proxy.config.lists import MAX_POLICIES, Lists, check_order
from tests.support.config import lines, report_of, written


def _lists(folder: Path, text: str) -> tuple[Lists, Any, Report]:
    value, report = report_of(written(folder, text))
    named: Any = value.get("policies", {})
    return Lists(named, report), value["list"], report


def test_named_lists_are_written_out_in_order(tmp_path: Path) -> None:
    lists, entries, report = _lists(
        tmp_path,
        """
        policies:
          a: [x, {use: b}]
          b: [{y: {k: 1}}]
        list: [{use: a}, z]
        """,
    )
    found = lists.expand(entries, ("list",))
    assert [(e.name, e.settings, e.path) for e in found] == [
        ("x", None, ("policies", "a", 0)),
        ("y", {"k": 1}, ("policies", "b", 0, "y")),
        ("z", None, ("list", 1)),
    ]
    assert [e.item for e in found][1] == ("policies", "b", 0)
    assert report.problems == ()


def test_a_list_that_grows_without_end_is_cut(tmp_path: Path) -> None:
    """Each list uses the one before it twice: a million policies in twenty lines."""
    rows = "\n".join(f"  l{n}: [{{use: l{n - 1}}}, {{use: l{n - 1}}}]" for n in range(1, 20))
    lists, entries, report = _lists(tmp_path, f"policies:\n  l0: [x]\n{rows}\nlist: [{{use: l19}}]\n")
    lists.check()
    assert len(lists.expand(entries, ("list",))) == MAX_POLICIES
    assert "more than 100 policies" in lines(report.problems)[0]


@pytest.mark.parametrize(
    ("text", "circle"),
    [
        ("{a: [{use: a}]}", "a → a"),
        ("{a: [{use: b}], b: [{use: a}]}", "a → b → a"),
        ("{c: [{use: b}], b: [x, {use: a}], a: [{use: c}]}", "a → c → b → a"),
    ],
)
def test_a_circle_is_reported_once(tmp_path: Path, text: str, circle: str) -> None:
    lists, entries, report = _lists(tmp_path, f"policies: {text}\nlist: [{{use: a}}]\n")
    lists.check()
    (line,) = lines(report.problems)
    assert line.endswith(f"the list uses itself: {circle}")
    lists.expand(entries, ("list",))


def test_a_misspelled_list_counts_as_used(tmp_path: Path) -> None:
    """Else one typing error would be two problems."""
    lists, entries, report = _lists(tmp_path, "policies: {standard: [x]}\nlist: [{use: standrad}]\n")
    lists.check_uses(entries, ("list",))
    assert lists.used == {"standard"}
    assert len(report.problems) == 1


def test_nothing_runs_before_the_caller_is_known(tmp_path: Path) -> None:
    lists, entries, report = _lists(tmp_path, "policies: {}\nlist: [{tags: {a: 1}}, headers, authenticate]\n")
    check_order(lists.expand(entries, ("list",)), report)
    (line,) = lines(report.problems)
    assert "`authenticate` must come first in a route; `tags`, `headers` would run" in line


def test_two_policies_of_one_name_may_differ(tmp_path: Path) -> None:
    lists, entries, report = _lists(tmp_path, "policies: {}\nlist: [{tags: {a: 1}}, {tags: {a: 2}}]\n")
    check_order(lists.expand(entries, ("list",)), report)
    assert report.problems == ()
