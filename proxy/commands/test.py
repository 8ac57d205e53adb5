"""``sluicegate test``: holds the cases of a file against the configuration, without sending anything."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from proxy.commands import DONE, FAILED, WRONG, Commands
from proxy.commands.results import Result, as_data, as_junit, as_tap, as_text, counted
from proxy.ledger.shown import style_for
from proxy.rehearsal.cases import Case, Suite
from proxy.rehearsal.explain import Explanation
from proxy.rehearsal.play import Compile, explained, rehearse
from proxy.rehearsal.quick_loop import Stuck
from proxy.rehearsal.verdict import Finding, judge

_ENDING = ".test.yaml"


class WrongFile(Exception):
    """A file has problems, which have been told; the message sums them up."""


class TestEdge(msgspec.Struct, frozen=True):
    """What the command is told of the world.

    ``read`` gives the cases of a file for a configuration, or raises ``WrongFile``; ``compile`` that configuration,
    with more environment variables. ``describe`` shows an explanation. ``now``: seconds since the epoch.
    """

    __test__ = False

    read: Callable[[Path, Path], Suite]
    compile: Callable[[Path, Mapping[str, str]], Compile]
    describe: Callable[[Explanation], str]
    environ: Mapping[str, str]
    now: Callable[[], float]


def add_test(commands: Commands, config: ArgumentParser, output: ArgumentParser, edge: TestEdge) -> None:
    """Add the command. ``config`` and ``output`` are parents: --config and --json."""
    command = commands.add_parser(
        "test",
        parents=[config, output],
        help="hold expectations against the file, sending nothing",
        description="Runs the cases of gateway.test.yaml, which stands beside gateway.yaml: given this request, key,\n"
        "time and behaviour of providers, this route, target, refusal, cost. No provider is asked, no socket opened,\n"
        "and every case begins with fresh state. Exit code 1 if a case fails, 2 if a file is wrong.\n\n"
        "example:\n  sluicegate test --config gateway.yaml --format junit --output results.xml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("files", nargs="*", type=Path, metavar="FILE", help="default: beside the configuration")
    command.add_argument("--format", choices=["text", "tap", "junit"], default="text", help="default: %(default)s")
    command.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    command.set_defaults(run=lambda args: _test(args, edge))


def beside(config: Path) -> Path:
    """Where the cases of a configuration stand: ``gateway.test.yaml`` for ``gateway.yaml``."""
    return config.with_name(config.stem + _ENDING)


def _test(args: argparse.Namespace, edge: TestEdge) -> int:
    try:
        suites = [edge.read(args.config, path) for path in args.files or [beside(args.config)]]
    except WrongFile as error:
        print(error, file=sys.stderr)
        return WRONG
    now = edge.now()
    results = [one for suite in suites for one in _run(suite, edge.compile(args.config, suite.environment), now)]
    shown = _shown(args, results, edge)
    if args.output is None:
        print(shown)
    else:
        args.output.write_text(f"{shown}\n", encoding="utf-8")
        failed = sum(not one.passed for one in results)
        print(f"{args.output}: {counted(results)}, {failed} failed", file=sys.stderr)
    return DONE if all(one.passed for one in results) else FAILED


def _run(suite: Suite, compile: Compile, now: float) -> list[Result]:
    return [_judged(suite.file, case, compile, now) for case in suite.cases]


def _judged(file: str, case: Case, compile: Compile, now: float) -> Result:
    """What is not as expected, and then why."""
    try:
        got = rehearse(compile, case, now)
    except Stuck as error:
        return Result(file, case, [Finding("end", "an answer", str(error), False)])
    wrong = judge(case.expect, got)
    return Result(file, case, wrong, got, explained(compile, case, now) if wrong else None)


def _shown(args: argparse.Namespace, results: Sequence[Result], edge: TestEdge) -> str:
    if args.json:
        return json.dumps(as_data(results), indent=2, ensure_ascii=False)
    if args.format == "tap":
        return as_tap(results, edge.describe)
    if args.format == "junit":
        return as_junit(results, edge.describe)
    style = style_for(sys.stdout, edge.environ if args.output is None else {"NO_COLOR": "1"})
    return as_text(results, edge.describe, style)
