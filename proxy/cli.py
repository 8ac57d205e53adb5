"""The command line: the composition root, the only place that knows everybody.

Exit codes: 0 done, 1 failed, 2 wrong use or wrong configuration.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import hashlib
import json
import os
import secrets
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence, Sized
from importlib.metadata import version
from pathlib import Path
from typing import Literal, cast, get_args

import msgspec

from policies.table import POLICIES, TARGETS
from proxy.addresses import reached_at, split_address
from proxy.commands import Commands, Edge, Place
from proxy.commands.asking import GatewayEdge, Unanswered
from proxy.commands.backtest import HELP as BACKTEST
from proxy.commands.backtest import BacktestEdge, add_backtest, run_backtest
from proxy.commands.cache import add_cache
from proxy.commands.cassettes import HELP as CASSETTES
from proxy.commands.cassettes import CassettesEdge, add_record, add_replay, run_replay
from proxy.commands.dev import DevEdge, add_dev
from proxy.commands.experiments import add_experiments
from proxy.commands.flags import add_flags
from proxy.commands.guard import GuardEdge, add_guard
from proxy.commands.importing import add_import
from proxy.commands.keys import KeysEdge, add_keys
from proxy.commands.ledger import add_ledger
from proxy.commands.show import add_show
from proxy.commands.test import TestEdge, WrongFile, add_test
from proxy.commands.top import add_top
from proxy.commands.usage import add_usage
from proxy.config.cases import Names, read_cases
from proxy.config.compile import Built, Tables, build
from proxy.config.schema import GATEWAY, TEST, bundle
from proxy.errors import Header
from proxy.flags.flag import NAME as FLAGS
from proxy.flags.flag import Flags
from proxy.flags.store import KeptFlags
from proxy.flags.table import Table
from proxy.importing.litellm import convert as convert_litellm
from proxy.keys.service import KeyService
from proxy.ledger.export import NoLedger
from proxy.ledger.forecast import Budget
from proxy.ledger.sqlite import NAME as LEDGER
from proxy.policy import Choice
from proxy.process import DEFAULT_STATE, Options, serve
from proxy.providers.table import PROVIDERS
from proxy.rehearsal.cases import Suite
from proxy.rehearsal.explain import Explanation, explain
from proxy.rehearsal.play import Clock, Compile
from proxy.rehearsal.stand_in import Script
from proxy.runtime import Runtime, Shared
from proxy.targets import matrix

TABLES = Tables(POLICIES, TARGETS, PROVIDERS)
DONE, FAILED, WRONG = 0, 1, 2
BudgetWindow = Literal["day", "month", "total"]
BUDGETS = get_args(BudgetWindow)  # windows in which money can run out


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the exit code."""
    args = _parser().parse_args(argv)
    code: int = args.run(args)
    return code


def _build(path: Path, shared: Shared, generation: int = 1) -> Built:
    return build(path, TABLES, environ=os.environ, shared=shared, generation=generation, now=time.time)


def _report(built: Built, path: Path) -> int:
    """Print problems and notices for people; 2 if there are problems."""
    for problem in built.problems:
        print(problem, file=sys.stderr)
    for notice in built.notices:
        print(f"notice: {notice}", file=sys.stderr)
    if built.problems:
        print(f"{path}: {_count(built.problems, 'problem')}", file=sys.stderr)
        return WRONG
    return DONE


def _serve(args: argparse.Namespace) -> int:
    return serve(args.config, TABLES, Options(workers=args.workers, listen=args.listen, log_level=args.log_level))


def _serve_text(text: str, listen: str, log_level: str | None = None) -> int:
    """Serve a file that a command has made, and leave nothing behind but what the command is for."""
    with tempfile.TemporaryDirectory(prefix="sluicegate-") as folder:
        os.environ.setdefault("SLUICEGATE_STATE_DIR", folder)
        path = Path(folder) / "gateway.yaml"
        path.write_text(text, encoding="utf-8")
        return serve(path, TABLES, Options(listen=listen, log_level=log_level))


def _serve_quietly(text: str, listen: str) -> int:
    return _serve_text(text, listen, os.environ.get("SLUICEGATE_LOG_LEVEL", "warning"))


