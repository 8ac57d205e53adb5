"""``sluicegate record`` and ``sluicegate replay``: a gateway made ready to fill a cassette, or to answer from some.

Both write a small file of configuration and serve it; for anything more, put the policy `record` or a provider of
``kind: replay`` into a file of your own.
"""

from __future__ import annotations

import argparse
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from proxy.cassettes.deck import Mode
from proxy.cassettes.player import pace
from proxy.commands import Commands
from proxy.providers.presets import PRESETS

HELP = """Serves cassettes, without any provider.

example:
  sluicegate replay cassettes/chat.yaml"""
LISTEN = "127.0.0.1:8080"
_KINDS = ("openai", "anthropic", "gemini", "mistral", "cohere")


class CassettesEdge(msgspec.Struct, frozen=True):
    """``serve``: serve this text of a file at this address; gives the exit code. ``environ``: has providers' keys."""

    serve: Callable[[str, str], int]
    environ: Mapping[str, str]


def add_record(commands: Commands, edge: CassettesEdge) -> None:
    """Add the command."""
    command = commands.add_parser(
        "record",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        help="serve a provider and record a cassette",
        description="Passes every request on, and keeps request and answer. The provider's key comes from the\n"
        "environment (OPENAI_API_KEY …) and never gets into the cassette.\n\n"
        "example:\n  sluicegate record --upstream openai --cassette cassettes/chat.yaml",
    )
    command.add_argument("--upstream", required=True, metavar="KIND|PRESET|URL", help=f"{', '.join(_KINDS)}, groq, …")
    command.add_argument("--cassette", required=True, type=Path, metavar="FILE")
    command.add_argument("--mode", choices=get_args(Mode), default="once", help="default: %(default)s")
    command.add_argument("--kind", choices=_KINDS, default="openai", help="of a URL (default: %(default)s)")
    command.add_argument("--key-env", metavar="NAME", help="variable of the key (default: KIND_API_KEY)")
    _add_how(command)
    command.set_defaults(run=lambda args: edge.serve(_text(_recording(args, edge.environ)), args.listen))


def add_replay(command: ArgumentParser) -> None:
    """Add the arguments to ``replay``; with cassettes its run is ``run_replay``."""
    command.add_argument("cassettes", nargs="*", type=Path, metavar="CASSETTE", help="looked through in turn")
    _add_how(command)


def run_replay(args: argparse.Namespace, edge: CassettesEdge) -> int:
    """Serve them."""
    return edge.serve(_text(_replaying(args, args.cassettes)), args.listen)


def _add_how(command: ArgumentParser) -> None:
    command.add_argument("--listen", metavar="HOST:PORT", default=LISTEN, help="default: %(default)s")
    command.add_argument("--match", choices=("lenient", "strict"), default="lenient", help="default: %(default)s")
    command.add_argument(
        "--speed", type=_speed, default="instant", help="instant, recorded, or 2x (default: %(default)s)"
    )


def _speed(text: str) -> str:
    try:
        pace(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _text(config: dict[str, Any]) -> str:
    """JSON is YAML."""
    return msgspec.json.format(msgspec.json.encode(config), indent=2).decode()


def _replaying(args: argparse.Namespace, cassettes: list[Path]) -> dict[str, Any]:
    """A provider for each cassette; what one has not, the next may have."""
    providers = {
        f"cassette{at}": {"kind": "replay", "cassette": _path(path), "match": args.match, "speed": args.speed}
        for at, path in enumerate(cassettes, 1)
    }
    targets = [f"{name}/*" for name in providers]
    target = targets[0] if len(targets) == 1 else {"fallback": targets}
    return {"providers": providers, "routes": {"all": {"target": target}}}


def _recording(args: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    """The provider behind the policy. Where nothing will be asked of it, it needs no key."""
    if args.mode == "none" or (args.mode == "once" and args.cassette.exists() and args.cassette.stat().st_size):
        return _replaying(args, [args.cassette])
    named = args.upstream
    provider: dict[str, Any] = {"kind": named}
    if "://" in named:
        provider = {"kind": args.kind, "base_url": named}
    elif named in PRESETS:
        provider = {"kind": "openai", "preset": named}
    key = args.key_env or f"{args.kind if '://' in named else named}_API_KEY".upper()
    if "://" not in named or args.key_env is not None or key in environ:  # a server of one's own may want none
        provider["api_key"] = f"${{env:{key}}}"
    record = {"cassette": _path(args.cassette), "mode": args.mode, "match": args.match, "speed": args.speed}
    return {
        "providers": {"upstream": provider},
        "routes": {"all": {"policies": [{"record": record}], "target": "upstream/*"}},
    }


def _path(path: Path) -> str:
    """As the file has it, which stands elsewhere. Dollars begin a reference there."""
    return str(path.absolute()).replace("${", "$${")
