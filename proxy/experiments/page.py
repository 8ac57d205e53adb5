"""A report as one HTML page: nothing is loaded, no script runs, light and dark by the reader's choice."""

from __future__ import annotations

from html import escape

from proxy.experiments.figures import amount, percent, probability, signed
from proxy.experiments.plots import course, forest
from proxy.experiments.report import Figure, Line, Report
from proxy.experiments.shown import is_share, moment

_STYLE = """
:root{color-scheme:light dark;--paper:#fdfdfc;--card:#fff;--ink:#1b1f24;--soft:#667080;--line:#dfe3e8;
--good:#1a7f4b;--bad:#c2352b;--open:#5b6b7f;--c0:#2f6fde;--c1:#c05a12;--c2:#7a4fc4;--c3:#0d8a8a;--c4:#b0357f;--c5:#6b7a1f}
@media(prefers-color-scheme:dark){:root{--paper:#12151a;--card:#1a1f26;--ink:#e6e9ee;--soft:#97a2b2;--line:#303843;
--good:#4cc38a;--bad:#ff7a6e;--open:#9fb0c5;--c0:#7aa7ff;--c1:#ffa561;--c2:#b794ff;--c3:#4fd1d1;--c4:#f08bc5;--c5:#c5d65a}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1040px;margin:0 auto;padding:28px 20px 40px}h1{font-size:24px;margin:0}h2{font-size:16px;margin:0 0 10px}
p{margin:4px 0}.soft{color:var(--soft)}section{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:16px 20px;margin-top:16px;overflow-x:auto}.verdict{font-size:18px;font-weight:600}.warn{color:var(--bad)}
svg{width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
svg text.strong{fill:var(--ink);font-weight:600}.grid{stroke:var(--line)}.zero{stroke:var(--soft);stroke-dasharray:4 3}
.range{stroke-width:4;stroke-linecap:round}.good{stroke:var(--good)}.bad{stroke:var(--bad)}.open{stroke:var(--open)}
.dot,.tip{stroke:none}.dot.good,.tip.good{fill:var(--good)}.dot.bad,.tip.bad{fill:var(--bad)}
.dot.open,.tip.open{fill:var(--open)}.band{opacity:.16}.curve{fill:none;stroke-width:2.5}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:5px 8px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:500}
td:first-child,th:first-child,td:nth-child(2),th:nth-child(2){text-align:left}.kept{color:var(--good)}.broken{color:var(--bad)}
.yes{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:600}.key{display:inline-block;width:12px;height:12px;
border-radius:3px;margin:0 6px -1px 14px}
"""
_COLOURS = "".join(
    f".c{n}.band,.key.c{n}{{fill:var(--c{n});background:var(--c{n})}}.c{n}.curve{{stroke:var(--c{n})}}"
    for n in range(6)
)
_HEAD = ("", "variant", "subjects", "seen", "value", "lift", "interval", "p", "detectable", "guard")


def page(found: Report) -> str:
    """The whole page."""
    parts = (
        _facts(found),
        _verdict(found),
        _plot("Difference to the control", forest(found), "Lift with its interval. Green is better, red is worse."),
        _plot(*_course(found)),
        _table(found),
    )
    return document(f"Experiment {found.name}", "".join(parts), _FOOT)


def document(title: str, body: str, foot: str) -> str:
    """A page around ``body``, which is HTML already."""
    title = escape(title)
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}{_COLOURS}</style></head><body><main>",
            f'<h1>{title}</h1>{body}<p class="soft">{escape(foot)}</p></main></body></html>\n',
        )
    )


_FOOT = (
    "Intervals and p-values hold at every look together (95 %), however often one looks. The unit is the subject. "
    "“Detectable” is the least true difference that would by now have been found with a chance of 80 %. "
    "Made by Sluicegate."
)


def _facts(found: Report) -> str:
    total = f"{sum(found.subjects):,} subjects, {sum(found.requests):,} requests"
    when = "" if found.begin is None or found.end is None else f"{moment(found.begin)} to {moment(found.end)} UTC · "
    ratio = ""
    if found.sample_ratio is not None:
        shares = " / ".join(percent(share) for share in found.sample_ratio.shares)
        state = "NOT as planned" if found.sample_ratio.is_mismatch else "as planned"
        ratio = f" · shares {shares}, {state}"
    return f'<p class="soft">{escape(f"{found.state} · route {found.plan.route} · {when}{total}{ratio}")}</p>'


def _verdict(found: Report) -> str:
    sentences = "".join(f'<p class="verdict">{escape(one)}</p>' for one in found.verdict)
    warnings = "".join(f'<p class="warn">Note: {escape(one)}.</p>' for one in found.warnings)
    return f"<section>{sentences}{warnings}</section>"


def _course(found: Report) -> tuple[str, str, str]:
    keys = [arm for arm, points in found.series.items() if sum(one.range is not None for one in points) > 1]
    legend = "".join(f'<span class="key c{number % 6}"></span>{escape(arm)}' for number, arm in enumerate(keys))
    what = "value" if found.plan.bandit is not None else f"lift over {escape(found.plan.control)}"
    text = f"As subjects came in: {what}, with bounds that hold at all times together.{legend}"
    return f"{found.plan.primary} over time", course(found), text


def _plot(title: str, svg: str, text: str) -> str:
    """``text`` is HTML already."""
    return f'<section><h2>{escape(title)}</h2>{svg}<p class="soft">{text}</p></section>' if svg else ""


def _table(found: Report) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in _HEAD)
    rows = "".join(_row(found, line, one, number) for line in found.lines for number, one in enumerate(line.figures))
    return f"<section><h2>Figures</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></section>"


def _row(found: Report, line: Line, one: Figure, number: int) -> str:
    def shown(value: float | None) -> str:
        return amount(line.name, value, is_share=is_share(found, line))

    ends = "-"
    if one.lift_interval is not None:
        ends = f"{signed(one.lift_interval[0])} to {signed(one.lift_interval[1])}"
    elif found.plan.bandit is not None and one.interval is not None:
        ends = f"{shown(one.interval[0])} to {shown(one.interval[1])}"
    style = {True: "yes", False: "no", None: ""}[one.is_better]
    least = "-" if one.detectable is None else percent(one.detectable)
    cells = (
        ("", "" if number else f"{line.name}{' (decides)' if line.is_primary else ''}"),
        ("", one.variant),
        ("", f"{one.subjects:,}"),
        ("", f"{one.observations:,}"),
        ("", shown(one.value)),
        (style, signed(one.lift)),
        ("", ends),
        (style, probability(one.p_value).removeprefix("= ")),
        ("", least),
        (one.guard or "", one.guard or "-"),
    )
    return "<tr>" + "".join(f'<td class="{of}">{escape(text)}</td>' for of, text in cells) + "</tr>"
