"""What to make of a report, in plain sentences: what was shown, what was not, and what is odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.experiments.figures import percent, probability, signed

if TYPE_CHECKING:
    from proxy.experiments.measures import Measured
    from proxy.experiments.report import Figure, Line, Report

_FEW = 100  # subjects of a variant before anything is said


def verdict_of(found: Report) -> tuple[str, ...]:
    """One sentence for each variant, and those that stand above them."""
    if found.sample_ratio is not None and found.sample_ratio.is_mismatch:
        shares = ", ".join(percent(share) for share in found.sample_ratio.shares)
        wanted = ", ".join(percent(weight) for weight in found.plan.weights)
        p = probability(found.sample_ratio.p_value)
        return (
            f"Something is wrong with the assignment or the records: the variants got {shares} of the subjects instead"
            f" of {wanted} (p {p}). Believe no difference before this is explained.",
        )
    line = found.primary
    if line is None or not sum(found.requests):
        return ("Nothing was recorded yet.",)
    if found.plan.bandit is not None:
        return _of_bandit(found, line)
    control = found.plan.control
    sentences = [_of_variant(line, one, control) for one in line.figures if one.variant != control]
    for other in found.lines:
        for one in other.figures:
            if one.guard == "broken" and other.margin is not None:
                worse = f"{other.name} is worse than it may be (by {percent(other.margin)})"
                sentences.append(f"{one.variant} breaks a guard: {worse}, {signed(one.lift)} against {control}.")
    return tuple(sentences)


def _of_variant(line: Line, one: Figure, control: str) -> str:
    if one.value is None:
        return f"Nothing can be said of {one.variant}: {line.name} was not recorded for it or for {control}."
    if not one.is_enough:
        few = "subjects" if one.subjects < _FEW else "cases"
        return f"It is too early to compare {one.variant} with {control}: too few {few} with {line.name} yet."
    if one.is_significant:
        way = "better" if one.is_better else "worse"
        between = ""
        if one.lift_interval is not None:
            low, high = one.lift_interval
            between = f", between {signed(low)} and {signed(high)}"
        p = probability(one.p_value)
        return f"{one.variant} is {way} than {control}: {line.name} {signed(one.lift)}{between} (p {p})."
    text = f"No difference of {one.variant} to {control} in {line.name} is shown yet"
    if one.detectable is None:
        return f"{text}."
    return f"{text}; one of {percent(one.detectable)} of the control or more would probably have been seen by now."


def _of_bandit(found: Report, line: Line) -> tuple[str, ...]:
    known = found.allocation or dict(zip(found.plan.arms, found.plan.weights, strict=True))
    best = max(known, key=lambda arm: known[arm])
    shares = ", ".join(f"{arm} {percent(known.get(arm, 0.0))}" for arm in found.plan.arms)
    return (
        f"The bandit follows {found.plan.bandit.outcome if found.plan.bandit else line.name} and gives {best} the most:"
        f" {shares}. As weights follow outcomes, variants are not compared; each has an interval of its own.",
    )


def warnings_of(found: Report, measured: Measured) -> tuple[str, ...]:
    """What is missing or odd, named and counted."""
    lines = []
    plan, requests = found.plan, sum(found.requests)
    for arm, weight, count in zip(plan.arms, plan.weights, found.requests, strict=True):
        if requests and not count:
            lines.append(f"the variant {arm} has no request, though it was given {percent(weight)} of the subjects")
    lines += [
        f"the outcome {line.name} is declared, and nobody has sent it to /v1/feedback"
        for line in found.lines
        if line.kind == "outcome" and requests and all(not one.observations for one in line.figures)
    ]
    lines += [
        f"feedback named {name} came {times:,} times, and no outcome has this name"
        for name, times in sorted(measured.undeclared.items())
    ]
    if found.moved:
        lines.append(f"{found.moved:,} subjects had several variants, as weights changed; they are left out")
    if measured.strange:
        lines.append(f"{measured.strange:,} subjects had variants that the file has no more; they are left out")
    return tuple(lines)
