"""The report on a terminal."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from proxy.experiments.plan import Bandit
from proxy.experiments.report import report
from proxy.experiments.shown import as_text
from proxy.ledger.shown import Style
from tests.support.experiments import NOW, PLAN, lived, record, write


def test_the_verdict_comes_before_the_figures(tmp_path: Path) -> None:
    """Each line names itself once."""
    path = lived(tmp_path, 1500, lambda arm: 0.7 if arm == "concise" else 0.45)
    text = as_text(report([path], "short", now=NOW), Style())
    assert text.index("concise is better than control") < text.index("solved*")
    assert text.count("solved*") == 1
    assert "Shares of subjects: 50%, 50%; as planned" in text
    assert "kept" in text
    assert "note: the outcome rating is declared" in text


def test_under_a_bandit_each_arm_has_its_ends(tmp_path: Path) -> None:
    """In the unit of the value."""
    plan = replace(PLAN, bandit=Bandit("solved", 0.1, 60.0))
    path = lived(tmp_path, 600, lambda arm: 0.7 if arm == "concise" else 0.45, plan)
    (row,) = [line for line in as_text(report([path], "short", now=NOW), Style()).splitlines() if "solved*" in line]
    assert row.split()[4].endswith("%")
    assert row.split()[6].endswith("%")


def test_nothing_is_said_of_what_is_not_there(tmp_path: Path) -> None:
    """One request of one variant."""
    text = as_text(report([write(tmp_path, [record()])], "short", now=NOW), Style())
    assert "MISMATCH" not in text
    assert "1 subjects, 1 requests" in text
