"""``sluicegate import``: another gateway's file, written anew, and a list of what could not be carried."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from proxy.commands import DONE, FAILED, WRONG, Commands
from proxy.importing.imported import Imported

Convert = Callable[[bytes, str], Imported]
_MOST = 8 << 20  # bytes of a file


def add_import(commands: Commands, output: ArgumentParser, litellm: Convert) -> None:
    """Add the command. ``output`` is a parent: --json."""
    command = commands.add_parser("import", help="write the file of another gateway anew")
    verbs = command.add_subparsers(metavar="GATEWAY", required=True)
    verb = verbs.add_parser(
        "litellm",
        parents=[output],
        help="LiteLLM's config.yaml",
        description="Writes the equivalent file, and lists every key that it could not carry, with its place. Secrets "
        "are never copied: references to the environment stay references, and a secret in plain text becomes one.\n\n"
        "Exit code 0 if everything was carried, 1 if something was not (the file is written), 2 if there is no file to "
        "write.\n\nexample:\n  sluicegate import litellm config.yaml --output gateway.yaml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument("file", type=Path, metavar="CONFIG", help="the file to read")
    verb.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    verb.add_argument("--force", action="store_true", help="overwrite FILE")
    verb.set_defaults(run=lambda args: _import(args, litellm))


def _import(args: argparse.Namespace, convert: Convert) -> int:
    if args.output is not None and args.output.exists() and not args.force:
        print(f"{args.output}: is there already; --force overwrites it", file=sys.stderr)
        return WRONG
    try:
        with args.file.open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        print(f"{args.file}: {error.strerror}", file=sys.stderr)
        return WRONG
    if len(data) > _MOST:
        print(f"{args.file}: is larger than {_MOST >> 20} MiB", file=sys.stderr)
        return WRONG
    found = convert(data, str(args.file))
    if args.output is not None and found.text:
        args.output.write_text(found.text, encoding="utf-8")
    if args.json:
        print(json.dumps({"ok": not (found.lost or found.problems)} | msgspec.to_builtins(found), indent=2))
    else:
        _tell(args, found)
    return WRONG if found.problems else FAILED if found.lost else DONE


def _tell(args: argparse.Namespace, found: Imported) -> None:
    """The file to standard output if it goes nowhere else; everything else to standard error."""
    for problem in found.problems:
        print(problem, file=sys.stderr)
    if args.output is None and found.text:
        print(found.text, end="")
    for one in found.lost:
        print(f"{args.file}:{one.line}:{one.col} {one.path}: {one.text}", file=sys.stderr)
    counts = Counter(one.outcome for one in found.findings)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("carried", "needless", "not carried"))
    print(f"{args.file}: {told}", file=sys.stderr)
    if found.variables:
        print(f"needs in the environment: {', '.join(found.variables)}", file=sys.stderr)
