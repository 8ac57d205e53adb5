"""``python -m tests.bench.experiments``: how often the statistics are wrong if looked at all the time, and their power.

Two arms, one look after every 100 subjects. A rate is printed with its standard error.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace

from proxy.experiments.statistics import Rule, subjects_needed
from tests.bench.simulated import (
    Outcome,
    Scenario,
    errors,
    guarded,
    heavy,
    known,
    latency,
    mismatch,
    proportion,
    returning,
    run,
    several,
    typical,
    with_power,
)

MAIN = (
    Scenario("proportion, 5 %", proportion(0.05)),
    Scenario("mean, heavy tail", heavy),
    Scenario("ratio, time per request", latency),
)
HARDER = (
    Scenario("proportion, 5 %, 90:10", proportion(0.05), share=0.1),
    Scenario("mean, heavy tail, 90:10", heavy, share=0.1),
    Scenario("ratio, few errors per request, 90:10", errors, share=0.1),
    Scenario("planned 200 each, few errors, 90:10", errors, share=0.1, rule=Rule(planned=200)),
    Scenario("mean, adjusted by the time before", known, is_adjusted=True),
)


def rate(hits: int, of: int) -> str:
    """In percent, with its standard error."""
    share = hits / of
    return f"{share:.2%} ± {math.sqrt(share * (1 - share) / of):.2%}"


class Report:
    """The tables, and how many rates were above what is promised."""

    def __init__(self, simulations: int) -> None:
        self.simulations = simulations
        self.fewer = max(simulations // 10, 100)
        self.missed = 0

    def kept(self, hits: int, of: int, most: float = 0.05) -> str:
        """The rate; a miss if it is above ``most`` by more than chance explains."""
        missed = hits > of * most + 3 * math.sqrt(of * most * (1 - most))
        self.missed += missed
        return rate(hits, of) + (" (missed)" if missed else "")

    def nothing(self) -> None:
        print(f"### No difference, {MAIN[0].subjects:,} subjects, {MAIN[0].subjects // 100} looks\n")
        print("| | experiments | always valid, at any look | fixed test, at any look | fixed test, once at the end |")
        print("|---|---|---|---|---|")
        for scenario in (*MAIN, *HARDER):
            of = self.simulations if scenario in MAIN else self.simulations // 2
            of = self.fewer if scenario.is_adjusted else of
            found = run(scenario, of, seed=1)
            cells = (self.kept(found.sequential, of), rate(found.peeked, of), rate(found.fixed, of))
            print(f"| {scenario.name} | {of:,} | {' | '.join(cells)} |", flush=True)
        of = self.fewer
        valid, peeked = returning(of, seed=2)
        print(f"| ratio, 1,000 subjects that return | {of:,} | {self.kept(valid, of)} | {rate(peeked, of)} | |")
        family, alone = several(of, 3, seed=3)
        print(
            f"| any of three variants (Holm) | {of:,} | {self.kept(family, of)} | uncorrected {rate(alone, of)} | |\n"
        )

    def power(self) -> None:
        print("### A known difference\n")
        print("| | true lift | subjects | always valid | it stops after | fixed test at the end |")
        print("|---|---|---|---|---|---|")
        of = self.fewer
        for scenario in MAIN:
            for wanted in (0.8, 0.99):
                real = with_power(scenario, wanted)
                self._power(real, run(real, of, seed=4))
        for scenario in MAIN:  # at the size that the plan asks for
            real = with_power(scenario, 0.8)
            control, variant = typical(scenario)
            size = subjects_needed(control, variant, real.rule, difference=real.lift * control.value) or 0
            real = replace(real, subjects=-(-size // 100) * 100)
            self._power(real, run(real, of, seed=5))
        print()

    def _power(self, real: Scenario, found: Outcome) -> None:
        size, valid = f"{real.lift:.1%} | {real.subjects:,}", rate(found.sequential, found.simulations)
        fixed = rate(found.fixed, found.simulations)
        print(f"| {real.name} | {size} | {valid} | {found.stopped:,.0f} | {fixed} |", flush=True)

    def guards(self) -> None:
        print("### A guard against 10 % more time per request\n")
        print("| true rise | ever broken | ever kept |\n|---|---|---|")
        for lift in (0.0, 0.1, 0.2):
            broken, kept = guarded(replace(MAIN[2], lift=lift), self.fewer, 6, 0.1)
            check = self.kept if lift == 0.1 else rate
            print(f"| {lift:.0%} | {check(broken, self.fewer)} | {check(kept, self.fewer)} |", flush=True)
        print()

    def shares(self) -> None:
        print("### Sample ratio mismatch, 10,000 subjects, 100 looks, alarm at 0.001\n")
        print("| wanted | real | experiments | alarms | after | chi-square, at any look |\n|---|---|---|---|---|---|")
        even, uneven = (0.5, 0.5), (0.9, 0.1)
        for wanted, real in ((even, even), (uneven, uneven), (even, (0.47, 0.53)), (uneven, (0.88, 0.12))):
            of = self.simulations // 2 if wanted == real else self.fewer
            alarms, peeked, after = mismatch(wanted, real, of, 7, 0.001)
            shown = self.kept(alarms, of, 0.001) if wanted == real else rate(alarms, of)
            wait = "" if wanted == real else f"{after:,.0f}"
            pair = " | ".join(":".join(f"{share:.0%}" for share in shares) for shares in (wanted, real))
            print(f"| {pair} | {of:,} | {shown} | {wait} | {rate(peeked, of)} |", flush=True)


def main() -> int:
    """Print it. Exit code 1 if a promise was broken by more than chance explains."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.experiments", description=__doc__)
    parser.add_argument("--simulations", type=int, default=10_000)
    report = Report(parser.parse_args().simulations)
    report.nothing()
    report.power()
    report.guards()
    report.shares()
    if report.missed:
        print(f"\n{report.missed} of the promises broken", file=sys.stderr)
    return 1 if report.missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
