"""``sluicegate show``: the receipt of a request, for people."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from proxy.commands import DONE, FAILED, Commands
from proxy.commands.asking import Gateway, GatewayEdge, Unanswered, add_address
from proxy.ledger.shown import Style, count, dollars, style_for

_WIDTH = 10  # of the first column
_TOKENS = {"input": "in", "output": "out"}
Receipt = dict[str, Any]


def add_show(commands: Commands, config: ArgumentParser, output: ArgumentParser, edge: GatewayEdge) -> None:
    """Add ``show``."""
    command = commands.add_parser("show", parents=[config, output], help="show the receipt of a request")
    command.add_argument("id", metavar="REQUEST_ID", help="an answer's header `x-request-id`")
    add_address(command)
    command.set_defaults(run=lambda args: _show(args, edge))


def _show(args: argparse.Namespace, edge: GatewayEdge) -> int:
    try:
        found = json.loads(Gateway.of(args, edge).receipt(args.id))
    except (Unanswered, ValueError) as error:
        print(error, file=sys.stderr)
        return FAILED
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(lines(found, style_for(sys.stdout, edge.environ))))
    return DONE


def safe(value: Any, most: int = 400) -> str:
    """A text that moves no cursor."""
    text = str(value)
    found = "".join(letter if letter.isprintable() else "?" for letter in text[:most])
    return found if len(text) <= most else f"{found[: most - 1]}…"


def answered(receipt: Receipt) -> str:
    """The model that was asked for, and who answered."""
    model, target = receipt.get("model") or "-", receipt.get("target")
    return safe(f"{model} → {target}" if target else model, 200)


def caller(receipt: Receipt) -> str:
    """Organisation, team and key."""
    parts = [receipt.get(name) for name in ("organisation", "team", "key")]
    return safe("/".join(part for part in parts if part) or "-", 200)


def lines(receipt: Receipt, style: Style) -> list[str]:
    """The whole receipt, a line for each fact."""
    found = [style.bold(safe(receipt["id"])), *(f"{head:<{_WIDTH}}{text}" for head, text in _facts(receipt, style))]
    for name in ("request", "response"):
        if receipt.get(name):
            found += ["", style.bold(name), *_text(receipt[name])]
    return found


def _facts(receipt: Receipt, style: Style) -> Iterator[tuple[str, str]]:
    yield "time", safe(f"{receipt['time']}  {receipt['method']} {receipt['path']}")
    end = [str(receipt["status"]), receipt["code"] or "", receipt["end"], "streamed" if receipt["stream"] else ""]
    ended = safe(" ".join(part for part in end if part))
    yield "status", ended if receipt["status"] < 400 and receipt["end"] == "complete" else style.red(ended)
    yield "model", f"{answered(receipt)}  route {safe(receipt['route'] or '-')}, generation {receipt['generation']}"
    tags = " ".join(f"{name}={value}" for name, value in receipt["tags"].items())
    yield "key", caller(receipt) + (f"  {safe(tags)}" if tags else "")
    took = f"{_ms(receipt['duration_ms'])}, of which the gateway {_ms(receipt['overhead_ms'])}"
    yield "took", took + (f", first byte after {_ms(first)}" if (first := receipt["first_byte_ms"]) is not None else "")
    counting = "" if receipt["settled"] else "  (still being counted)"
    yield "tokens", tokens(receipt["tokens"]) + counting
    yield "cost", dollars(receipt["cost_usd"]) + counting
    for name in ("cache", "variant", "degraded"):
        if receipt[name]:
            yield name, safe(receipt[name])
    if receipt["dropped"]:
        yield "dropped", safe(", ".join(receipt["dropped"]))
    yield from _titled("policies", (_policy(one, style) for one in receipt["policies"]))
    yield from _titled("skipped", (safe(f"{one['target']}: {one['reason']}") for one in receipt["skipped"]))
    yield from _titled("attempts", (_attempt(one, style) for one in receipt["attempts"]))
    yield from _titled("limits", (_limit(one) for one in receipt["limits"]))
    yield from _titled("notes", (safe(f"{name}: {note}") for name, note in receipt["notes"].items()))
    yield from _titled("headers", (safe(f"{name}: {value}") for name, value in receipt["headers"].items()))


def _titled(title: str, texts: Iterator[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        yield title, text
        title = ""


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.2f} ms"


def tokens(by_class: dict[str, int]) -> str:
    """``9 in, 14 out, 5 cached read``."""
    named = (f"{count(number)} {_TOKENS.get(name, name.replace('_', ' '))}" for name, number in by_class.items())
    return ", ".join(named) or "none"


def _policy(one: Receipt, style: Style) -> str:
    took = "" if one["microseconds"] is None else f"  {one['microseconds']:,.0f} µs"
    line = safe(f"{one['name']} {one['verdict']}{took}" + (f"  {one['note']}" if one["note"] else ""))
    return line if one["verdict"] == "passed" else style.red(line)


def _attempt(one: Receipt, style: Style) -> str:
    ended = [one["outcome"], one["reason"], one["status"]]
    line = f"{one['target']} {' '.join(str(part) for part in ended if part)}"
    line += f"  at {_ms(one['started_ms'])} for {_ms(one['duration_ms'])}"
    if one["cost_usd"] is not None:
        line += f"  {tokens(one['tokens'])}, {dollars(one['cost_usd'])}"
        told = [one["source"], one["price"] and f"price {one['price']}", *one["flags"]]
        line += f" ({', '.join(part for part in told if part)})" if any(told) else ""
    return safe(line) if one["outcome"] == "ok" else style.red(safe(line))


def _limit(one: Receipt) -> str:
    used, left = (dollars(one[name]) if one["kind"] == "money" else count(one[name]) for name in ("used", "left"))
    return safe(f"{one['level']} {one['scope']}: {one['limit']}, {used} used, {left} left")


def _text(body: Receipt) -> list[str]:
    found = [safe(line, 2000) for line in body["text"].splitlines()]
    return [*found, "… (there was more)"] if body["cut"] else found
