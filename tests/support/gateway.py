"""Runs the gateway as its users do: a process, a file, a port."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.environment import ROOT, clean_environment, free_port
from tests.support.nursery import Child, nursery
from tests.support.scale import PATIENCE

READY_TIMEOUT = 30.0  # seconds; two cores may be shared by many
STOP_TIMEOUT = 10.0
POLL = 0.01

Entry = dict[str, Any]
_TOP = re.compile(r"^([a-z_]+):", re.MULTILINE)
_PLAIN = {"retries": "{max: 0}", "health": "{enabled: false}"}


def plain(config: str) -> str:
    """The same file, with nothing tried again and nobody left alone unless it says so: every failure is seen."""
    keys = set(_TOP.findall(config))
    if "routes" not in keys or "base_url" not in config:
        return config
    return config.rstrip("\n") + "".join(f"\n{key}: {value}" for key, value in _PLAIN.items() if key not in keys) + "\n"


class Gateway:
    """``sluicegate serve`` on a file of its own. Made by the fixture ``gateway``; starts at once.

    ``options``: ``env`` adds to the environment; ``args`` to the command line; ``ready=False`` returns before it is
    ready; ``name`` is the file's name.
    """

    def __init__(
        self,
        folder: Path,
        config: str,
        *,
        env: dict[str, str] | None = None,
        args: tuple[str, ...] = (),
        ready: bool = True,
        name: str = "gateway.yaml",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / name
        self.write(config)
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/v1"
        self._log = folder / "gateway.log"
        self._log_read = 0
        self._entries: list[Entry] = []
        self._process = self._start(env or {}, args)
        if ready:
            self._wait_ready()

    def _start(self, env: dict[str, str], args: tuple[str, ...]) -> Child | subprocess.Popen[bytes]:
        command = ["serve", "--config", str(self.config), "--listen", f"127.0.0.1:{self.port}", *args]
        environment = clean_environment(PYTHONPATH=str(ROOT), **env)
        self._log.touch()
        if "--workers" not in args:
            return nursery().start(command, self.folder, self._log, environment)
        with self._log.open("wb") as log:  # workers are made by starting the program again
            return subprocess.Popen(
                [sys.executable, "-m", "proxy.cli", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=environment,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def write(self, config: str) -> None:
        """Change the file, as an editor does that writes aside and renames."""
        aside = self.config.with_suffix(".new")
        aside.write_text(plain(config), encoding="utf-8")
        aside.replace(self.config)

    def output(self) -> str:
        """Everything it has printed."""
        return self._log.read_text("utf-8", "replace")

    def log(self, event: str | None = None, **fields: Any) -> list[Entry]:
        """Its log lines, of that event and with those fields."""
        self._read_log()
        return [
            entry
            for entry in self._entries
            if event is None or entry.get("event") == event
            if all(entry.get(key) == fields[key] for key in fields)
        ]

    def _read_log(self) -> None:
        """What was printed since: a log that is polled under load is read once, not over and over."""
        with self._log.open("rb") as log:
            log.seek(self._log_read)
            whole, _, _ = log.read().rpartition(b"\n")
        if not whole:
            return
        self._log_read += len(whole) + 1
        lines = whole.decode("utf-8", "replace").split("\n")  # and not at U+2028, which is text
        found = (json.loads(line) for line in lines if line.startswith("{"))
        self._entries.extend(entry for entry in found if isinstance(entry, dict))

    async def logged(self, event: str, *, timeout: float = PATIENCE, **fields: Any) -> Entry:
        """The first such log line, as soon as it is there."""
        end = time.monotonic() + timeout
        while not (found := self.log(event, **fields)):
            assert time.monotonic() < end, f"no {event} {fields} in the log:\n{self.output()[-2000:]}"
            await asyncio.sleep(POLL)
        return found[0]

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """A GET outside of any client: status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def generation(self) -> int:
        """The generation that answers now."""
        found: int = json.loads(self.get("/readyz")[1])["generation"]
        return found

    async def reloaded(self, generation: int, *, timeout: float = PATIENCE) -> None:
        """Wait until that generation, or a later one, answers."""
        end = time.monotonic() + timeout
        while (now := await asyncio.to_thread(self.generation)) < generation:
            assert time.monotonic() < end, f"still generation {now}:\n{self.output()[-2000:]}"
            await asyncio.sleep(POLL)

    def rss(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def open_files(self) -> int:
        """How many file descriptors it holds."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self, timeout: float = STOP_TIMEOUT) -> int:
        """Wait until it ends by itself; its exit code."""
        return self._process.wait(timeout)

    def stop(self) -> int:
        """End it, politely first; its exit code. May be called again."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _wait_ready(self) -> None:
        end = time.monotonic() + READY_TIMEOUT
        while True:
            if self._process.poll() is not None:
                raise AssertionError(f"the gateway ended with {self._process.returncode}:\n{self.output()}")
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:
                pass  # not listening yet
            if time.monotonic() > end:
                self.stop()
                raise AssertionError(f"the gateway is not ready after {READY_TIMEOUT} s:\n{self.output()}")
            time.sleep(POLL)
