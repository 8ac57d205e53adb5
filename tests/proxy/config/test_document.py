"""Trees that know their places, and the report about them."""

from __future__ import annotations

from pathlib import Path

from proxy.config.document import Report
from proxy.config.syntax import parse
from tests.support.config import report_of, written

_TEXT = b"""a:
  b: [1, two]
  c: {d: "x y"}
"""


def _report() -> Report:
    root, problems = parse(_TEXT, "f")
    assert root is not None
    assert not problems
    return Report(root)


def test_a_value_is_found_at_its_place_and_a_key_at_its_own() -> None:
    report = _report()
    assert str(report.mark(("a", "b", 1))) == "f:2:10"
    assert str(report.mark(("a", "c", "d"))) == "f:3:10"
    assert str(report.mark(("a", "c", "d"), key=True)) == "f:3:7"


def test_what_is_not_in_the_file_stands_where_its_parent_does() -> None:
    report = _report()
    assert str(report.mark(("a", "c", "missing", 5, "deeper"))) == str(report.mark(("a", "c")))


def test_a_problem_taints_what_holds_it_and_nothing_else() -> None:
    report = _report()
    report.problem(("a", "b", 1), "is wrong")
    assert not report.sound(("a", "b", 1))
    assert not report.sound(("a",))
    assert report.sound(("a", "b", 0))
    assert report.sound(("a", "c"))


def test_a_notice_taints_nothing() -> None:
    report = _report()
    report.notice(("a", "b"), "is new")
    assert report.sound(("a", "b"))
    assert report.problems == ()


def test_a_scalar_is_shown_as_it_is_written() -> None:
    assert _report().written(("a", "b", 0)) == "1"
    assert _report().written(("a", "x")) is None


def test_what_came_through_a_reference_is_never_shown(tmp_path: Path) -> None:
    _, report = report_of(written(tmp_path, 'a: "${env:KEY}"'), KEY="sk-secret-value")
    report.problem(("a",), "'sk-secret-value' is not good")
    assert str(report.problems[0]).endswith("a: '${env:KEY}' is not good")


def test_a_report_is_full_before_it_is_unreadable() -> None:
    report = _report()
    for number in range(2000):
        report.problem(("a", "b", 0), f"wrong {number}")
    assert report.is_full
    assert len(report.problems) == 500
