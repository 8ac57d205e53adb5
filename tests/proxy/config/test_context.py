"""What compiled things are handed, and where their problems end up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proxy.config.context import Place, steps
from tests.support.config import lines, report_of, written


@pytest.mark.parametrize(
    ("at", "path"),
    [
        ("", ()),
        ("of[0].weight", ("of", 0, "weight")),
        ("models.gpt-4.1.gap", ("models", "gpt-4.1", "gap")),
        ("models.gpt", ("models", "gpt")),
        ("of[7].x[1].y", ("of", 7, "x", 1, "y")),
        ("missing.deep[2]", ("missing", "deep", 2)),
        ("[1]", (1,)),
        ("..", ()),
    ],
)
def test_a_path_is_read_along_the_values_it_leads_through(at: str, path: tuple[Any, ...]) -> None:
    """A key of the file may hold dots, so the text alone does not say where it ends."""
    value = {"of": [{"weight": 1}], "models": {"gpt": 1, "gpt-4": 2, "gpt-4.1": {"gap": 3}}}
    assert steps(value, at) == path


def test_a_problem_is_reported_where_the_value_stands(tmp_path: Path) -> None:
    value, report = report_of(written(tmp_path, "a:\n  b: {c.d: [1, 2]}\n"))
    Place(report, ("a",), value["a"]).fail("is odd", "b.c.d[1]")
    assert lines(report.problems) == ['2:16 a.b["c.d"][1]: is odd']


def test_a_plain_list_stands_for_its_key(tmp_path: Path) -> None:
    """Whoever wrote `fallback: [a, b]` is not told of an `of` that is not there."""
    value, report = report_of(written(tmp_path, "fallback: [x, y]\n"))
    Place(report, ("fallback",), value["fallback"], "of").fail("is odd", "of[1]")
    assert lines(report.problems) == ["1:15 fallback[1]: is odd"]
