"""``sluicegate top``: the requests of a running gateway, as they end; on a terminal to look around in."""

from __future__ import annotations

import argparse
import json
import os
import queue
import select
import sys
import termios
import threading
import tty
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from proxy.commands import DONE, FAILED, Commands
from proxy.commands.asking import Gateway, GatewayEdge, Unanswered, add_address
from proxy.commands.live import View, heading, keys, row
from proxy.ledger.shown import style_for

_FILTERS = ("route", "model", "status", "organisation", "team", "caller")
FIRST = 100  # that are shown at once
_AGAIN = 2.0  # seconds until another try to connect
_LOOK = 1.0  # seconds until the screen is drawn again, if nothing happens: it may have another size
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"  # the other screen, without a cursor
Heard = dict[str, Any] | str  # a receipt, or why there are none


def add_top(commands: Commands, config: ArgumentParser, output: ArgumentParser, edge: GatewayEdge) -> None:
    """Add ``top``."""
    command = commands.add_parser("top", parents=[config, output], help="watch the requests of a running gateway")
    add_address(command)
    for name in _FILTERS:
        metavar = "429 or 4xx" if name == "status" else "NAME"
        command.add_argument(f"--{name}", default="", metavar=metavar, help=f"only of this {name}")
    command.set_defaults(run=lambda args: _top(args, edge))


def _top(args: argparse.Namespace, edge: GatewayEdge) -> int:
    wanted = {"key" if name == "caller" else name: getattr(args, name) for name in _FILTERS if getattr(args, name)}
    is_screen = not args.json and sys.stdin.isatty() and sys.stdout.isatty()
    query = {**wanted, "limit": str(FIRST if is_screen else 0)}
    try:
        gateway = Gateway.of(args, edge)
        feed = gateway.follow(query)
        view = View(gateway.url, style_for(sys.stdout, edge.environ)) if is_screen else None
        watch_requests(gateway, query, feed, view, as_json=args.json)
    except Unanswered as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return DONE
    return DONE


def watch_requests(
    gateway: Gateway, query: dict[str, str], feed: Iterator[bytes], view: View | None, *, as_json: bool = False
) -> None:
    """Show what the gateway answered to ``query``, and goes on to answer: in ``view``, or as lines without one.

    Raises:
        Unanswered: the connection broke, where there is no view to say so.
        KeyboardInterrupt: enough was seen.
    """
    try:
        if view is not None:
            _watch(view, gateway, query, feed)
        else:
            _print(feed, as_json=as_json)
    except BrokenPipeError:  # nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(feed: Iterator[bytes], *, as_json: bool) -> None:
    """A line for each."""
    if not as_json:
        print(heading(), flush=True)
    for line in feed:
        if not line:
            continue
        if as_json:
            print(line.decode(), flush=True)
        elif "missed" in (found := json.loads(line)):
            print(f"({found['missed']} came too fast to be shown)", flush=True)
        else:
            print(row(found), flush=True)


class _Ear(threading.Thread):
    """Listens to the gateway, and to the next one at that address. ``bell`` can be read when something was heard."""

    def __init__(self, gateway: Gateway, query: dict[str, str], feed: Iterator[bytes]) -> None:
        super().__init__(daemon=True, name="follow")
        self.heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self.bell, self._ring = os.pipe()
        self._gateway, self._query, self._feed = gateway, query, feed
        self._never = threading.Event()

    def run(self) -> None:
        while True:
            try:
                for line in self._feed:
                    if line:
                        self._tell(json.loads(line))
                self._tell("the gateway has ended")
            except (Unanswered, ValueError) as error:
                self._tell(str(error))
            self._never.wait(_AGAIN)
            try:
                self._feed = self._gateway.follow(self._query)
            except Unanswered as error:
                self._feed = iter(())
                self._tell(str(error))

    def _tell(self, what: Heard) -> None:
        self.heard.put(what)
        os.write(self._ring, b".")


def _watch(view: View, gateway: Gateway, query: dict[str, str], feed: Iterator[bytes]) -> None:
    """Draw, and do what keys say, until one says to leave."""
    ear = _Ear(gateway, query, feed)
    ear.start()
    with _screen(sys.stdin, sys.stdout):
        while not view.is_over:
            size = os.get_terminal_size(sys.stdout.fileno())
            drawn = "\x1b[K\n".join(view.screen(size.columns, size.lines))
            sys.stdout.write(f"\x1b[H{drawn}\x1b[K\x1b[J")
            sys.stdout.flush()
            ready, _, _ = select.select([sys.stdin, ear.bell], [], [], _LOOK)
            if ear.bell in ready:
                os.read(ear.bell, 4096)
                while not ear.heard.empty():
                    what = ear.heard.get()
                    if isinstance(what, str):
                        view.problem = what
                    else:
                        view.add(what)
            if sys.stdin in ready:
                typed = os.read(sys.stdin.fileno(), 1024)
                for key in keys(typed) if typed else ("quit",):
                    view.press(key)


@contextmanager
def _screen(stdin: TextIO, stdout: TextIO) -> Iterator[None]:
    """A screen of our own, with each key at once; as it was before when that ends, however."""
    before = termios.tcgetattr(stdin)
    try:
        tty.setcbreak(stdin, termios.TCSADRAIN)  # what was typed ahead counts
        stdout.write(_ENTER)
        yield
    finally:
        stdout.write(_LEAVE)
        stdout.flush()
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
