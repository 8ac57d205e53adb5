"""Plots of a report as SVG: intervals beside each other, and how the estimate came about. The page has the colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape

from proxy.experiments.figures import amount, signed
from proxy.experiments.report import Figure, Line, Point, Report
from proxy.experiments.shown import is_share

WIDTH = 880
_LEFT, _RIGHT, _ROW, _TOP = 250, 90, 26, 34
_MOST = 1.0  # lifts beyond ±100 % leave the plot
_HEIGHT, _BELOW, _SIDE = 300, 40, 64


def forest(found: Report) -> str:
    """The lift of each line and variant with its interval; "" if nothing can be compared."""
    rows = [(line, one) for line in found.lines for one in line.figures if one.lift is not None]
    if not rows:
        return ""
    ends = [abs(end) for _, one in rows for end in one.lift_interval or (one.lift or 0.0,) if math.isfinite(end)]
    most = _nice(min(max([*ends, 0.05]) * 1.05, _MOST))
    height = _TOP + _ROW * len(rows) + 8

    def x(lift: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (max(-most, min(most, lift)) + most) / (2 * most)

    parts = [_open(height, "Lift of each metric over the control, with its interval")]
    for tick in (-most, -most / 2, 0.0, most / 2, most):
        style = "zero" if tick == 0 else "grid"
        parts.append(f'<line class="{style}" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{_TOP - 8}" y2="{height}"/>')
        parts.append(_text(x(tick), _TOP - 14, f"{tick:+.0%}" if tick else "0", "middle"))
    for number, (line, one) in enumerate(rows):
        parts += _bar(line, one, _TOP + _ROW * number + _ROW / 2, x, most)
    return "".join([*parts, "</svg>"])


def _bar(line: Line, one: Figure, y: float, x: Callable[[float], float], most: float) -> list[str]:
    """One row: name, interval, estimate, figure."""
    style = {True: "good", False: "bad", None: "open"}[one.is_better]
    weight = "strong" if line.is_primary else ""
    parts = [_text(_LEFT - 14, y + 4, f"{line.name} · {one.variant}", "end", weight)]
    if one.lift_interval is not None:
        low, high = one.lift_interval
        parts.append(f'<line class="range {style}" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y}" y2="{y}"/>')
        for end, way in ((low, -1), (high, 1)):
            if abs(end) > most:  # goes on beyond the plot
                tip = x(end)
                parts.append(f'<path class="tip {style}" d="M{tip + 7 * way:.1f} {y}l{-7 * way} -5v10z"/>')
    lift = one.lift or 0.0
    if abs(lift) <= most:
        parts.append(f'<circle class="dot {style}" cx="{x(lift):.1f}" cy="{y}" r="5"/>')
    parts.append(_text(WIDTH - _RIGHT + 16, y + 4, signed(one.lift), "start", weight))
    return parts


def course(found: Report) -> str:
    """The primary line as subjects came in: estimate and bounds that hold at all times together; "" if too early."""
    line = found.primary
    known = {arm: [one for one in points if one.range is not None] for arm, points in found.series.items()}
    known = {arm: points for arm, points in known.items() if len(points) > 1}
    if line is None or not known:
        return ""
    every = [one for points in known.values() for one in points]
    is_lift = found.plan.bandit is None
    low, high = _span(every, keep_zero=is_lift)
    begin, end = min(one.at for one in every), max(one.at for one in every)

    def x(at: int) -> float:
        return _SIDE + (WIDTH - _SIDE - 20) * (at - begin) / max(end - begin, 1)

    def y(value: float) -> float:
        return 12 + (_HEIGHT - _BELOW - 12) * (high - max(low, min(high, value))) / (high - low)

    parts = [_open(_HEIGHT, f"{line.name} over time")]
    for tick in range(5):
        value = low + (high - low) * tick / 4
        parts.append(f'<line class="grid" x1="{_SIDE}" x2="{WIDTH - 20}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        label = signed(value) if is_lift else amount(line.name, value, is_share=is_share(found, line))
        parts.append(_text(_SIDE - 8, y(value) + 4, label, "end"))
    if is_lift:
        parts.append(f'<line class="zero" x1="{_SIDE}" x2="{WIDTH - 20}" y1="{y(0):.1f}" y2="{y(0):.1f}"/>')
    for tick in range(5):
        at = begin + (end - begin) * tick // 4
        anchor = ("start", "middle", "middle", "middle", "end")[tick]
        parts.append(_text(x(at), _HEIGHT - 16, _when(at, end - begin), anchor))
    for number, (arm, points) in enumerate(known.items()):
        parts += _curve(arm, points, number, x, y)
    return "".join([*parts, "</svg>"])


def _curve(
    arm: str, points: Sequence[Point], number: int, x: Callable[[int], float], y: Callable[[float], float]
) -> list[str]:
    """A band and a line in the colour of that number."""
    upper = [f"{x(one.at):.1f},{y(one.range[1]):.1f}" for one in points if one.range is not None]
    lower = [f"{x(one.at):.1f},{y(one.range[0]):.1f}" for one in reversed(points) if one.range is not None]
    middle = [f"{x(one.at):.1f},{y(one.value or 0.0):.1f}" for one in points]
    colour = f"c{number % 6}"
    return [
        f'<polygon class="band {colour}" points="{" ".join(upper + lower)}"/>',
        f'<polyline class="curve {colour}" points="{" ".join(middle)}"><title>{escape(arm)}</title></polyline>',
    ]


def _span(points: Sequence[Point], *, keep_zero: bool) -> tuple[float, float]:
    """What the vertical axis shows: the later half whole, so that the wide beginning does not flatten it."""
    later = sorted(points, key=lambda one: one.at)[len(points) // 3 :]
    ends = [end for one in later for end in one.range or () if math.isfinite(end)]
    ends += [0.0] if keep_zero else []
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = (high - low) * 0.06 or 0.01
    return low - room, high + room


def _nice(value: float) -> float:
    """The next round number that is not smaller."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 2, 3, 4, 5, 6, 8, 10) if size * step >= value * 0.999)


def _when(at: int, span: int) -> str:
    """A time, as finely as the whole span asks for."""
    form = "%H:%M:%S" if span < 600 * 10**6 else "%H:%M" if span < 86_400 * 10**6 else "%b %d %H:%M"
    return datetime.fromtimestamp(at / 1e6, UTC).strftime(form)


def _open(height: float, title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img"><title>{escape(title)}</title>'


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    more = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'
