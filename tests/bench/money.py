"""``python -m tests.bench.money``: what keys, limits and the ledger add to a request, each against the same without it.

Gateways on the same core take turns of half a second under the same load, 1 kB asked and answered over 32 connections;
processor time of all threads, as differences of neighbouring turns.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

import uvloop

from tests.bench.candidates import gateway_file, start_gateway
from tests.bench.measure import Cell, turn, upstream
from tests.bench.process import LOAD_CORE, Process, free_port, pinned

AIM = 80.0  # µs for authenticate, quota over three levels of four limits, and the ledger
_CELL = Cell("bench-1k", 1_000, 32)
_TURNS, _SECONDS = 16, 0.5


def _without(text: str, *, auth: bool) -> str:
    """The same file, without limits and ledger; without ``auth``, also without keys."""
    lines = [line for line in text.splitlines() if "- quota" not in line and line.strip()[:7] != "limits:"]
    plain = "\n".join(lines).replace(', limits: [100M/min, 100G tokens/min, "$100000000/month", 100k concurrent]', "")
    if not auth:
        head, _, rest = plain.partition("tenants:")
        plain = head + "routes:" + rest.partition("routes:")[2].replace("      - authenticate\n", "")
    return plain + "\nledger: {enabled: false}\n"


def main() -> int:
    """Measure and print. Exit code 1 if the aim is missed."""
    with tempfile.TemporaryDirectory() as scratch, upstream(Path(scratch)) as provider, pinned(LOAD_CORE):
        running: dict[str, tuple[int, Process]] = {}
        for name in ("neither", "keys", "all"):
            port, folder = free_port(), Path(scratch) / name
            folder.mkdir()
            text = gateway_file(provider, port)
            file = text if name == "all" else _without(text, auth=name == "keys")
            running[name] = port, start_gateway(provider, port, folder, file)
        try:
            for port, process in running.values():
                process.wait_ready(port, "/readyz", 20.0)
            turns: dict[str, list[float]] = {name: [] for name in running}
            for number in range(_TURNS):
                for name in running if number % 2 else reversed(running):
                    turns[name].append(uvloop.run(turn(_CELL, *running[name], _SECONDS)))
        finally:
            for _, process in running.values():
                process.end()
    added = [every - bare for every, bare in zip(turns["all"], turns["neither"], strict=True)]
    keys = [some - bare for some, bare in zip(turns["keys"], turns["neither"], strict=True)]
    print(f"without: {median(turns['neither']):.0f} µs a request; keys add {median(keys):.0f} µs;")
    print(f"keys, twelve limits and the ledger add {median(added):.0f} µs (aim {AIM:.0f}), of {_TURNS} turns")
    return 0 if median(added) <= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
