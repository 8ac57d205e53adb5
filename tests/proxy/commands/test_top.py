"""``sluicegate top``, beside a server that says what a gateway would: as lines, as JSON, and on a terminal."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from proxy.commands.asking import GatewayEdge
from proxy.commands.top import add_top
from tests.support.environment import ROOT, clean_environment
from tests.support.receipts import shown_as_json

PROGRAM = """
import argparse, sys
from proxy.commands.asking import GatewayEdge
from proxy.commands.top import add_top
parser = argparse.ArgumentParser()
none = argparse.ArgumentParser(add_help=False)
output = argparse.ArgumentParser(add_help=False)
output.add_argument("--json", action="store_true")
add_top(parser.add_subparsers(), none, output, GatewayEdge(lambda path: "", {}))
args = parser.parse_args(sys.argv[1:])
sys.exit(args.run(args))
"""


class Server:
    """Sends these lines to whoever follows, and ends when it is told to. ``asked``: the queries that came."""

    def __init__(self, *lines: bytes) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.goes_on = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path.partition("?")[2])
                self.send_response(server.status)
                self.end_headers()
                if server.status == 200:
                    self.wfile.write(b"".join(line + b"\n" for line in lines))
                    server.goes_on.wait(20)
                else:
                    self.wfile.write(b'{"error": {"message": "No valid admin key.\\u001b[2J"}}')

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self.goes_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    """Of two requests, one of which came after a pause and some that were missed."""
    first, second = (json.dumps(shown_as_json(id) | {"route": id}).encode() for id in ("req_a", "req_b"))
    made = Server(first, b"", b'{"missed": 3}', second)
    yield made
    made.close()


def _run(*words: str) -> int:
    parser, none = argparse.ArgumentParser(), argparse.ArgumentParser(add_help=False)
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--json", action="store_true")
    add_top(parser.add_subparsers(), none, output, GatewayEdge(lambda path: "", {}))
    args = parser.parse_args(["top", *words])
    code: int = args.run(args)
    return code


def test_lines(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no terminal is: a heading, then one for each, from now on."""
    server.goes_on.set()
    assert _run("--url", server.url, "--status", "4xx", "--caller", "web") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["time", "status", "route"]
    assert [line.split()[2] for line in (lines[1], lines[3])] == ["req_a", "req_b"]
    assert lines[2] == "(3 came too fast to be shown)"
    assert server.asked == ["status=4xx&key=web&limit=0&follow=true"]


def test_json(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.goes_on.set()
    assert _run("--url", server.url, "--json") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one.get("id") for one in found] == ["req_a", None, "req_b"]


def test_a_gateway_that_refuses(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own words, and nothing that moves a cursor."""
    server.status = 401
    assert _run("--url", server.url) == 1
    assert capsys.readouterr().err == "No valid admin key.?[2J\n"


class Terminal:
    """A terminal of 20 lines with the program on it."""

    def __init__(self, *words: str) -> None:
        self._main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 110, 0, 0))
        self.before = termios.tcgetattr(other)
        environment = clean_environment(PYTHONPATH=str(ROOT), TERM="xterm")
        command = [sys.executable, "-c", PROGRAM, "top", *words]
        self._process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, env=environment)
        self._other = other
        self._seen = b""

    def until(self, text: str, timeout: float = 20.0) -> str:
        """What was drawn until that was, since the last time."""
        end = time.monotonic() + timeout
        while text.encode() not in self._seen:
            assert time.monotonic() < end, self._seen.decode()[-3000:]
            if select.select([self._main], [], [], 0.2)[0]:
                self._seen += os.read(self._main, 65_536)
        found, self._seen = self._seen.decode(), b""
        return found

    def type(self, keys: bytes) -> None:
        """Press these."""
        os.write(self._main, keys)

    def ended(self) -> tuple[int, list[Any]]:
        """Its exit code, and how it left the terminal."""
        code = self._process.wait(10)
        return code, termios.tcgetattr(self._other)

    def close(self) -> None:
        """Take it away."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._main)
        os.close(self._other)


def test_on_a_terminal(server: Server) -> None:
    """Select, open, close, leave; then the terminal is as it was."""
    terminal = Terminal("--url", server.url)
    try:
        seen = terminal.until("2 requests")
        assert "\x1b[?1049h" in seen
        assert "3 came too fast" in terminal.until("req_a") or "3 came too fast" in seen
        terminal.type(b"\x1b[B\r")
        opened = terminal.until("Esc goes back")
        assert "attempts  up/fast ok 200" in opened
        terminal.type(b"\x1b")
        terminal.until("Enter opens")
        terminal.type(b"q")
        terminal.until("\x1b[?1049l")
        assert terminal.ended() == (0, terminal.before)
        assert server.asked == ["limit=100&follow=true"]
    finally:
        terminal.close()
