"""What became of cases: for people, for TAP (version 14, testanything.org), for JUnit's XML, and as data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec

from proxy.ledger.shown import Style
from proxy.rehearsal.cases import Case
from proxy.rehearsal.explain import Explanation
from proxy.rehearsal.play import Got
from proxy.rehearsal.verdict import Finding

Describe = Callable[[Explanation], str]
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAP_SIGNS = re.compile(r"[\\#]")


class Result(msgspec.Struct, frozen=True):
    """One case of one file. ``wrong`` is what was not as expected, ``why`` what explains it."""

    file: str
    case: Case
    wrong: list[Finding]
    got: Got | None = None
    why: Explanation | None = None

    @property
    def passed(self) -> bool:
        return not self.wrong


def counted(results: Sequence[Result]) -> str:
    """How many."""
    return f"{len(results)} case{'' if len(results) == 1 else 's'}"


def as_data(results: Sequence[Result]) -> dict[str, Any]:
    """For --json."""
    return {
        "ok": all(one.passed for one in results),
        "cases": [
            {
                "file": one.file,
                "place": one.case.place,
                "name": one.case.name,
                "passed": one.passed,
                "wrong": [{"what": f.what, "expected": f.expected, "got": f.got} for f in one.wrong],
                "attempts": [] if one.got is None else [list(pair) for pair in one.got.attempts],
                "explanation": msgspec.to_builtins(one.why),
            }
            for one in results
        ],
    }


def as_text(results: Sequence[Result], describe: Describe, style: Style) -> str:
    """One line for a case that passes; what was wrong, and why, for another."""
    lines = []
    for one in results:
        if one.passed:
            lines.append(f"ok      {_plain(one.case.name)}")
        else:
            lines.append(style.red(f"failed  {_plain(one.case.name)}") + style.dim(f"  {one.case.place}"))
            lines += [f"          {line}" for line in _reasons(one, describe)]
    failed = sum(not one.passed for one in results)
    summary = f"{counted(results)}, {failed} failed" if failed else f"{counted(results)} passed"
    return "\n".join([*lines, style.bold(summary)])


def as_tap(results: Sequence[Result], describe: Describe) -> str:
    """See https://testanything.org/tap-version-14-specification.html."""
    lines = ["TAP version 14", f"1..{len(results)}"]
    for number, one in enumerate(results, 1):
        name = _TAP_SIGNS.sub(lambda sign: f"\\{sign[0]}", _plain(one.case.name))
        lines.append(f"{'ok' if one.passed else 'not ok'} {number} - {name}")
        if not one.passed:
            lines += ["  ---", f"  at: {json.dumps(one.case.place)}", "  wrong:"]
            for found in one.wrong:
                pairs = (("what", found.what), ("expected", found.expected), ("got", found.got))
                written = ", ".join(f"{key}: {json.dumps(value)}" for key, value in pairs)
                lines.append(f"    - {{{written}}}")
            if one.why is not None:
                lines += ["  why: |", *(f"    {line}" for line in _why(one, describe))]
            lines.append("  ...")
    return "\n".join(lines)


def as_junit(results: Sequence[Result], describe: Describe) -> str:
    """One ``testsuite`` for each file, as CI systems read it."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    failed = sum(not one.passed for one in results)
    lines.append(f'<testsuites name="sluicegate test" tests="{len(results)}" failures="{failed}">')
    for file in dict.fromkeys(one.file for one in results):
        cases = [one for one in results if one.file == file]
        failed = sum(not one.passed for one in cases)
        lines.append(f'  <testsuite name={_attribute(file)} tests="{len(cases)}" failures="{failed}">')
        for one in cases:
            head = f"    <testcase name={_attribute(one.case.name)} classname={_attribute(file)}"
            if one.passed:
                lines.append(f"{head}/>")
                continue
            first = one.wrong[0]
            message = _attribute(f"{first.what}: expected {first.expected}, got {first.got}")
            text = "\n".join([one.case.place, *_reasons(one, describe)])
            lines += [f"{head}>", f"      <failure message={message}>{escape(_xml(text))}</failure>", "    </testcase>"]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"])


def _reasons(one: Result, describe: Describe) -> list[str]:
    lines = []
    for found in one.wrong:
        lines.append(f"{found.what}: expected {_plain(found.expected)}")
        lines.append(f"{' ' * len(found.what)}       got {_plain(found.got)}")
    return [*lines, *_why(one, describe)]


def _why(one: Result, describe: Describe) -> list[str]:
    """Who was asked, and what ``explain`` says."""
    lines = []
    if one.got is not None and one.got.attempts:
        lines.append(f"asked     {', '.join(f'{target}: {reason}' for target, reason in one.got.attempts)}")
    return lines if one.why is None else [*lines, *_plain_lines(describe(one.why))]


def _plain(text: str) -> str:
    """On one line, with nothing that moves a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _plain_lines(text: str) -> list[str]:
    return [_plain(line) for line in text.splitlines()]


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)


def _attribute(text: str) -> str:
    return quoteattr(_xml(text))
