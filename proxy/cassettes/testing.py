"""For test suites of applications: a gateway that answers from cassettes, for as long as a ``with`` lasts.

::

    from proxy.cassettes.testing import replayed

    with replayed("cassettes/chat.yaml") as gateway:
        client = OpenAI(base_url=gateway.base_url, api_key="none")

It is a process of its own on a free port of the loopback, so that it serves any client in any language, and the order
of equal requests begins anew with each ``with``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_START = 60.0  # seconds until it must be ready
_STOP = 10.0
_POLL = 0.02
_READY = re.compile(r"^Sluicegate serves .* on (http://\S+);", re.MULTILINE)


class Running:
    """A gateway. ``origin`` is what clients of Anthropic and Google want, ``base_url`` what those of OpenAI want."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.base_url = f"{origin}/v1"


@contextmanager
def replayed(*cassettes: str | Path, speed: str = "instant", match: str = "lenient") -> Iterator[Running]:
    """Answers from these cassettes, looked through in turn, and reaches nobody.

    Raises:
        RuntimeError: it does not start; the text says why, such as what is wrong with a cassette.
    """
    with _started("replay", *map(str, cassettes), "--speed", speed, "--match", match) as running:
        yield running


@contextmanager
def recorded(
    cassette: str | Path, upstream: str, *, mode: str = "once", speed: str = "instant", match: str = "lenient"
) -> Iterator[Running]:
    """The same, but what is missing is asked of ``upstream`` (a kind or preset of provider, or a URL) and recorded, as
    ``mode`` says: with ``once`` a cassette that is there is replayed, and no key of the provider is needed.

    Raises:
        RuntimeError: it does not start.
    """
    where = ("--cassette", str(cassette), "--upstream", upstream, "--mode", mode)
    with _started("record", *where, "--speed", speed, "--match", match) as running:
        yield running


@contextmanager
def _started(*arguments: str) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="sluicegate-") as folder, (Path(folder) / "said").open("w+b") as said:
        command = [sys.executable, "-m", "proxy.cli", *arguments, "--listen", "127.0.0.1:0"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)  # noqa: S603
        try:
            yield Running(_origin(process, Path(said.name)))
        finally:
            process.terminate()
            try:
                process.wait(_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _origin(process: subprocess.Popen[bytes], said: Path) -> str:
    """Where it listens, as soon as it does."""
    end = time.monotonic() + _START
    while True:
        is_over = process.poll() is not None
        text = said.read_text("utf-8", "replace")
        found = _READY.search(text)
        if found is not None:
            return found[1]
        if is_over or time.monotonic() > end:
            raise RuntimeError(f"the gateway did not start:\n{text.strip()}")
        time.sleep(_POLL)
