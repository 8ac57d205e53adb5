"""The report of a mirror for people: a table, and a page that needs nothing else."""

from __future__ import annotations

from html import escape

from proxy.experiments.figures import amount, signed
from proxy.experiments.mirror_report import MirrorReport, Pair, Share
from proxy.experiments.mirrored import PAIRS, SHARES
from proxy.experiments.page import document
from proxy.experiments.shown import moment
from proxy.ledger.shown import Style, table

_HEAD = ("", "requests", "answers", "copies", "lift", "from", "to")
_NOTE = (
    "Answers and copies of the same requests. Intervals hold at every look (95 %), each by itself; the lift is that of "
    "the copies over the answers."
)
_SHARES = ("errors", "json")


def as_text(found: MirrorReport, style: Style) -> str:
    """All of it, the verdict first."""
    lines = [style.bold(f"{found.name}: {found.target} beside {found.route}"), style.dim(_facts(found)), ""]
    lines += found.verdict
    rows = [[one.name, *_pair(one)] for one in found.pairs] + [[one.name, *_share(one)] for one in found.shares]
    if rows:
        lines += ["", table(_HEAD, rows, left=1, style=style), "", _NOTE]
    return "\n".join(lines)


def page(found: MirrorReport) -> str:
    """The whole page."""
    head = "".join(f"<th>{escape(name)}</th>" for name in _HEAD)
    rows = [(one.name, PAIRS[one.name], _pair(one)) for one in found.pairs]
    rows += [(one.name, SHARES[one.name], _share(one)) for one in found.shares]
    body = "".join(_row(name, what, cells) for name, what, cells in rows)
    verdict = "".join(f'<p class="verdict">{escape(one)}</p>' for one in found.verdict)
    figures = f"<section><h2>Figures</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></section>"
    about = f'<p class="soft">{escape(f"route {found.route} · copies to {found.target} · {_facts(found)}")}</p>'
    parts = f"{about}<section>{verdict}</section>{figures if rows else ''}"
    return document(f"Mirror {found.name}", parts, f"{_NOTE} Made by Sluicegate.")


def _row(name: str, what: str, cells: list[str]) -> str:
    shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><td title="{escape(what)}">{escape(name)}</td>{shown}</tr>'


def _facts(found: MirrorReport) -> str:
    when = "" if found.begin is None or found.end is None else f"{moment(found.begin)} to {moment(found.end)} UTC, "
    return f"{when}{found.requests:,} requests, {found.failed:,} copies failed, {found.too_long:,} too long to compare"


def _pair(one: Pair) -> list[str]:
    sides = [amount(one.name, value, is_share=one.name in _SHARES) for value in (one.main, one.shadow)]
    low, high = one.lift_interval or (None, None)
    return [f"{one.requests:,}", *sides, signed(one.lift), signed(low), signed(high)]


def _share(one: Share) -> list[str]:
    ends = [amount(one.name, end, is_share=True) for end in one.interval or (None, None)]
    return [f"{one.requests:,}", "", amount(one.name, one.value, is_share=True), "", *ends]
