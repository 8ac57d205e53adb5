"""``sluicegate cache tune``: which threshold of the semantic cache keeps how many wrong answers away."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import msgspec

from proxy.commands import DONE, FAILED, WRONG, Commands
from proxy.ledger.shown import style_for, table
from proxy.semantic.curve import Advice, Point, advise, curve
from proxy.semantic.log import read_samples, routes_of
from proxy.units import Percent


def add_tune(verbs: Commands, output: ArgumentParser, state: Callable[[], Path]) -> None:
    """Add the verb. ``output`` is a parent: --json. ``state``: the directory of state."""
    verb = verbs.add_parser("tune", parents=[output], help="find the threshold of the semantic cache")
    verb.add_argument("--route", metavar="NAME", help="of this route (needed where there are several)")
    verb.add_argument(
        "--bound",
        type=_share,
        default=0.01,
        metavar="SHARE",
        help="of hits that may be wrong, at 95%% confidence (default: 1%%)",
    )
    verb.set_defaults(run=lambda args: _tune(args, state()))


def _share(text: str) -> float:
    try:
        found = float(Percent.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not 0 < found < 1:
        raise argparse.ArgumentTypeError(f"{text} is no share between 0% and 100%")
    return found


def _tune(args: argparse.Namespace, state: Path) -> int:
    try:
        routes = routes_of(state)
        route = args.route or (routes[0] if len(routes) == 1 else None)
        if route not in routes:
            print(_nothing(routes, route, state), file=sys.stderr)
            return FAILED if not routes else WRONG
        points = curve(read_samples(state, route))
    except sqlite3.Error as error:
        print(f"What was recorded cannot be read: {error}", file=sys.stderr)
        return FAILED
    advice = advise(points, args.bound)
    if args.json:
        found = {"route": route, "curve": points, "advice": advice}
        print(json.dumps(msgspec.to_builtins(found), indent=2))
    else:
        _show(points, advice)
    return DONE


def _nothing(routes: list[str], route: str | None, state: Path) -> str:
    if not routes:
        return f"Nothing is recorded in {state}. Set `cache_semantic: {{shadow: true}}` on a route, and let it serve."
    known = " or ".join(routes)
    return f"Say which route: --route {known}." if route is None else f"Nothing is recorded of {route!r}; of {known}."


def _show(points: list[Point], advice: Advice) -> None:
    lines: list[list[str]] = []
    before = None
    for point in points:
        seen = (point.hits, point.wrong, point.hit_rate)
        if seen != before and (point.hits or point.hit_rate):
            rate = "" if point.hit_rate is None else f"{point.hit_rate:.1%}"
            lines.append([f"{point.threshold:.3f}", rate, str(point.hits), str(point.wrong), f"{point.bound:.2%}"])
        before = seen
    head = ["threshold", "hit rate", "known hits", "wrong", "wrong at most"]
    print(table(head, lines, left=0, style=style_for(sys.stdout, {"NO_COLOR": "1"})))
    chosen = "no threshold" if advice.threshold is None else f"threshold: {advice.threshold:g}"
    print(f"{chosen} for {advice.bound:.2%} wrong hits ({advice.why})")
