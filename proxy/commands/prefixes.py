"""``sluicegate cache prefixes``: what providers' caches of prompts have saved, or lost."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import ArgumentParser

from proxy.commands import DONE, Commands, Edge, add_selection, guarded, selection
from proxy.commands.usage import dimensions, positive
from proxy.ledger.export import Selection, open_source
from proxy.ledger.forecast import micros, month
from proxy.ledger.prefixes import BY, Prefixes, Report, as_data, prefixes
from proxy.ledger.shown import Style, count, moment, money, share, style_for, table, text
from proxy.ledger.usage import DIMENSIONS

_HEAD = ("requests", "input", "read", "written", "hits", "saved", "surcharge", "lost", "net")
_HELP = """Of the input of all requests to providers, tokens `read` from their caches of prompts and `written` to them;
`hits` is the share that was read. `saved` is what those would have cost otherwise, `surcharge` what writing cost above
the plain price, `net` what is left. `lost` is a part of the surcharge: at least so much was paid for tokens that were
written and never read. Each row of the ledger counts at its own price. Times are UTC.

examples:
  sluicegate cache prefixes
  sluicegate cache prefixes --by route --since 7d
  sluicegate cache prefixes --by day,model --where organisation=acme --json"""


def add_prefixes(verbs: Commands, config: ArgumentParser, output: ArgumentParser, edge: Edge) -> None:
    """Add the verb. ``config`` and ``output`` are parents: --config and --json."""
    verb = verbs.add_parser(
        "prefixes",
        parents=[config, output],
        help="what providers' caches of prompts have saved, by route and model",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ", ".join(DIMENSIONS)
    verb.add_argument("--by", type=dimensions, default=BY, metavar="NAME,…", help=f"{names} (default: {','.join(BY)})")
    add_selection(verb, edge, "month")
    verb.add_argument("--limit", type=positive, default=50, metavar="N", help="lines (default: %(default)s)")
    verb.set_defaults(run=guarded(lambda args: _prefixes(args, edge)))


def _prefixes(args: argparse.Namespace, edge: Edge) -> int:
    chosen = selection(args, micros(month(edge.today)[0]))
    source = open_source(edge.place(args.config).address)
    try:
        found = prefixes(source, chosen, args.by, limit=args.limit)
    finally:
        source.close()
    if args.json:
        print(json.dumps(as_data(found) | {"since": chosen.since, "until": chosen.until or None}, indent=2))
    else:
        print(_report(found, chosen, edge, style_for(sys.stdout, edge.environ)))
    return DONE


def _report(found: Report, chosen: Selection, edge: Edge, style: Style) -> str:
    lines = [style.dim(f"{moment(chosen.since)} to {moment(chosen.until or micros(edge.today))} UTC"), ""]
    if not found.count:
        return "\n".join([*lines, "No input in this time."])
    rows = [[*map(text, group.names), *_figures(group)] for group in found.groups]
    total = [*["total", *[""] * len(found.by)][: len(found.by)], *_figures(found.total)]
    lines.append(table([*found.by, *_HEAD], rows, left=len(found.by), total=total, style=style))
    if found.count > len(found.groups):
        lines.append(style.dim(f"{count(found.count - len(found.groups))} more lines are in the total; see --limit"))
    if found.total.unpriced:
        unpriced = count(found.total.unpriced)
        lines.append(style.dim(f"{unpriced} requests have no known price: of them only tokens count"))
    return "\n".join(lines)


def _figures(group: Prefixes) -> list[str]:
    return [
        *(count(number) for number in (group.requests, group.input, group.read, group.written)),
        share(group.read, group.input),
        *(money(amount) for amount in (group.saved, group.surcharge, group.lost, group.net)),
    ]
