"""A report for people who read a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from proxy.experiments.figures import amount, percent, probability, signed
from proxy.experiments.report import Figure, Line, Report
from proxy.ledger.shown import Style, table

_HEAD = ("", "variant", "subjects", "seen", "value", "lift", "from", "to", "p", "detectable", "guard")


def as_text(found: Report, style: Style) -> str:
    """All of it, the verdict first."""
    lines = [style.bold(f"{found.name}: {found.state}")]
    if found.begin is not None and found.end is not None:
        total = f"{sum(found.subjects):,} subjects, {sum(found.requests):,} requests"
        lines.append(style.dim(f"{moment(found.begin)} to {moment(found.end)} UTC, {total}"))
    lines += ["", *found.verdict]
    if found.lines:
        rows = [row for line in found.lines for row in _rows(found, line)]
        lines += ["", table(_HEAD, rows, left=2, style=style)]
    lines += ["", *_notes(found)]
    return "\n".join([*lines, *(style.red(f"note: {warning}") for warning in found.warnings)]).rstrip()


def _rows(found: Report, line: Line) -> list[list[str]]:
    rows: list[list[str]] = []
    for one in line.figures:
        name = f"{line.name}{'*' if line.is_primary else ''}" if not rows else ""
        rows.append([name, one.variant, *_cells(found, line, one)])
    return rows


def _cells(found: Report, line: Line, one: Figure) -> list[str]:
    value = amount(line.name, one.value, is_share=is_share(found, line))
    low, high = one.lift_interval or (None, None)
    shown = [signed(one.lift), signed(low), signed(high), probability(one.p_value).removeprefix("= ")]
    least = "-" if one.detectable is None else percent(one.detectable)
    if found.plan.bandit is not None and one.interval is not None:
        ends = [amount(line.name, end, is_share=is_share(found, line)) for end in one.interval]
        shown = ["-", *ends, "-"]
    return [f"{one.subjects:,}", f"{one.observations:,}", value, *shown, least, one.guard or "-"]


def is_share(found: Report, line: Line) -> bool:
    """Whether the values of a line lie between 0 and 1."""
    if line.kind == "outcome":
        return found.plan.outcomes[line.name].type != "number"
    return line.name in ("errors", "refusals", "guardrails", "cache_hits")


def _notes(found: Report) -> list[str]:
    lines = [
        "* decides. Intervals and p hold at every look (95 %), however often one looks; subjects, not requests, count."
    ]
    if found.sample_ratio is not None:
        shares = ", ".join(percent(share) for share in found.sample_ratio.shares)
        state = "MISMATCH" if found.sample_ratio.is_mismatch else "as planned"
        lines.append(f"Shares of subjects: {shares}; {state} (p {probability(found.sample_ratio.p_value)}).")
    return lines


def moment(seconds: float) -> str:
    """A time of UTC, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
