"""From files on disk to one tree of values."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config.load import load
from tests.support.config import written


def test_included_files_are_merged_and_watched(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    main = written(tmp_path, "include: [more/a.yaml]\nproviders: {x: {kind: a}}\nlog: {level: info}\n")
    written(tmp_path / "more", "include: [b.yaml]\nproviders: {y: {kind: b}}\n", "a.yaml")
    written(tmp_path / "more", "tenants: {acme: {}}\nlog: {format: json}\n", "b.yaml")
    loaded = load(main, {})
    assert loaded.value == {
        "include": ["more/a.yaml"],
        "providers": {"x": {"kind": "a"}, "y": {"kind": "b"}},
        "tenants": {"acme": {}},
        "log": {"level": "info", "format": "json"},
    }
    assert loaded.files == (main, tmp_path / "more/a.yaml", tmp_path / "more/b.yaml")
    assert loaded.report is not None
    assert str(loaded.report.mark(("tenants", "acme"))) == f"{tmp_path}/more/b.yaml:1:17"


def test_one_setting_in_two_files_names_both_places(tmp_path: Path) -> None:
    main = written(tmp_path, "include: [b.yaml]\nlog: {level: info}\n")
    written(tmp_path, "log: {level: debug}\n", "b.yaml")
    (problem,) = load(main, {}).problems
    assert (problem.file, problem.line, problem.col, problem.path) == (f"{tmp_path}/b.yaml", 1, 7, "log.level")
    assert f"{main}:2:7" in problem.message


def test_an_empty_file_is_refused_also_where_it_is_included(tmp_path: Path) -> None:
    """It may be about to be written; only the main one is told what it needs."""
    main = written(tmp_path, "include: [b.yaml]\n")
    part = written(tmp_path, "# nothing yet\n", "b.yaml")
    assert [str(problem) for problem in load(main, {}).problems] == [f"{part}:1:1: the file is empty"]
    (problem,) = load(part, {}).problems
    assert "it needs at least" in problem.message


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    main = written(tmp_path, "include: [b.yaml]\n")
    written(tmp_path, "include: [./gateway.yaml]\n", "b.yaml")
    (problem,) = load(main, {}).problems
    assert "would include itself" in problem.message


def test_a_missing_file_is_watched_all_the_same(tmp_path: Path) -> None:
    main = written(tmp_path, "include: [later.yaml]\n")
    loaded = load(main, {})
    assert loaded.value is None
    assert loaded.files == (main, tmp_path / "later.yaml")
    assert load(tmp_path / "none.yaml", {}).files == (tmp_path / "none.yaml",)
    assert str(load(tmp_path / "none.yaml", {}).problems[0]).endswith("none.yaml: the file does not exist")


def test_many_files_are_bounded(tmp_path: Path) -> None:
    main = written(tmp_path, "include: [f0.yaml]\n")
    for number in range(100):
        written(tmp_path, f"include: [f{number + 1}.yaml]\n", f"f{number}.yaml")
    assert "more than 64 files" in load(main, {}).problems[0].message


def test_files_together_are_bounded(tmp_path: Path) -> None:
    main = written(tmp_path, "include: [a.yaml, b.yaml]\n")
    for name in "ab":
        written(tmp_path, f"{name}: [" + "1, " * 20_000 + "]\n", f"{name}.yaml")
    assert "more than 30,000 values" in load(main, {}).problems[0].message


def test_aliases_of_the_first_file_are_not_changed_by_the_second(tmp_path: Path) -> None:
    main = written(tmp_path, "include: [b.yaml]\na: &a {x: 1}\nb: *a\n")
    written(tmp_path, "a: {y: 2}\n", "b.yaml")
    value = load(main, {}).value
    assert value is not None
    assert value["a"] == {"x": 1, "y": 2}
    assert value["b"] == {"x": 1}


def test_an_optional_provider_that_lacks_something_is_left_out_with_the_reason(tmp_path: Path) -> None:
    main = written(tmp_path, 'providers: {a: {key: "${env:A}", more: "${env:B}", optional: true}}\n')
    loaded = load(main, {})
    assert loaded.problems == ()
    assert loaded.pruned == {
        "a": "the environment variable A is not set; the environment variable B is not set",
    }


@pytest.mark.parametrize("text", ["providers: {a: {key: '${env:A}'}}", "x: ['${env:A}']", "providers: {a: '${env:A}'}"])
def test_what_is_not_optional_must_be_there(tmp_path: Path, text: str) -> None:
    (problem,) = load(written(tmp_path, text), {}).problems
    assert "the environment variable A is not set" in problem.message


def test_a_badly_written_reference_is_a_problem_of_an_optional_provider_too(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, "providers: {a: {key: '${A}', optional: true}}"), {})
    assert len(loaded.problems) == 1


def test_the_digest_names_the_content_of_all_configuration_files(tmp_path: Path) -> None:
    main = written(tmp_path, "include: [b.yaml]\n")
    written(tmp_path, "a: 1\n", "b.yaml")
    first = load(main, {}).digest
    assert load(main, {"X": "y"}).digest == first
    written(tmp_path, "a: 2\n", "b.yaml")
    assert load(main, {}).digest != first
