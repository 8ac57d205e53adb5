"""Reports of experiments whose truth is known."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from proxy.experiments.plan import Bandit
from proxy.experiments.report import Report, report
from tests.support.experiments import NOW, PLAN, lived, record, tell, write


def _better(arm: str) -> float:
    return 0.7 if arm == "concise" else 0.45


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A real effect, seen by enough subjects; latency is worse by half."""
    path = lived(tmp_path_factory.mktemp("real"), 1500, _better, latency=(0.5, 0.75))
    return report([path], "short", now=NOW)


def test_a_real_effect_is_found(real: Report) -> None:
    """And the truth lies within its interval."""
    line = real.primary
    assert line is not None
    control, concise = line.figures
    assert (line.name, control.lift, concise.is_significant, concise.is_better) == ("solved", None, True, True)
    assert concise.lift_interval is not None
    assert concise.lift_interval[0] < 0.7 / 0.45 - 1 < concise.lift_interval[1]
    assert real.subjects == (750, 750)


def test_a_guard_that_breaks_is_told(real: Report) -> None:
    """Latency may be worse by a tenth, and is by half."""
    line = next(line for line in real.lines if line.name == "latency")
    assert [one.guard for one in line.figures] == [None, "broken"]
    assert line.figures[1].is_better is False


def test_what_nobody_has_is_no_line(real: Report) -> None:
    """No request failed, and no outcome is left out for it."""
    assert [line.name for line in real.lines] == ["solved", "rating", "latency", "first_token", "cost", "tokens"]


def test_the_series_ends_where_the_report_stands(real: Report) -> None:
    """With the same lift and the same interval."""
    last, line = real.series["concise"][-1], real.primary
    assert line is not None
    assert (last.value, last.range) == (line.figures[1].lift, line.figures[1].lift_interval)
    assert last.subjects == 1500
    assert list(real.series) == ["concise"]


def test_shares_that_are_not_as_planned_are_told(tmp_path: Path) -> None:
    """Records of one variant got lost."""
    path = lived(tmp_path, 900, lambda arm: 0.5, replace(PLAN, weights=(0.8, 0.2)))
    found = report([path], "short", now=NOW).sample_ratio
    assert found is not None
    assert found.is_mismatch
    assert found.shares == (0.5, 0.5)


def test_under_a_bandit_arms_stand_for_themselves(tmp_path: Path) -> None:
    """With an interval each, and no comparison."""
    plan = replace(PLAN, bandit=Bandit("solved", 0.1, 60.0))
    found = report([lived(tmp_path, 900, _better, plan)], "short", now=NOW)
    assert found.sample_ratio is None
    assert found.primary is not None
    control, concise = found.primary.figures
    assert control.lift is concise.lift is None
    assert control.interval is not None
    assert concise.interval is not None
    assert control.interval[1] < concise.interval[0]
    assert list(found.series) == ["control", "concise"]


def test_without_any_request_there_is_a_report(tmp_path: Path) -> None:
    """It says so."""
    found = report([write(tmp_path, [])], "short", now=NOW)
    assert (found.subjects, found.begin, found.sample_ratio) == ((0, 0), None, None)


def test_one_that_has_no_observation_is_not_compared(tmp_path: Path) -> None:
    """Its value is not known."""
    one = record()
    path = write(tmp_path, [one, record("bob", "concise")])
    tell(path, one, "solved", 1.0)
    line = report([path], "short", now=NOW).primary
    assert line is not None
    assert [(figure.value, figure.lift) for figure in line.figures] == [(1.0, None), (None, None)]


def test_it_can_be_written_as_json(real: Report) -> None:
    """All of it."""
    assert msgspec.json.decode(msgspec.json.encode(real))["plan"]["name"] == "short"
