"""Figures of experiments for people."""

from __future__ import annotations


def percent(part: float) -> str:
    """A share, with as many digits as tell something."""
    return f"{part:.0%}" if part >= 0.995 or abs(part * 100 - round(part * 100)) < 1e-9 else f"{part:.1%}"


def signed(part: float | None) -> str:
    """A lift: +12.3 %; ∞ where there is no bound, - where there is none."""
    if part is None:
        return "-"
    if part in (float("inf"), float("-inf")):
        return "∞" if part > 0 else "-∞"
    return f"{part:+.1%}" if abs(part) < 10 else f"{part:+.0%}"


def probability(p: float | None) -> str:
    """A p-value, with its sign."""
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def amount(name: str, value: float | None, *, is_share: bool) -> str:
    """A value of a metric or outcome."""
    if value is None:
        return "-"
    if name in ("latency", "first_token"):
        return f"{value * 1000:,.0f} ms" if value < 10 else f"{value:,.1f} s"
    if name == "cost":
        return f"${value:.6f}" if value < 0.01 else f"${value:,.4f}"
    if is_share:
        return f"{value:.2%}"
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
