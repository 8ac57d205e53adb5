"""``python -m tests.bench.cassettes``: what recording adds to a request and to an event, against the same without it.

Gateways on the same core take turns of half a second under the same load over 32 connections: 1 kB asked and answered,
and streams of a hundred events; processor time of all threads, writing included, as ratios of neighbouring turns.
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
from tests.bench.wire import EVENTS

AIM = 0.05  # more processor time than without
_CELLS = (Cell("bench-1k", 1_000, 32), Cell("bench-stream", 1_000, 32))
_TURNS, _SECONDS = 16, 0.5
_RECORD = "      - record: {cassette: cassette.yaml, mode: once}\n    target:"


def main() -> int:
    """Measure and print. Exit code 1 if the aim is missed."""
    is_met = True
    with tempfile.TemporaryDirectory() as scratch, upstream(Path(scratch)) as provider, pinned(LOAD_CORE):
        running: dict[str, tuple[int, Process, Path]] = {}
        for name in ("without", "recording"):
            port, folder = free_port(), Path(scratch) / name
            folder.mkdir()
            text = gateway_file(provider, port)
            if name == "recording":
                assert "    target:" in text
                text = text.replace("    target:", _RECORD)
            running[name] = port, start_gateway(provider, port, folder, text), folder / "gateway" / "cassette.yaml"
        try:
            for port, process, _ in running.values():
                process.wait_ready(port, "/readyz", 20.0)
            for cell in _CELLS:
                turns: dict[str, list[float]] = {name: [] for name in running}
                for number in range(_TURNS):
                    for name in running if number % 2 else reversed(running):
                        port, process, cassette = running[name]
                        cassette.unlink(missing_ok=True)  # so that it is never full
                        turns[name].append(uvloop.run(turn(cell, port, process, _SECONDS)))
                    assert running["recording"][2].stat().st_size > 1000
                pairs = list(zip(turns["recording"], turns["without"], strict=True))
                share = median(one / other for one, other in pairs) - 1
                added = median(one - other for one, other in pairs) / (EVENTS if cell.streamed else 1)
                unit = "an event" if cell.streamed else "a request"
                print(f"{cell.name}: {median(turns['without']):.0f} µs a request; recording adds", end=" ")
                print(f"{share:.1%} ({added:.1f} µs {unit}; aim {AIM:.0%})")
                is_met = is_met and share <= AIM
        finally:
            for _, process, _ in running.values():
                process.end()
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
