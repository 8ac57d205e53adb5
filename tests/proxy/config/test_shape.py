"""What the schema does not admit, in words; the words themselves are in ``tests/golden/config``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from proxy.config.document import Report
from proxy.config.schema import bundle
from proxy.config.shape import check_shape
from proxy.config.syntax import parse
from tests.support.config import lines, report_of, written

_GOOD: dict[str, Any] = {"providers": {"sim": {"kind": "simulated"}}, "routes": {"a": {"target": "sim/x"}}}


def _check(value: dict[str, Any]) -> list[str]:
    root, problems = parse(json.dumps(value).encode(), "f")
    assert root is not None
    assert not problems
    report = Report(root)
    check_shape(value, report)
    return lines(report.problems)


def test_a_good_file_has_a_good_shape() -> None:
    assert _check(_GOOD) == []


def test_all_problems_are_found_in_one_run() -> None:
    value = {**_GOOD, "lgo": {}, "listen": 1, "timeouts": {"gap": 5, "connect": "1 parsec"}, "routes": {"a": {}}}
    assert len(_check(value)) == 5


def test_what_is_below_a_wrong_shape_is_not_looked_at() -> None:
    (line,) = _check({**_GOOD, "timeouts": [{"gap": 5}]})
    assert line.endswith("timeouts: must be a map such as `{first_token: 20s}`, not a list")


def test_a_value_that_is_unknown_is_not_blamed(tmp_path: Path) -> None:
    """It has no value, and that has been said."""
    text = """
        timeouts: {gap: "${env:GAP}"}
        log: {level: "${env:LEVEL}"}
        providers: {sim: {kind: simulated}}
        routes: {a: {models: ["${env:M}"], target: sim/x}}
    """
    value, report = report_of(written(tmp_path, text))
    before = report.problems
    check_shape(value, report)
    assert report.problems == before


@pytest.mark.parametrize(
    "change",
    [
        {"routes": {"a": {"target": {"fallback": [], "split": []}}}},
        {"routes": {"a": {"target": {"split": [{"weight": True, "target": "a/b"}]}}}},
        {"routes": {"a": {"target": 5}}},
        {"routes": {"a": {"target": "sim/x", "policies": [["authenticate"]]}}},
        {"routes": {"a": {"target": "sim/x", "policies": [{}]}}},
        {"routes": {"a": {"target": "sim/x", "match": {"path": {}}}}},
        {"routes": {"a/b": {"target": "sim/x"}}},
        {"providers": {}},
        {"providers": {"a": {"kind": "openai", "optional": "yes"}}},
        {"tenants": {"a": {"teams": {"b": {"keys": {"c": {"hash": "sha256:zz"}}}}}}},
        {"server": {"max_connections": 0}},
        {"include": [""]},
    ],
)
def test_what_an_editor_underlines_is_refused_here_too(change: dict[str, Any]) -> None:
    """The published schema, read by any validator, and our own reading of it agree."""
    value = {**_GOOD, **change}
    assert not jsonschema.Draft202012Validator(bundle()).is_valid(value)
    assert _check(value)


def test_a_list_that_is_too_long_is_one_problem() -> None:
    (line,) = _check({**_GOOD, "routes": {"a": {"target": {"fallback": [5] * 5000}}}})
    assert "at most 100 entries, not 5000" in line


def test_a_literal_secret_is_never_repeated() -> None:
    value = {**_GOOD, "providers": {"a": {"kind": "openai", "api_key": "sk-live\n1", "api_keys": [12345, "sk-live"]}}}
    said = "\n".join(_check(value))
    assert said.count("\n") == 1
    assert "sk-live" not in said
    assert "12345" not in said
