"""``sluicegate dev``: a gateway without a file, made of the keys and the local servers that are there."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO

import msgspec

from proxy.commands import DONE, FAILED, WRONG, Commands
from proxy.commands.asking import Gateway, Unanswered
from proxy.commands.live import View
from proxy.commands.top import FIRST, watch_requests
from proxy.development.file import Keys, file_of, notices_of, sample_of
from proxy.development.probing import probe
from proxy.development.ready import ready
from proxy.development.services import Server, keys_in, ports_in
from proxy.ledger.shown import style_for

PORT = 8080
_TRIES = 20  # ports, from that one on
_MAX_PORT = 65535
_STARTS_WITHIN = 30.0  # seconds
_ENDS_WITHIN = 2.0  # seconds for requests under way, and as much again for saying goodbye
_TOLD = 4000  # bytes of its log that are shown when it could not go on
_QUERY = {"limit": str(FIRST)}


class DevEdge(msgspec.Struct, frozen=True):
    """``serve``: serve this text of a file at this address; gives the exit code. ``environ``: has providers' keys."""

    serve: Callable[[str, str], int]
    environ: Mapping[str, str]


class Found(msgspec.Struct, frozen=True):
    """What there is on this machine."""

    keys: Keys
    servers: list[Server]

    @classmethod
    def on_this_machine(cls, environ: Mapping[str, str]) -> Found:
        """Look into the environment, and ask the ports of local servers."""
        return cls(keys_in(environ), probe(ports_in(environ)))

    @property
    def notices(self) -> list[str]:
        return notices_of(self.keys, self.servers)

    def file(self, port: int) -> str:
        """The file, which says where to listen unless that goes without saying."""
        listen = "" if port == PORT else f"listen: 127.0.0.1:{port}\n\n"
        return listen + file_of(self.keys, self.servers)

    def ready(self, url: str) -> list[str]:
        """What to paste."""
        has_claude = any(service.name == "anthropic" for service, _ in self.keys)
        return ready(url, sample_of(self.keys, self.servers), has_claude=has_claude)


def add_dev(commands: Commands, output: ArgumentParser, edge: DevEdge) -> None:
    """Add the command."""
    command = commands.add_parser(
        "dev",
        parents=[output],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        help="serve what this machine has, without a file, and show its requests",
        description="Finds keys of providers in the environment, and Ollama, LM Studio, vLLM and llama.cpp at their\n"
        "usual ports; makes a file of them, prints it, and serves it. On a terminal requests are shown as\n"
        "they end: Enter opens one. Nothing is kept, unless SLUICEGATE_STATE_DIR says where.\n\n"
        "examples:\n  sluicegate dev\n  sluicegate dev --write gateway.yaml",
    )
    help = f"on 127.0.0.1 (default: {PORT}, or the next one that is free)"
    command.add_argument("--port", type=_port, metavar="N", help=help)
    command.add_argument("--write", type=Path, metavar="FILE", help="write the file instead of serving it")
    command.add_argument("--force", action="store_true", help="with --write: also over a file that is there")
    command.add_argument("--plain", action="store_true", help="a line for each request, on a terminal too")
    command.set_defaults(run=lambda args: _dev(args, edge))


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to {_MAX_PORT}")
    return int(text)


def _dev(args: argparse.Namespace, edge: DevEdge) -> int:
    if args.force and args.write is None:
        print("--force belongs to --write", file=sys.stderr)
        return WRONG
    found = Found.on_this_machine(edge.environ)
    if args.json:
        print(json.dumps(_as_data(found, args.port or PORT), indent=2))
        return DONE
    if args.write is not None:
        return _write(args, found)
    port = next((one for one in _wanted(args.port) if _is_free(one)), None)
    if port is None:
        print(f"port {args.port or PORT} is taken; say with --port which one to take instead", file=sys.stderr)
        return FAILED
    if args.port is None and port != PORT:
        print(f"notice: port {PORT} is taken, so this is {port}", file=sys.stderr)
    return _serve(args, edge, found, port)


def _as_data(found: Found, port: int) -> dict[str, object]:
    return {
        "keys": [{"provider": service.name, "variable": variable} for service, variable in found.keys],
        "servers": [msgspec.to_builtins(server) for server in found.servers],
        "notices": found.notices,
        "file": found.file(port),
    }


