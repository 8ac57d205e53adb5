"""``sluicegate cache``, as it is typed, beside a server that answers as a gateway does: tests/e2e/test_cache.py."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from proxy.commands import Edge, Place
from proxy.commands.asking import GatewayEdge
from proxy.commands.cache import add_cache

CACHE = {
    "route": "chat",
    "store": "memory",
    "entries": 3,
    "size": 3 * 2**19,
    "requests": {"hit": 6, "miss": 2},
    "hit_rate": 0.75,
    "saved": {"cost": 0.0125, "seconds": 61.2, "tokens": 9},
}
LEDGER = Edge(lambda path: Place(Path("nowhere")), {}, lambda: 0.0)
Run = Callable[..., int]


class _Gateway(BaseHTTPRequestHandler):
    heard: list[Any]

    def _answer(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer({"caches": [CACHE]})

    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.heard.append((self.path, order))
        self._answer({"tag": order["tag"], "route": order.get("route"), "entries": 2})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def heard() -> list[Any]:
    return []


@pytest.fixture
def run(heard: list[Any]) -> Iterator[Run]:
    """Runs the verb with these arguments."""
    handler = type("Handler", (_Gateway,), {"heard": heard})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        parser = argparse.ArgumentParser()
        config, output = argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
        config.add_argument("--config", type=Path, default=Path("gateway.yaml"))
        output.add_argument("--json", action="store_true")
        commands = parser.add_subparsers(required=True)
        url = f"http://127.0.0.1:{server.server_port}"
        add_cache(commands, config, output, GatewayEdge(lambda path: url, {"NO_COLOR": "1"}), Path, LEDGER)

        def go(*words: str) -> int:
            args = parser.parse_args(["cache", *words])
            code: int = args.run(args)
            return code

        yield go
        server.shutdown()
        thread.join()


def test_what_was_saved_is_a_table(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stats") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    head, row = lines[0], lines[-1]
    assert head[:4] == ["route", "store", "entries", "MiB"]
    assert row[:4] == ["chat", "memory", "3", "1.5"]
    assert row[-3:] == ["75.0%", "$0.0125", "61.2"]


def test_it_is_json_too(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stats", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"caches": [CACHE]}


def test_answers_are_forgotten(run: Run, heard: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("invalidate", "model:m", "--route", "chat", "--reason", "wrong") == 0
    assert heard == [("/admin/cache", {"tag": "model:m", "route": "chat", "reason": "wrong"})]
    assert capsys.readouterr().out == "model:m: 2 answers of the gateway's own memory forgotten\n"
    assert run("invalidate", "all", "--json") == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 2


def test_what_is_no_tag_is_wrong_use(run: Run, heard: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("invalidate", "models:m") == 2
    assert "write `all`" in capsys.readouterr().err
    assert not heard


def test_nobody_there_has_failed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stats", "--url", "http://127.0.0.1:1") == 1
    assert "no gateway answers" in capsys.readouterr().err