def _check(args: argparse.Namespace) -> int:
    built = _build(args.config, Shared())
    if args.json:
        found = {
            "ok": not built.problems,
            "problems": [msgspec.to_builtins(problem) for problem in built.problems],
            "notices": [str(notice) for notice in built.notices],
        }
        print(json.dumps(found, indent=2))
        return WRONG if built.problems else DONE
    code = _report(built, args.config)
    if built.config is not None and not built.problems:
        config = built.config
        print(f"{args.config}: ok ({_count(config.routes, 'route')}, {_count(config.providers, 'provider')})")
    return code


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _explain(args: argparse.Namespace) -> int:
    shared = Shared()
    flags: Flags = shared.take(FLAGS, Flags)
    KeyService(_state(), beside=KeptFlags(flags)).load()
    built = _build(args.config, shared)
    if built.runtime is None:
        return _report(built, args.config)
    if args.body == "-":
        body = sys.stdin.buffer.read()
    elif args.body is not None:
        body = Path(args.body).read_bytes()
    else:
        body = msgspec.json.encode({"model": args.model, "messages": [{"role": "user", "content": "Hello"}]})
    headers: list[Header] = [(b"content-type", b"application/json")]
    for line in args.header:
        name, _, value = line.partition(":")
        headers.append((name.strip().lower().encode(), value.strip().encode()))
    if args.key:
        headers.append((b"authorization", b"Bearer " + args.key.encode()))
    found = asyncio.run(explain(built.runtime, args.method, args.path, headers, body))
    print(msgspec.json.format(msgspec.json.encode(found)).decode() if args.json else _describe(found))
    return DONE if found.refusal is None else FAILED


def _describe(found: Explanation) -> str:
    """An explanation as an indented text."""
    lines = [f"{found.method} {found.path}  model={found.model or '-'}  stream={'yes' if found.stream else 'no'}"]
    lines.append(f"route     {found.route or 'none'}")
    lines += [f"policy    {name}: {line}" for name, line in found.policies]
    if found.refusal is not None:
        error = found.refusal["error"]
        lines.append(f"refused   {found.refusal['status']} {error['code']}: {error['message']}")
    if found.target is not None:
        lines += ["target", *_tree(found.target, 1)]
        lines.append(f"headers   {', '.join(found.forwarded_headers) or '-'}")
    if found.body is not None:
        text = found.body if len(found.body) <= 400 else f"{found.body[:400]}… ({len(found.body)} characters)"
        lines.append(f"body      {text}")
    if found.dropped:
        lines.append(f"dropped   {', '.join(found.dropped)}")
    return "\n".join(lines)


def _tree(choice: Choice, depth: int) -> list[str]:
    mark = "→" if choice.chosen else "·"
    lines = [f"{'  ' * depth}{mark} {choice.target}: {choice.why}"]
    for child in choice.children:
        lines += _tree(child, depth + 1)
    return lines


def _schema(args: argparse.Namespace) -> int:
    if args.matrix:
        return _matrix(args)
    if args.config is not None or args.json:
        print("--config and --json belong to --matrix", file=sys.stderr)
        return WRONG
    text = json.dumps(bundle(TEST if args.test else GATEWAY), indent=2) + "\n"
    if args.output is None:
        print(text, end="")
    else:
        args.output.write_text(text)
        print(f"{args.output}: written; name it in the first line of your file:", file=sys.stderr)
        print(f"# yaml-language-server: $schema={args.output}", file=sys.stderr)
    return DONE


def _matrix(args: argparse.Namespace) -> int:
    """What models can do: by the built-in table, or by the file for its own targets."""
    if args.config is None:
        rows = matrix.built_in()
    else:
        built = _build(args.config, Shared())
        if built.runtime is None:
            return _report(built, args.config)
        rows = matrix.of_runtime(built.runtime)
    if args.json:
        print(json.dumps(matrix.as_data(rows), indent=2))
    else:
        print(f"{matrix.as_text(rows)}\n\n{matrix.LEGEND}")
    return DONE


def _keys_new(args: argparse.Namespace) -> int:
    parts = args.name.split("/")
    if len(parts) != 3 or not all(parts):
        print("NAME is organisation/team/key, for example acme/search/web", file=sys.stderr)
        return WRONG
    organisation, team, name = parts
    key = f"sk-sluice-{secrets.token_urlsafe(32)}"
    digest = "sha256:" + hashlib.sha256(key.encode()).hexdigest()
    if args.json:
        print(json.dumps({"name": args.name, "key": key, "hash": digest}))
        return DONE
    print(f"{key}\n", flush=True)
    print("Give this key to its user; it is shown once. Into the file goes only its hash:\n", file=sys.stderr)
    indented = (
        f'tenants:\n  {organisation}:\n    teams:\n      {team}:\n        keys:\n          {name}: {{hash: "{digest}"}}'
    )
    print(indented, file=sys.stderr)
    return DONE


