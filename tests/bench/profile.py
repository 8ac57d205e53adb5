"""Where the gateway's time goes: one cell under py-spy, if it is installed (``pip install py-spy``)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import uvloop

from tests.bench.candidates import KEY, start_gateway, verifier
from tests.bench.load import Load
from tests.bench.measure import Cell, upstream
from tests.bench.process import LOAD_CORE, free_port, pinned
from tests.bench.wire import question, request


def profile(cell: Cell, seconds: int, scratch: Path, keep: Path) -> str:
    """Run the gateway under load and say which functions were on the stack; the raw stacks go to ``keep``."""
    spy = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if spy is None:
        return "py-spy is not installed; pip install py-spy"
    with upstream(scratch) as upstream_port:
        port = free_port()
        gateway = start_gateway(upstream_port, port, scratch)
        try:
            gateway.wait_ready(port, "/readyz", 20.0)
            with pinned(LOAD_CORE):
                command = [spy, "record", "--pid", str(gateway.child.pid), "--duration", str(seconds)]
                options = ["--rate", "400", "--format", "raw", "--output", str(keep)]
                watcher = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            uvloop.run(_load(cell, port, seconds + 1.5))
            said, _ = watcher.communicate(timeout=60)
        finally:
            gateway.end()
    if not keep.exists():
        return said.decode(errors="replace")
    return _summary(keep.read_text())


async def _load(cell: Cell, port: int, seconds: float) -> None:
    message = request(f"127.0.0.1:{port}", KEY, question(cell.model, cell.size))
    load = Load(message, verifier(cell.model, True))
    await load.open("127.0.0.1", port, cell.connections)
    phase = await load.phase(seconds)
    load.close()
    print(f"{phase.count} requests under observation", dict(phase.errors) or "")


def _summary(stacks: str) -> str:
    """Share of samples by function: with everything it called, and on its own."""
    within: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    total = 0
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [re.sub(r":\d+\)$", ")", frame) for frame in stack.split(";")]
        if any(frame.startswith("Thread._bootstrap") for frame in frames):
            continue  # other threads wait, which py-spy cannot always tell from work
        total += int(count)
        alone[frames[-1]] += int(count)
        for frame in set(frames):
            within[frame] += int(count)
    lines = ["share with callees", *_top(within, total, 45), "", "share alone", *_top(alone, total, 35)]
    return "\n".join(lines)


def _top(counted: Counter[str], total: int, many: int) -> list[str]:
    return [f"  {count / total:6.1%}  {frame}" for frame, count in counted.most_common(many)]
