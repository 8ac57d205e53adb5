"""The measurement: candidates take turns, cell by cell and round by round, and the medians are kept.

The machine may be shared and noisy, so no two figures are compared that were not taken next to each other: a ratio is
the median of the ratios of one round each.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import uvloop

from tests.bench.candidates import KEY, Candidate, candidates, verifier
from tests.bench.load import Load
from tests.bench.process import LOAD_CORE, Process, free_port
from tests.bench.wire import CREDENTIAL, EVENTS, question, request

DIRECT = "direct"
Say = Callable[[str], None]


class Cell(NamedTuple):
    """One line of the table: what is asked, how large the request is, over how many connections."""

    model: str
    size: int
    connections: int

    @property
    def streamed(self) -> bool:
        return self.model in ("bench-stream", "bench-paced")

    @property
    def name(self) -> str:
        pace = ", paced" if self.model == "bench-paced" else ""
        what = f"{EVENTS} events{pace}" if self.streamed else f"{self.size // 1000} kB"
        return f"{what}, {self.connections} connection{'s' if self.connections > 1 else ''}"


KINDS = (("bench-1k", 1_000), ("bench-100k", 100_000), ("bench-stream", 1_000))
CELLS = (
    *(Cell(model, size, connections) for model, size in KINDS for connections in (1, 32, 256)),
    Cell("bench-paced", 1_000, 32),
)


async def turn(cell: Cell, port: int, process: Process, seconds: float) -> float:
    """µs of processor time for a request to the gateway at ``port``."""
    load = Load(request(f"127.0.0.1:{port}", KEY, question(cell.model, cell.size)), verifier(cell.model, True))
    await load.open("127.0.0.1", port, cell.connections)
    await load.phase(0.1)
    before = process.cpu()
    phase = await load.phase(seconds)
    spent = process.cpu() - before
    load.close()
    if phase.errors:
        raise SystemExit(f"wrong answers: {dict(phase.errors)}")
    return spent / phase.count * 1e6


class Plan(NamedTuple):
    """How long to measure. Times in seconds."""

    rounds: int
    warm: float
    measure: float
    starts: int
    peers: bool


QUICK = Plan(rounds=2, warm=0.1, measure=0.5, starts=2, peers=False)
FULL = Plan(rounds=5, warm=0.25, measure=1.2, starts=5, peers=True)


class Sample(msgspec.Struct, frozen=True):
    """One candidate, one cell, one round. Times in microseconds."""

    candidate: str
    cell: str
    round: int
    count: int
    cpu_us: float | None  # per request; None for the direct run
    rate: float
    p50_us: float
    p99_us: float
    errors: dict[str, int]


class Start(msgspec.Struct, frozen=True):
    """Start and memory of one candidate."""

    candidate: str
    ready_s: list[float]
    idle_bytes: int
    loaded_bytes: int


class Found(msgspec.Struct, frozen=True):
    """Everything that was measured."""

    samples: list[Sample]
    starts: list[Start]
    absent: dict[str, str]  # candidate → why it was left out


class Running(NamedTuple):
    candidate: Candidate
    process: Process
    port: int
    ready: list[float]
    idle: int


@contextlib.contextmanager
def upstream(scratch: Path) -> Iterator[int]:
    """The upstream process, on the load's core; gives its port."""
    command = [sys.executable, "-m", "tests.bench.upstream"]
    pipe = subprocess.PIPE
    process = Process(command, scratch / "upstream.log", core=LOAD_CORE, stdin=pipe, stdout=pipe)
    try:
        yield int(process.stdout.readline())
    finally:
        process.end()


def measure(plan: Plan, only: set[str], scratch: Path, say: Say) -> Found:
    """Start everybody, measure every cell, end everybody."""
    with upstream(scratch) as port, contextlib.ExitStack() as stack:
        running: list[Running] = []
        absent: dict[str, str] = {}
        for candidate in candidates(port):
            if candidate.name not in only if only else candidate.peer and not plan.peers:
                continue
            say(f"starting {candidate.name}")
            try:
                running.append(_start(candidate, plan, scratch))
            except (OSError, RuntimeError) as error:
                absent[candidate.name] = str(error)
                say(f"  left out: {error}")
            else:
                stack.callback(running[-1].process.end)
        samples = uvloop.run(_cells(plan, port, running, say))
        starts = [Start(r.candidate.name, r.ready, r.idle, r.process.memory()) for r in running]
    return Found(samples, starts, absent)


def _start(candidate: Candidate, plan: Plan, scratch: Path) -> Running:
    """Start it several times for the start-up figure; the last one stays."""
    ready: list[float] = []
    starts = 1 if candidate.peer else plan.starts
    while True:
        port = free_port()
        process = candidate.start(port, scratch)
        try:
            ready.append(process.wait_ready(port, candidate.ready, candidate.patience))
        except RuntimeError:
            process.end()
            raise
        if len(ready) == starts:
            return Running(candidate, process, port, ready, process.memory())
        process.end()


async def _cells(plan: Plan, upstream_port: int, running: list[Running], say: Say) -> list[Sample]:
    samples: list[Sample] = []
    for cell in CELLS:
        say(f"measuring {cell.name}")
        for number in range(plan.rounds):
            samples.append(await _direct(plan, upstream_port, cell, number))
            for one in running:
                if one.candidate.peer and (number > 0 or cell.connections > 32):
                    continue  # peers are slow: one round, and not the widest cells
                samples.append(await _one(plan, one, cell, number))
    return samples


async def _direct(plan: Plan, port: int, cell: Cell, number: int) -> Sample:
    message = request(f"127.0.0.1:{port}", CREDENTIAL, question(cell.model, cell.size))
    return await _sample(plan, DIRECT, None, message, port, cell, number, exact=True)


async def _one(plan: Plan, one: Running, cell: Cell, number: int) -> Sample:
    body = question(cell.model, cell.size)
    message = request(f"127.0.0.1:{one.port}", KEY, body, headers=one.candidate.headers)
    name, exact = one.candidate.name, one.candidate.exact
    return await _sample(plan, name, one.process, message, one.port, cell, number, exact=exact)


async def _sample(
    plan: Plan, name: str, process: Process | None, message: bytes, port: int, cell: Cell, number: int, *, exact: bool
) -> Sample:
    load = Load(message, verifier(cell.model, exact))
    await load.open("127.0.0.1", port, cell.connections)
    try:
        await load.phase(plan.warm)
        before = process.cpu() if process else 0.0
        phase = await load.phase(plan.measure)
        await asyncio.sleep(0.02)  # what a gateway does after the last byte belongs to the request
        spent = process.cpu() - before if process else None
    finally:
        load.close()
    return Sample(
        candidate=name,
        cell=cell.name,
        round=number,
        count=phase.count,
        cpu_us=None if spent is None else spent / max(1, phase.count) * 1e6,
        rate=phase.count / phase.elapsed,
        p50_us=phase.quantile(0.5) * 1e6,
        p99_us=phase.quantile(0.99) * 1e6,
        errors=dict(phase.errors),
    )


def median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")
