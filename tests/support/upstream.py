"""Starts the fake upstream as a process of its own."""

from __future__ import annotations

import base64
import http.client
import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from tests.support.environment import ROOT, clean_environment
from tests.support.journal import JournalReader

START_TIMEOUT = 10.0  # seconds


class FakeUpstream:
    """``tests.upstream`` while it runs. ``url`` ends in ``/v1``, as a provider's ``base_url`` does."""

    def __init__(self, folder: Path) -> None:
        path = folder / "upstream.jsonl"
        path.touch()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.upstream", "--journal", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=clean_environment(),
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT)
        assert ready, "the fake upstream did not start"
        self.port: int = json.loads(self._process.stdout.readline())["port"]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/v1"
        self._journal = JournalReader(path)
        self._told: set[str] = set()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def journal(self) -> JournalReader:
        """What it saw and did. The same reader each time."""
        return self._journal

    def scripted(self, **script: Any) -> str:
        """A ``base_url`` at which every answer follows this script."""
        packed = base64.urlsafe_b64encode(json.dumps(script).encode()).decode().rstrip("=")
        return f"{self.origin}/~{packed}/v1"

    def tell(self, model: str, **script: Any) -> None:
        """From now on every request for ``model`` is answered by this script."""
        self._told.add(model)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_TIMEOUT)
        try:
            connection.request("PUT", f"/.tell/{quote(model, safe='')}", msgspec.json.encode(script))
            assert connection.getresponse().status == 204
        finally:
            connection.close()

    @contextmanager
    def told(self) -> Iterator[None]:
        """What is told within is forgotten at the end: the next test may ask for a model of the same name."""
        self._told.clear()
        yield
        for model in tuple(self._told):
            self.tell(model)

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
