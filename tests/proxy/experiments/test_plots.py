"""Plots: well-formed, and nothing lies outside of them."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from proxy.experiments.plan import Bandit
from proxy.experiments.plots import WIDTH, course, forest
from proxy.experiments.report import Report, report
from tests.support.experiments import NOW, PLAN, lived, record, write


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A real effect, and a latency far beyond the plot."""
    path = lived(
        tmp_path_factory.mktemp("real"), 1200, lambda arm: 0.7 if arm == "concise" else 0.4, latency=(0.5, 2.0)
    )
    return report([path], "short", now=NOW)


def test_all_of_it_lies_within(real: Report) -> None:
    """Every coordinate of both plots."""
    for svg in (forest(real), course(real)):
        root = ElementTree.fromstring(svg)
        height = float(root.attrib["viewBox"].split()[3])
        for element in root.iter():
            for name, value in element.attrib.items():
                if name in ("x", "x1", "x2", "cx"):
                    assert 0 <= float(value) <= WIDTH
                elif name in ("y", "y1", "y2", "cy"):
                    assert 0 <= float(value) <= height
                elif name == "points":
                    pairs = [pair.split(",") for pair in value.split()]
                    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= height for x, y in pairs)


def test_what_is_better_looks_better(real: Report) -> None:
    """And what goes beyond the plot has a tip."""
    svg = forest(real)
    assert re.search(r'class="range good"', svg)
    assert re.search(r'class="tip bad"', svg)
    assert re.search(r">\+30\d\.\d%<", svg)


def test_what_says_nothing_is_not_drawn(tmp_path: Path) -> None:
    """Neither differences nor a course of one request."""
    found = report([write(tmp_path, [record()])], "short", now=NOW)
    assert forest(found) == course(found) == ""


def test_a_bandit_has_a_curve_for_each_arm(tmp_path: Path) -> None:
    """In the unit of the outcome, and nothing to compare."""
    plan = replace(PLAN, bandit=Bandit("solved", 0.1, 60.0))
    found = report([lived(tmp_path, 900, lambda arm: 0.5, plan)], "short", now=NOW)
    assert forest(found) == ""
    assert course(found).count("<polyline") == 2
