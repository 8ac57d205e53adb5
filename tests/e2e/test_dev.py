"""`sluicegate dev`: no file, one command, and a request to a local model is answered and shown."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import ROOT, clean_environment, free_port
from tests.support.nursery import Child, nursery, sluicegate

TIMEOUT = 20.0  # seconds
KEYS = {"OPENAI_API_KEY": "sk-canary-openai-0123456789", "ANTHROPIC_API_KEY": "sk-ant-canary-0123456789"}
MODELS = {"object": "list", "data": [{"id": "llama3.2:latest", "object": "model", "owned_by": "library"}]}
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "llama3.2",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}


class Ollama(BaseHTTPRequestHandler):
    """As much of it as is needed."""

    asked: list[dict[str, Any]] = []

    def do_GET(self) -> None:
        self._say(MODELS)

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self._say(ANSWER)

    def _say(self, found: dict[str, Any]) -> None:
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def ollama() -> Iterator[str]:
    """Where it is, as its own variable says it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ollama)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def said(output: Path, pattern: str, child: Child) -> re.Match[str]:
    """What it printed, as soon as that is there."""
    end = time.monotonic() + TIMEOUT
    while not (output.exists() and (found := re.search(pattern, output.read_text(), re.MULTILINE))):
        assert child.poll() is None, output.read_text()
        assert time.monotonic() < end, output.read_text()
        time.sleep(0.01)
    return found


def ask(port: int, model: str) -> tuple[int, bytes]:
    """A question to the gateway: status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_local_model_without_a_file(tmp_path: Path, ollama: str) -> None:
    """It is asked by its own name, the request is shown, and Ctrl-C ends everything; no key was printed."""
    port, output = free_port(), tmp_path / "output"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = clean_environment(PYTHONPATH=str(ROOT), OLLAMA_HOST=ollama, TMPDIR=str(temporary), **KEYS)
    child = nursery().start(["dev", "--plain", "--port", str(port)], tmp_path, output, environment)
    try:
        said(output, rf"^Ready on http://127.0.0.1:{port}\. Ctrl-C ends it\.$", child)
        said(output, r"^time ", child)
        status, body = ask(port, "llama3.2")
        assert (status, json.loads(body)["choices"][0]["message"]["content"]) == (200, "Hi.")
        assert Ollama.asked[-1]["model"] == "llama3.2"
        line = said(output, r"^\d\d:\d\d:\d\d +200 .*$", child)[0]
        assert line.split()[2:6] == ["ollama", "llama3.2", "→", "ollama/llama3.2"]
        assert line.split()[6:8] == ["9", "3"]
    finally:
        child.send_signal(signal.SIGINT)
        code = child.wait(TIMEOUT)
    assert code == 0
    assert not is_open(port)
    text = output.read_text()
    assert 'models: ["llama3.2:latest", "llama3.2"]' in text
    assert "${env:OPENAI_API_KEY}" in text
    assert f"export OPENAI_BASE_URL=http://127.0.0.1:{port}/v1" in text
    assert "canary" not in text
    assert "Traceback" not in text
    assert {path.name for path in tmp_path.iterdir()} == {"output", "temporary"}
    assert list(temporary.iterdir()) == []


def test_none_is_left_behind(tmp_path: Path, ollama: str) -> None:
    """However the command ends, its gateway ends with it."""
    port, output = free_port(), tmp_path / "output"
    environment = clean_environment(PYTHONPATH=str(ROOT), OLLAMA_HOST=ollama)
    child = nursery().start(["dev", "--port", str(port)], tmp_path, output, environment)
    said(output, r"^time ", child)
    child.kill()
    child.wait(TIMEOUT)
    end = time.monotonic() + TIMEOUT
    while is_open(port):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_gateway_that_cannot_go_on_says_why(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no directory")
    environment = {"SLUICEGATE_STATE_DIR": str(tmp_path / "state")}
    done = sluicegate("dev", "--port", str(free_port()), folder=tmp_path, environment=environment)
    assert done.returncode == 1
    assert "the state directory cannot be written" in done.stderr


def test_the_live_view(tmp_path: Path, ollama: str) -> None:
    """On a terminal: hints first, then a request, its receipt at Enter, and the end at `q`."""
    port = free_port()
    environment = clean_environment(PYTHONPATH=str(ROOT), OLLAMA_HOST=ollama, TERM="xterm")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    command = [sys.executable, "-m", "proxy.cli", "dev", "--port", str(port)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environment)
    os.close(theirs)
    seen = b""

    def wait(for_what: bytes) -> None:
        nonlocal seen
        end = time.monotonic() + TIMEOUT
        while for_what not in seen:
            ready, _, _ = select.select([ours], [], [], max(0.0, end - time.monotonic()))
            assert ready, seen
            seen += os.read(ours, 65536)

    try:
        wait(b"\x1b[?1049h")
        wait(b"q leaves")
        assert b"Claude Code" in seen.partition(b"\x1b[?1049h")[2]
        assert ask(port, "llama3.2")[0] == 200
        wait(b"1 requests")
        os.write(ours, b"\r")
        wait(b"Esc goes back")
        os.write(ours, b"q")
        wait(b"\x1b[?1049l")
        assert process.wait(TIMEOUT) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert not is_open(port)
