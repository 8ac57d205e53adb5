"""What is wrong with an experiment is said, each at its place."""

from __future__ import annotations

from typing import Any

import pytest

from policies.routing._plan import (
    BanditConfig,
    ExperimentConfig,
    OutcomeConfig,
    StepConfig,
    VariantConfig,
    plan_of,
)
from proxy.experiments.plan import Step
from proxy.units import Percent


def _config(weights: tuple[float, ...] = (0.5, 0.5), **more: Any) -> ExperimentConfig:
    variants = {name: VariantConfig(weight=Percent(weight), target="x") for name, weight in zip("abc", weights)}  # noqa: B905
    return ExperimentConfig(name="one", variants=variants, **more)


def test_a_sound_one_is_a_plan(context: Any) -> None:
    """Times are UTC where no zone is given, and the first variant is the control."""
    ramp = (StepConfig(at="1h", share=Percent(0.1)), StepConfig(at="2026-01-02T00:00+00:00", share=Percent(1)))
    plan = plan_of(_config(start="2026-01-01", end="2026-02-01T12:00+01:00", ramp=ramp), context)
    assert not context.problems
    assert (plan.start, plan.end) == (1767225600.0, 1769943600.0)
    assert plan.ramp == (Step(1767225600.0 + 3600, 0.1), Step(1767312000.0, 1.0))
    assert (plan.control, plan.primary) == ("a", "latency")


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        ({"weights": (0.5, 0.4)}, "variants"),
        ({"weights": (1.0, 0.0)}, "variants.b.weight"),
        ({"control": "z"}, "control"),
        ({"start": "tomorrow"}, "start"),
        ({"start": "2026-02-01", "end": "2026-01-01"}, "end"),
        ({"ramp": (StepConfig(at="1h", share=Percent(0.1)),)}, "ramp[0].at"),
        ({"ramp": (StepConfig(at="2026-01-01", share=Percent(0.6)),), "share": Percent(0.5)}, "ramp[0].share"),
        ({"ramp": (StepConfig(at="2026-01-01", share=Percent(0.6)),), "end": "2025-01-01"}, "ramp[0].at"),
        ({"outcomes": {"latency": OutcomeConfig()}}, "outcomes.latency"),
        ({"outcomes": {"said": OutcomeConfig(type="label")}}, "outcomes.said"),
        ({"outcomes": {"x": OutcomeConfig(primary=True), "y": OutcomeConfig(primary=True)}}, "outcomes.y.primary"),
        ({"guards": {"speed": Percent(0.1)}}, "guards.speed"),
        ({"bandit": BanditConfig(outcome="solved")}, "bandit.outcome"),
        (
            {"outcomes": {"x": OutcomeConfig()}, "bandit": BanditConfig(outcome="x", floor=Percent(0.6))},
            "bandit.floor",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(context: Any, settings: dict[str, Any], at: str) -> None:
    """And nothing else is."""
    plan_of(_config(**settings), context)
    assert [place for place, _ in context.problems] == [at]


def test_a_ramp_rises_in_the_order_of_time(context: Any) -> None:
    """Both are told."""
    steps = [("2026-01-02", 0.5), ("2026-01-01", 0.6), ("2026-01-03", 0.6)]
    plan_of(_config(ramp=tuple(StepConfig(at=at, share=Percent(share)) for at, share in steps)), context)
    assert [place for place, _ in context.problems] == ["ramp[1].at", "ramp[2].share"]
