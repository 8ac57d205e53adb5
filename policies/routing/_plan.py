"""From the settings of ``experiment`` to its plan: everything that can be wrong with them is said here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from proxy.experiments.plan import METRICS, Bandit, Better, Outcome, OutcomeType, Plan, Step
from proxy.policy import CompileContext, Config
from proxy.units import Duration, Percent

_ROUNDING = 1e-9


class _Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A map below the node."""


class VariantConfig(_Map, frozen=True):
    """One arm: its part of the subjects, and where their requests go."""

    weight: Percent
    target: Any


class OutcomeConfig(_Map, frozen=True):
    """What applications send to ``/v1/feedback``. ``good``: the labels that count as success."""

    type: OutcomeType = "boolean"
    better: Better = "higher"
    primary: bool = False
    good: tuple[str, ...] = ()


class StepConfig(_Map, frozen=True):
    """From ``at`` on, ``share`` of all subjects."""

    at: str
    share: Percent


class BanditConfig(_Map, frozen=True):
    """Weights that follow an ``outcome``."""

    outcome: str
    floor: Percent = Percent(0.05)
    every: Duration = Duration(60)


class ExperimentConfig(Config, frozen=True):
    """``otherwise`` takes the requests that are not in it; without it, the ``control`` does."""

    name: str
    variants: dict[str, VariantConfig]
    subject: str = "user"
    control: str | None = None
    group: str | None = None
    share: Percent = Percent(1)
    when: str | None = None
    start: str | None = None
    end: str | None = None
    ramp: tuple[StepConfig, ...] = ()
    otherwise: Any = None
    outcomes: dict[str, OutcomeConfig] = {}
    guards: dict[str, Percent] = {}
    bandit: BanditConfig | None = None
    planned: int = 5_000


def plan_of(config: ExperimentConfig, context: CompileContext) -> Plan:
    """The plan; problems are reported, and what is wrong is left out."""
    start, end = (_moment(getattr(config, name), name, context) for name in ("start", "end"))
    if start is not None and end is not None and end <= start:
        context.fail("it would end before it starts", "end")
    arms = tuple(config.variants)
    control = config.control or arms[0]
    if control not in config.variants:
        context.fail(f"there is no variant {control!r}; there are: {', '.join(arms)}", "control")
        control = arms[0]
    return Plan(
        name=config.name,
        route=context.route,
        subject=config.subject,
        arms=arms,
        weights=_weights(config.variants, context),
        control=control,
        group=config.group or "",
        share=float(config.share),
        start=start,
        end=end,
        ramp=_ramp(config, start, end, context),
        outcomes=_outcomes(config.outcomes, context),
        guards=_guards(config, context),
        bandit=_bandit(config, context),
        planned=config.planned,
    )


def _moment(text: str | None, at: str, context: CompileContext) -> float | None:
    """Seconds since the epoch; UTC where no zone is given."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        context.fail(f"{text[:40]!r} is not a time; write it like 2026-11-01 or 2026-11-01T09:00+01:00", at)
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _weights(variants: Mapping[str, VariantConfig], context: CompileContext) -> tuple[float, ...]:
    weights = tuple(float(variant.weight) for variant in variants.values())
    for name, weight in zip(variants, weights, strict=True):
        if not weight:
            context.fail("nobody gets this variant; remove it, or give it a weight", f"variants.{name}.weight")
    if len(variants) < 2:
        context.fail("there must be two variants at least: one is compared with the other", "variants")
        return weights
    total = sum(weights)
    if abs(total - 1) > _ROUNDING:
        context.fail(f"the weights add up to {total:.6%}, not to 100%".replace(".000000%", "%"), "variants")
    return weights


def _ramp(
    config: ExperimentConfig, start: float | None, end: float | None, context: CompileContext
) -> tuple[Step, ...]:
    found: list[Step] = []
    for number, step in enumerate(config.ramp):
        place = f"ramp[{number}]"
        at = _step_time(step.at, f"{place}.at", start, context)
        if at is None:
            continue
        if found and at <= found[-1].at:
            context.fail("the steps stand in the order of time", f"{place}.at")
        if found and step.share <= found[-1].share:
            context.fail("the share must grow: who takes part goes on to do so", f"{place}.share")
        if step.share > config.share:
            context.fail(f"this is more than `share` ({float(config.share):.6g} of all)", f"{place}.share")
        if end is not None and at >= end:
            context.fail("the experiment has ended by then", f"{place}.at")
        found.append(Step(at, float(step.share)))
    return tuple(found)


def _step_time(text: str, place: str, start: float | None, context: CompileContext) -> float | None:
    """A time, or a duration after the start."""
    try:
        after = float(Duration.parse(text))
    except ValueError:
        return _moment(text, place, context)
    if start is None:
        context.fail("a duration counts from `start`, which is missing", place)
        return None
    return start + after


def _outcomes(found: Mapping[str, OutcomeConfig], context: CompileContext) -> dict[str, Outcome]:
    primary = [name for name, outcome in found.items() if outcome.primary]
    for name in primary[1:]:
        context.fail(f"one outcome decides, and {primary[0]!r} is `primary` already", f"outcomes.{name}.primary")
    for name, outcome in found.items():
        if name in METRICS:
            context.fail("this is a metric of every request; give the outcome another name", f"outcomes.{name}")
        if (outcome.type == "label") != bool(outcome.good):
            message = "`good` lists the labels that count as success: with `type: label`, and only there"
            context.fail(message, f"outcomes.{name}")
    return {name: Outcome(one.type, one.better, one.primary, one.good) for name, one in found.items()}


def _guards(config: ExperimentConfig, context: CompileContext) -> dict[str, float]:
    known = tuple(dict.fromkeys((*METRICS, *config.outcomes)))
    for name in config.guards:
        if name not in known:
            context.fail(f"there is no metric or outcome {name!r}; there are: {', '.join(known)}", f"guards.{name}")
    return {name: float(margin) for name, margin in config.guards.items() if name in known}


def _bandit(config: ExperimentConfig, context: CompileContext) -> Bandit | None:
    bandit = config.bandit
    if bandit is None:
        return None
    if bandit.outcome not in config.outcomes:
        known = ", ".join(config.outcomes) or "none is declared"
        context.fail(f"there is no outcome {bandit.outcome!r}; `outcomes` has: {known}", "bandit.outcome")
    if bandit.floor * len(config.variants) > 1:
        message = f"{len(config.variants)} variants cannot all have {float(bandit.floor):.6g} of the subjects"
        context.fail(message, "bandit.floor")
    return Bandit(bandit.outcome, float(bandit.floor), float(bandit.every))
