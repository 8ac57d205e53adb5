"""``sluicegate cache``: what kept answers of a running gateway have saved, and having them forgotten."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proxy.caching.tags import read_tag
from proxy.commands import DONE, FAILED, WRONG, Commands, Edge
from proxy.commands.asking import Gateway, GatewayEdge, Unanswered, add_address
from proxy.commands.prefixes import add_prefixes
from proxy.commands.tune import add_tune
from proxy.ledger.shown import dollars, style_for, table, text

_PATH = "/admin/cache"
_RESULTS = ("hit", "stale", "shared", "semantic", "miss", "bypass")
_TAGS = (
    "all, route:NAME, model:NAME, version:NAME (of a model, as its answers tell it), template:NAME or "
    "template:NAME@VERSION, organisation:NAME, team:ORGANISATION/TEAM, key:ORGANISATION/TEAM/KEY, tag:NAME=VALUE, or "
    "entry:DIGITS (of its key, as receipts show it)"
)


def add_cache(
    commands: Commands,
    config: ArgumentParser,
    output: ArgumentParser,
    edge: GatewayEdge,
    state: Callable[[], Path],
    ledger: Edge,
) -> None:
    """Add the command. ``config`` and ``output`` are parents: --config and --json. ``state``: where state is kept."""
    command = commands.add_parser("cache", help="what kept answers and prompts have saved, and forgetting answers")
    verbs = command.add_subparsers(metavar="VERB", required=True)
    verb = verbs.add_parser("stats", parents=[config, output], help="hits, and what they saved since it began")
    add_address(verb)
    verb.set_defaults(run=lambda args: _guarded(_stats, args, edge))
    verb = verbs.add_parser("invalidate", parents=[config, output], help="forget kept answers, in all replicas")
    verb.add_argument("tag", metavar="TAG", help=_TAGS)
    verb.add_argument("--route", default="", metavar="NAME", help="only those of this route")
    verb.add_argument("--reason", default="", metavar="TEXT", help="stands in the audit")
    add_address(verb)
    verb.set_defaults(run=lambda args: _guarded(_invalidate, args, edge))
    add_prefixes(verbs, config, output, ledger)
    add_tune(verbs, output, state)


def _guarded(run: Callable[[argparse.Namespace, GatewayEdge], int], args: argparse.Namespace, edge: GatewayEdge) -> int:
    try:
        return run(args, edge)
    except Unanswered as error:
        print(error, file=sys.stderr)
        return FAILED
    except ValueError as error:
        print(error, file=sys.stderr)
        return WRONG


def _stats(args: argparse.Namespace, edge: GatewayEdge) -> int:
    found = json.loads(Gateway.of(args, edge).ask("GET", _PATH))
    if args.json:
        print(json.dumps(found, indent=2))
        return DONE
    head = ["route", "store", "entries", "MiB", *_RESULTS, "hits", "saved", "seconds"]
    lines = [_line(cache) for cache in found["caches"]]
    print(table(head, lines, left=2, style=style_for(sys.stdout, edge.environ)))
    return DONE


def _line(cache: dict[str, Any]) -> list[str]:
    saved, rate = cache["saved"], cache["hit_rate"]
    return [
        text(cache["route"]),
        cache["store"],
        str(cache["entries"]),
        f"{cache['size'] / 2**20:.1f}",
        *(str(cache["requests"].get(result, 0)) for result in _RESULTS),
        "-" if rate is None else f"{rate:.1%}",
        dollars(str(saved["cost"])),
        f"{saved['seconds']:.1f}",
    ]


def _invalidate(args: argparse.Namespace, edge: GatewayEdge) -> int:
    order = {"tag": read_tag(args.tag), "reason": args.reason, **({"route": args.route} if args.route else {})}
    found = json.loads(Gateway.of(args, edge).ask("POST", _PATH, order))
    count = found["entries"]
    said = f"{found['tag']}: {count} answer{'' if count == 1 else 's'} of the gateway's own memory forgotten"
    print(json.dumps(found) if args.json else said)
    return DONE