def _state() -> Path:
    """Where the gateway keeps what survives it."""
    return Path(os.environ.get("SLUICEGATE_STATE_DIR") or DEFAULT_STATE)


def _place(path: Path) -> Place:
    """Where the ledger of a file is, and the budgets of its tenants; without the file, that of the state directory."""
    ledger = _state() / LEDGER
    if not path.exists():
        return Place(ledger)
    built = _build(path, Shared())
    if built.config is None or built.runtime is None:
        raise NoLedger(f"{path}: {built.problems[0] if built.problems else 'cannot be read'}")
    url = built.config.ledger.url
    rules = {rule.key: rule for identity in built.runtime.tenants.values() for rule in identity.rules}
    budgets = [
        Budget(rule.level, rule.scope, rule.limit.amount, cast(BudgetWindow, rule.limit.window))
        for rule in rules.values()
        if rule.limit.kind == "money" and not rule.models and not rule.per and rule.limit.window in BUDGETS
    ]
    return Place(ledger if url is None else url.reveal(), budgets)


def _cases(config: Path, path: Path) -> Suite:
    """The cases of a file, read beside the configuration that they are about."""

    def look(environment: Mapping[str, str]) -> Names | None:
        environ = {**os.environ, **environment}
        built = build(config, TABLES, environ=environ, shared=Shared(), generation=1, now=time.time)
        if built.runtime is None or built.config is None or built.runtime.identities is None:
            _report(built, config)
            return None
        providers = built.config.providers
        pruned = [notice.path.partition(".")[2] for notice in built.notices if notice.path.startswith("providers.")]
        keys = built.runtime.identities.names()
        return Names(keys, built.config.routes, providers, [name for name in pruned if name not in providers])

    suite, problems = read_cases(path, os.environ, look)
    for problem in problems:
        print(problem, file=sys.stderr)
    if suite is None:
        raise WrongFile(f"{path}: {_count(problems, 'problem')}" if problems else f"{path}: nothing was run")
    return suite


def _compile(config: Path, environment: Mapping[str, str]) -> Compile:
    """The configuration with scripted providers, which is known to have no problem."""

    def run(shared: Shared, clock: Clock, script: Script) -> Runtime:
        tables = msgspec.structs.replace(TABLES, stand_in=script.stand_in)
        environ = {**os.environ, **environment}
        built = build(config, tables, environ=environ, shared=shared, generation=1, now=clock)
        assert built.runtime is not None
        assert built.config is not None
        built.runtime.charges.needs_price = built.config.ledger.unknown_price == "refuse"
        return built.runtime

    return run


def _compile_past(config: Path) -> Compile | None:
    """The configuration for past traffic; None if it has problems, which are told."""
    built = _build(config, Shared())
    if built.runtime is not None:
        return _compile(config, {})
    _report(built, config)
    return None


def _compiled(path: Path) -> Runtime | None:
    """A file as it would be served; None if it has problems, which are told."""
    built = _build(path, Shared())
    if built.runtime is None:
        _report(built, path)
    return built.runtime


def _flags(path: Path) -> Table | None:
    """The flags of a file; None where it has problems."""
    runtime = _build(path, Shared()).runtime
    return None if runtime is None else runtime.flags


def _address(path: Path) -> str:
    """Where the gateway of a file is reached from this machine."""
    if not path.exists():
        raise Unanswered(f"{path} does not exist; say with --url which gateway is meant")
    built = _build(path, Shared())
    if built.config is None:
        raise Unanswered(f"{path} cannot be used ({built.problems[0]}); say with --url which gateway is meant")
    return reached_at(*split_address(built.config.listen))


