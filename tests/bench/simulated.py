"""Simulated experiments: subjects of a known kind, looked at while they arrive by the statistics of the gateway."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from proxy.experiments.statistics import (
    Comparison,
    Estimate,
    Moments,
    Rule,
    adjusted,
    compare,
    compare_all,
    estimate,
    guard,
    sample_ratio,
)

Array = NDArray[np.float64]
Drawn = tuple[Array, ...]  # value, what it is per, the value before
CHUNK = 100  # experiments at a time, for the sake of memory
RULE = Rule(planned=2_500)
BEFORE = (3, 6, 8, 9)  # the moments that know of the time before


@dataclass(frozen=True)
class Scenario:
    """A kind of experiment. ``draw`` makes subjects out of the factor by which each one's arm raises its value."""

    name: str
    draw: Callable[[np.random.Generator, Array], Drawn]
    share: float = 0.5  # of the variant
    lift: float = 0.0
    subjects: int = 5_000  # of both arms
    step: int = 100  # subjects between two looks
    is_adjusted: bool = False
    rule: Rule = RULE


@dataclass(frozen=True)
class Outcome:
    """Rejections among ``simulations``: by the always-valid test, by the fixed one at any look, and at the end."""

    simulations: int
    sequential: int
    peeked: int
    fixed: int
    stopped: float  # subjects on average, of those who stop at a rejection or at the end


def proportion(chance: float) -> Callable[[np.random.Generator, Array], Drawn]:
    """Subjects that do something or not."""

    def draw(rng: np.random.Generator, raised: Array) -> Drawn:
        done = (rng.random(raised.shape) < chance * raised).astype(np.float64)
        return done, np.ones_like(done), np.zeros_like(done)

    return draw


def heavy(rng: np.random.Generator, raised: Array) -> Drawn:
    """A mean with a heavy tail, such as cost: lognormal, a hundredth of the subjects brings a sixth of the sum."""
    value: Array = rng.lognormal(0.0, 1.3, raised.shape) * raised
    return value, np.ones_like(value), np.zeros_like(value)


def latency(rng: np.random.Generator, raised: Array) -> Drawn:
    """Time per request: the requests of a subject resemble each other, and the busy ones are slower."""
    busy = rng.standard_normal(raised.shape)
    requests = 1.0 + rng.poisson(3.0 * np.exp(0.6 * busy)).astype(np.float64)
    return rng.gamma(requests) * np.exp(0.3 * busy) * raised, requests, np.zeros_like(requests)


def errors(rng: np.random.Generator, raised: Array) -> Drawn:
    """Errors per request, few and in clusters."""
    requests = 1.0 + rng.poisson(3.0, raised.shape).astype(np.float64)
    chance = np.minimum(rng.gamma(0.2, 0.05, raised.shape) * raised, 1.0)
    return rng.binomial(requests.astype(np.int64), chance).astype(np.float64), requests, np.zeros_like(requests)


def known(rng: np.random.Generator, raised: Array) -> Drawn:
    """A mean of which the time before explains half the variance."""
    before = rng.standard_normal(raised.shape)
    value = (10.0 + before + rng.standard_normal(raised.shape)) * raised
    return value, np.ones_like(value), before


def run(scenario: Scenario, simulations: int, seed: int) -> Outcome:
    """So many experiments, each looked at after every 100 subjects."""
    rng = np.random.default_rng(seed)
    sequential = peeked = fixed = 0
    stopped = 0
    for at in range(0, simulations, CHUNK):
        sums = _sums(scenario, rng, min(CHUNK, simulations - at))
        z, width = _classical(sums), _width(sums, scenario.rule)
        crossed = np.abs(z) > NormalDist().inv_cdf(1 - scenario.rule.alpha / 2)
        peeked += int(crossed.any(axis=1).sum())
        fixed += int(crossed[:, -1].sum())
        # The library only ever widens what this test finds, so that it is asked only where it may reject.
        worth = np.ones_like(crossed) if scenario.is_adjusted else np.abs(z) > width * 0.999
        for look in _first(scenario, sums, worth):
            sequential += look is not None
            stopped += scenario.subjects if look is None else (look + 1) * scenario.step
    return Outcome(simulations, sequential, peeked, fixed, stopped / simulations)


