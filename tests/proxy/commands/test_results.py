"""Outcomes of cases as text, TAP, JUnit and data."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from proxy.commands.results import Result, as_data, as_junit, as_tap, as_text
from proxy.ledger.shown import Style
from proxy.rehearsal.cases import Case, Expectation, Request, Sent
from proxy.rehearsal.explain import Explanation
from proxy.rehearsal.verdict import Finding


def _result(name: str, *wrong: Finding) -> Result:
    case = Case(name=name, place="a.test.yaml:3:5", given=Sent(request=Request()), before=(), expect=Expectation())
    why = Explanation(1, "POST", "/", "m", False, "chat", [], None, [], None, (), None) if wrong else None
    return Result("a.test.yaml", case, list(wrong), None, why)


GOOD = _result("is fine # really")
BAD = _result("is <wrong>\x1b", Finding("target", "a/b", 'c/"d"\n\x00', False))


def _describe(found: Explanation) -> str:
    return f"route {found.route}\n  tree & more"


def test_text_has_a_line_for_what_is_good_and_reasons_for_the_rest() -> None:
    assert as_text([GOOD, BAD], _describe, Style()).splitlines() == [
        "ok      is fine # really",
        "failed  is <wrong>?  a.test.yaml:3:5",
        "          target: expected a/b",
        '                       got c/"d"??',
        "          route chat",
        "            tree & more",
        "2 cases, 1 failed",
    ]
    assert as_text([GOOD], _describe, Style()).endswith("1 case passed")
    assert "\x1b" not in as_text([GOOD, BAD], _describe, Style())
    assert "\x1b[31mfailed" in as_text([BAD], _describe, Style(is_coloured=True))


def test_tap_counts_and_escapes() -> None:
    """A `#` in a name would begin a directive."""
    assert as_tap([GOOD, BAD], _describe).splitlines() == [
        "TAP version 14",
        "1..2",
        r"ok 1 - is fine \# really",
        "not ok 2 - is <wrong>?",
        "  ---",
        '  at: "a.test.yaml:3:5"',
        "  wrong:",
        r'    - {what: "target", expected: "a/b", got: "c/\"d\"\n\u0000"}',
        "  why: |",
        "    route chat",
        "      tree & more",
        "  ...",
    ]


def test_junit_is_xml_whatever_the_names_hold() -> None:
    root = ElementTree.fromstring(as_junit([GOOD, BAD], _describe))
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "2", "1")
    good, bad = root[0]
    assert (good.get("name"), len(good)) == ("is fine # really", 0)
    assert bad.get("name") == "is <wrong>?"
    failure = bad[0]
    assert (failure.get("message") or "").startswith("target: expected a/b, got c/")
    assert "a.test.yaml:3:5" in (failure.text or "")
    assert "tree & more" in (failure.text or "")


def test_data_says_the_same() -> None:
    found = as_data([GOOD, BAD])
    assert found["ok"] is False
    assert [one["passed"] for one in found["cases"]] == [True, False]
    assert found["cases"][1]["wrong"] == [{"what": "target", "expected": "a/b", "got": 'c/"d"\n\x00'}]
    assert found["cases"][1]["explanation"]["route"] == "chat"