def _version(args: argparse.Namespace) -> int:
    found = {"sluicegate": version("sluicegate"), "python": sys.version.split()[0]}
    print(json.dumps(found) if args.json else f"sluicegate {found['sluicegate']} (Python {found['python']})")
    return DONE


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="sluicegate", description="An LLM gateway: one YAML file, one process.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    config = ArgumentParser(add_help=False)
    default = Path(os.environ.get("SLUICEGATE_CONFIG", "gateway.yaml"))
    config.add_argument("--config", type=Path, default=default, metavar="FILE", help="default: %(default)s")
    output = ArgumentParser(add_help=False)
    output.add_argument("--json", action="store_true", help="print JSON")

    _add_file(commands, config, output)
    command = commands.add_parser("keys", help="make API keys")
    verbs = command.add_subparsers(metavar="VERB", required=True)
    verb = verbs.add_parser("new", parents=[output], help="make a key and print it with its hash")
    verb.add_argument("name", metavar="ORGANISATION/TEAM/KEY")
    verb.set_defaults(run=_keys_new)
    kept = KeysEdge(lambda file: _state(), getpass.getuser(), time.time)
    add_keys(verbs, config, output, kept)
    add_flags(commands, config, output, kept, _flags)

    edge = Edge(_place, os.environ, time.time)
    _add_kept(commands, config, output, edge)
    add_test(commands, config, output, TestEdge(_cases, _compile, _describe, os.environ, time.time))
    cassettes = CassettesEdge(_serve_text, os.environ)
    add_guard(commands, config, output, GuardEdge(_compiled, os.environ))
    add_dev(commands, output, DevEdge(_serve_quietly, os.environ))
    add_record(commands, cassettes)
    _add_replay(commands, config, output, edge, cassettes)
    reached = GatewayEdge(_address, os.environ)
    add_show(commands, config, output, reached)
    add_top(commands, config, output, reached)
    add_cache(commands, config, output, reached, _state, edge)
    add_import(commands, output, convert_litellm)

    command = commands.add_parser("version", parents=[output], help="print the version")
    command.set_defaults(run=_version)
    return parser


def _add_file(commands: Commands, config: ArgumentParser, output: ArgumentParser) -> None:
    """Commands about the file alone."""
    command = commands.add_parser("serve", parents=[config], help="run the gateway")
    command.add_argument("--listen", metavar="HOST:PORT", help="instead of the file's `listen`")
    command.add_argument("--workers", type=int, default=1, metavar="N", help="processes, each reloading by itself")
    level = os.environ.get("SLUICEGATE_LOG_LEVEL")
    command.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default=level)
    command.set_defaults(run=_serve)

    command = commands.add_parser("check", parents=[config, output], help="find every problem of the file")
    command.set_defaults(run=_check)

    command = commands.add_parser(
        "explain", parents=[config, output], help="show what a request would meet, sending nothing"
    )
    command.add_argument("--model", default="default", help="model of the sample request (default: %(default)s)")
    command.add_argument("--method", default="POST")
    command.add_argument("--path", default="/v1/chat/completions", help="default: %(default)s")
    command.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    command.add_argument("--key", help="API key of the caller")
    command.add_argument("--body", metavar="FILE", help="request body instead of the sample; - is standard input")
    command.set_defaults(run=_explain)

    command = commands.add_parser("schema", help="print or write the JSON Schema of the file, for editors")
    command.add_argument("--output", type=Path, metavar="FILE")
    command.add_argument("--test", action="store_true", help="that of `gateway.test.yaml` instead")
    command.add_argument("--matrix", action="store_true", help="print what models can do instead")
    command.add_argument("--config", type=Path, metavar="FILE", help="with --matrix: the targets of this file")
    command.add_argument("--json", action="store_true", help="with --matrix: print JSON")
    command.set_defaults(run=_schema)


def _add_kept(commands: Commands, config: ArgumentParser, output: ArgumentParser, edge: Edge) -> None:
    """Commands that read what the gateway has kept."""
    add_usage(commands, config, output, edge)
    add_ledger(commands, config, output, edge)
    add_experiments(commands, output, edge, _state)


def _add_replay(
    commands: Commands, config: ArgumentParser, output: ArgumentParser, edge: Edge, cassettes: CassettesEdge
) -> None:
    """What is replayed is told by the arguments."""
    form = argparse.RawDescriptionHelpFormatter
    command = commands.add_parser(
        "replay",
        parents=[config, output],
        help="serve cassettes, or run the past through another file",
        description=f"{CASSETTES}\n\n{BACKTEST}",
        formatter_class=form,
    )
    add_replay(command)
    add_backtest(command, edge)
    backtest = BacktestEdge(edge, _compile_past)

    def run(args: argparse.Namespace) -> int:
        if args.ledger is None and not args.cassettes:
            command.error("say what: a cassette, or --ledger")
        return run_replay(args, cassettes) if args.ledger is None else run_backtest(args, backtest)

    command.set_defaults(run=run)


if __name__ == "__main__":
    sys.exit(main())