def judged(scenario: Scenario, sums: Array, index: int, look: int) -> Comparison:
    """What the library says of one experiment at one look."""
    control, variant = _estimates(scenario, sums, index, look)
    return compare(control, variant, scenario.rule)


def _estimates(scenario: Scenario, sums: Array, index: int, look: int) -> list[Estimate]:
    counts = sums[:, :, index, look].tolist()
    arms = [Moments(int(one[0]), *one[1:]) for one in counts]
    return adjusted(arms) if scenario.is_adjusted else [estimate(arm) for arm in arms]


def _first(scenario: Scenario, sums: Array, worth: NDArray[np.bool_]) -> Iterator[int | None]:
    """For each experiment the first look at which it is significant."""
    for index in range(worth.shape[0]):
        looks = np.flatnonzero(worth[index]).tolist()
        yield next((look for look in looks if judged(scenario, sums, index, look).is_significant), None)


def _sums(scenario: Scenario, rng: np.random.Generator, simulations: int) -> Array:
    """Arm, one of the ten moments, experiment, look."""
    shape = (simulations, scenario.subjects)
    is_variant = (rng.random(shape) < scenario.share).astype(np.float64)
    y, x, z = scenario.draw(rng, 1.0 + scenario.lift * is_variant)
    products = [np.ones(shape), y, x, z, y * y, x * x, z * z, x * y, y * z, x * z]
    steps = (simulations, scenario.subjects // scenario.step, scenario.step)
    sums = np.zeros((2, len(products), *steps[:2]))
    for moment, one in enumerate(products):
        if moment not in BEFORE or scenario.is_adjusted:
            of_variant = np.einsum("ijk,ijk->ij", one.reshape(steps), is_variant.reshape(steps))
            sums[:, moment] = one.reshape(steps).sum(axis=2) - of_variant, of_variant
    return sums.cumsum(axis=3)


def _classical(sums: Array) -> Array:
    """The textbook's z of the difference at every look, by numpy alone."""
    n, y, x, _, yy, xx, _, xy, _, _ = (sums[:, moment] for moment in range(10))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = y / x
        spread = (yy - 2 * ratio * xy + ratio**2 * xx) / (n - 1)  # the values less ratio times x add up to zero
        error = np.sqrt((spread / (x / n) ** 2 / n).sum(axis=0))
        return np.asarray(np.nan_to_num((ratio[1] - ratio[0]) / error, posinf=np.inf))


def _width(sums: Array, rule: Rule) -> Array:
    n = sums[:, 0]
    r = rule.seen(1.0) * 2 * n[0] * n[1] / (n[0] + n[1])
    with np.errstate(divide="ignore"):
        return np.asarray(np.sqrt((1 + r) / r * (np.log1p(r) - 2 * math.log(rule.alpha))))


def typical(scenario: Scenario, seed: int = 7) -> tuple[Estimate, Estimate]:
    """Both arms as they are without a difference, known well."""
    many = replace(scenario, subjects=400_000, step=400_000, lift=0.0)
    control, variant = _estimates(many, _sums(many, np.random.default_rng(seed), 1), 0, 0)
    return control, variant


def with_power(scenario: Scenario, power: float) -> Scenario:
    """The same with the lift that a fixed test finds with this power at the end (two-sided 5 %)."""
    control, variant = typical(scenario)
    share, n, normal = scenario.share, scenario.subjects, NormalDist()
    error = math.sqrt(control.variance / (1 - share) / n + variant.variance / share / n)
    return replace(scenario, lift=(normal.inv_cdf(0.975) + normal.inv_cdf(power)) * error / control.value)


def returning(simulations: int, seed: int) -> tuple[int, int]:
    """Rejections, always-valid and fixed at any look, where 1,000 subjects all return at each of 50 looks."""
    rng = np.random.default_rng(seed)
    subjects, looks, shape = 1_000, 50, (simulations, 1_000)
    is_variant = (rng.random(shape) < 0.5).astype(np.float64)
    pace, delay = 0.3 * rng.gamma(0.5, 2.0, shape), np.exp(0.5 * rng.standard_normal(shape))
    x, y = np.ones(shape), delay * rng.standard_exponential(shape)
    sums = np.zeros((2, 10, simulations, looks))
    for look in range(looks):
        requests = rng.poisson(pace).astype(np.float64)
        x, y = x + requests, y + delay * rng.gamma(requests + 1e-12)
        for moment, one in ((0, np.ones(shape)), (1, y), (2, x), (4, y * y), (5, x * x), (7, x * y)):
            of_variant = np.einsum("ij,ij->i", one, is_variant)
            sums[:, moment, :, look] = one.sum(axis=1) - of_variant, of_variant
    scenario = Scenario("subjects return", latency, rule=Rule(planned=subjects // 2))
    worth = np.abs(_classical(sums)) > _width(sums, scenario.rule) * 0.999
    found = sum(look is not None for look in _first(scenario, sums, worth))
    return found, int((np.abs(_classical(sums)) > NormalDist().inv_cdf(0.975)).any(axis=1).sum())


def guarded(scenario: Scenario, simulations: int, seed: int, margin: float) -> tuple[int, int]:
    """How many were ever found broken, and ever found kept, of a guard against a rise by more than the margin."""
    rng = np.random.default_rng(seed)
    sums = _sums(scenario, rng, simulations)
    ever = {"broken": 0, "kept": 0}
    for index in range(simulations):
        verdicts = set()
        for look in range(sums.shape[3]):
            control, variant = _estimates(scenario, sums, index, look)
            verdicts.add(guard(control, variant, scenario.rule, margin=margin, worse="higher").verdict)
        for verdict in verdicts - {"open"}:
            ever[verdict] += 1
    return ever["broken"], ever["kept"]


def several(simulations: int, variants: int, seed: int) -> tuple[int, int]:
    """Rejections of any of the variants, none of which makes a difference: by Holm, and without a correction."""
    rng, rule = np.random.default_rng(seed), Rule(planned=1_000)
    family = alone = 0
    for _ in range(simulations):
        values = rng.standard_normal((variants + 1, 40, 25)) + 10.0
        sums, squares = values.sum(axis=2).cumsum(axis=1), (values**2).sum(axis=2).cumsum(axis=1)
        looks = []
        for look in range(40):
            size = 25.0 * (look + 1)
            arms = [
                estimate(Moments(int(size), y=y, x=size, yy=yy, xx=size, xy=y))
                for y, yy in zip(sums[:, look].tolist(), squares[:, look].tolist(), strict=True)
            ]
            looks.append(compare_all(arms[0], arms[1:], rule))
        family += any(one.is_significant for found in looks for one in found)
        alone += any(one.p_value <= rule.alpha for found in looks for one in found)
    return family, alone


def mismatch(
    wanted: tuple[float, float], real: tuple[float, float], simulations: int, seed: int, alpha: float, looks: int = 100
) -> tuple[int, int, float]:
    """Alarms of the sequential test, of a chi-square test looked at as often, and subjects on average to the former."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(100, real, size=(simulations, looks)).cumsum(axis=1)
    expected = counts.sum(axis=2, keepdims=True) * np.asarray(wanted)
    square = ((counts - expected) ** 2 / expected).sum(axis=2)
    peeked = int((square > NormalDist().inv_cdf(1 - alpha / 2) ** 2).any(axis=1).sum())  # one degree of freedom
    alarms, waited = 0, 0
    for one in counts.tolist():
        at = next((k for k, seen in enumerate(one) if sample_ratio(seen, wanted, alpha=alpha).is_mismatch), None)
        alarms += at is not None
        waited += 0 if at is None else 100 * (at + 1)
    return alarms, peeked, waited / alarms if alarms else math.nan