def _write(args: argparse.Namespace, found: Found) -> int:
    try:
        with args.write.open("w" if args.force else "x", encoding="utf-8") as file:
            file.write(found.file(args.port or PORT))
    except FileExistsError:
        print(f"{args.write} is there already; --force writes over it", file=sys.stderr)
        return FAILED
    except OSError as error:
        print(error, file=sys.stderr)
        return FAILED
    for notice in found.notices:
        print(f"notice: {notice}", file=sys.stderr)
    print(f"{args.write}: written; serve it with: sluicegate serve --config {args.write}")
    return DONE


def _wanted(port: int | None) -> Iterator[int]:
    """The one that was asked for, and no other; or the usual one and those after it."""
    yield from range(PORT, PORT + _TRIES) if port is None else (port,)


def _is_free(port: int) -> bool:
    """Whether nobody listens there, at this address or at all of them."""
    with socket.socket() as client:
        if client.connect_ex(("127.0.0.1", port)) == 0:
            return False
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _serve(args: argparse.Namespace, edge: DevEdge, found: Found, port: int) -> int:
    """The gateway serves in a process of its own, and this one shows its requests: its log spoils no screen."""
    text, style = found.file(port), style_for(sys.stdout, edge.environ)
    print("\n".join(style.dim(line) if line else "" for line in text.splitlines()), end="\n\n")
    for notice in found.notices:
        print(f"notice: {notice}")
    gateway = Gateway(f"http://127.0.0.1:{port}")
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell in the background has left one ignored
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryFile() as log:
        forked = multiprocessing.get_context("fork")  # all is imported already, which takes the better part of a second
        child = forked.Process(target=_be_gateway, args=(edge, text, f"127.0.0.1:{port}", log), daemon=True)
        code = DONE
        try:
            child.start()
            feed = _reach(child, gateway)
            lines = [f"Ready on {gateway.url}. Ctrl-C ends it.", *found.ready(gateway.url)]
            print("\n".join(["", *lines, ""]), flush=True)
            is_screen = not args.plain and sys.stdin.isatty() and sys.stdout.isatty()
            view = View(gateway.url, style, hints=lines) if is_screen else None
            watch_requests(gateway, _QUERY, feed, view)
            if view is None:  # then it is the gateway that ended
                child.join(_ENDS_WITHIN)
        except Unanswered as error:
            print(error, file=sys.stderr)
            code = FAILED
        except KeyboardInterrupt:
            code = DONE
        finally:
            has_ended = not child.is_alive()
            _stop(child)
        if has_ended:
            print(f"the gateway has ended:\n{_end_of(log)}", file=sys.stderr)
            return FAILED
    return code


def _be_gateway(edge: DevEdge, text: str, listen: str, log: IO[bytes]) -> None:
    """The life of the other process. Signals of the terminal are not for it: it ends when it is told to."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number in (1, 2):
        os.dup2(log.fileno(), number)
    threading.Thread(target=_end_with_parent, daemon=True, name="end with parent").start()
    sys.exit(edge.serve(text, listen))


def _end_with_parent() -> None:
    """Whatever becomes of the process that shows requests, none is left behind that serves them."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


def _reach(child: BaseProcess, gateway: Gateway) -> Iterator[bytes]:
    """Its receipts, as soon as it listens.

    Raises:
        Unanswered: it has ended, or does not begin.
    """
    end = time.monotonic() + _STARTS_WITHIN
    while True:
        try:
            return gateway.follow(_QUERY)
        except Unanswered as error:
            child.join(0.005)
            if error.status or not child.is_alive() or time.monotonic() > end:
                raise


def _stop(child: BaseProcess) -> None:
    """End it, and do not let impatience leave it behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for _ in range(2):  # at the second word it cuts short what is under way
        if child.is_alive():
            child.terminate()
            child.join(_ENDS_WITHIN)
    if child.is_alive():
        child.kill()
        child.join()


def _end_of(log: IO[bytes]) -> str:
    """The last that it said."""
    log.seek(max(0, log.seek(0, os.SEEK_END) - _TOLD))
    return log.read().decode("utf-8", "replace").strip()
