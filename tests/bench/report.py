"""What was measured, as a page for people and as data for programs."""

from __future__ import annotations

import datetime
import os
import platform
from collections import Counter
from pathlib import Path

import msgspec

from tests.bench.candidates import PEERS
from tests.bench.measure import CELLS, DIRECT, Cell, Found, Plan, Sample, median
from tests.bench.process import PINNED
from tests.bench.wire import EVENTS

YARDSTICK, OURS = "relay", "sluicegate"
AIM_REQUEST, AIM_EVENT, AIM_READY_S, AIM_BYTES = 1.4, 1.0, 1.0, 100_000_000


class Row(msgspec.Struct, frozen=True):
    """Medians over the rounds of one candidate in one cell. Times in microseconds."""

    cell: str
    candidate: str
    streamed: bool
    count: int
    cpu_us: float | None  # per request
    event_us: float | None  # per event, in streams
    ratio: float | None  # of processor time, to the relay
    rate: float
    p50_us: float
    p99_us: float
    added_p50_us: float | None
    added_p99_us: float | None
    errors: dict[str, int]


def rows(found: Found) -> list[Row]:
    """One row per cell and candidate, in the order of the table."""
    names = list(dict.fromkeys(sample.candidate for sample in found.samples))
    return [row for cell in CELLS for name in names if (row := _row(found.samples, cell, name)) is not None]


def _row(samples: list[Sample], cell: Cell, name: str) -> Row | None:
    mine = {s.round: s for s in samples if s.cell == cell.name and s.candidate == name}
    direct = {s.round: s for s in samples if s.cell == cell.name and s.candidate == DIRECT}
    relay = {s.round: s for s in samples if s.cell == cell.name and s.candidate == YARDSTICK}
    if not mine:
        return None
    errors: Counter[str] = Counter()
    for sample in mine.values():
        errors.update(sample.errors)
    spent = [s.cpu_us for s in mine.values() if s.cpu_us is not None]
    ratios = [
        s.cpu_us / relay[at].cpu_us  # type: ignore[operator]  # the relay always has a figure
        for at, s in mine.items()
        if at in relay and s.cpu_us is not None
    ]
    both = [] if name == DIRECT else [at for at in mine if at in direct]
    return Row(
        cell=cell.name,
        candidate=name,
        streamed=cell.streamed,
        count=sum(s.count for s in mine.values()),
        cpu_us=median(spent) if spent else None,
        event_us=median(spent) / EVENTS if spent and cell.streamed else None,
        ratio=median(ratios) if ratios else None,
        rate=median([s.rate for s in mine.values()]),
        p50_us=median([s.p50_us for s in mine.values()]),
        p99_us=median([s.p99_us for s in mine.values()]),
        added_p50_us=median([mine[at].p50_us - direct[at].p50_us for at in both]) if both else None,
        added_p99_us=median([mine[at].p99_us - direct[at].p99_us for at in both]) if both else None,
        errors=dict(errors),
    )


def machine() -> str:
    """What the figures depend on, in one line."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    where = "candidate alone on one core, load and upstream on the other" if PINNED else "nothing pinned: one core"
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}; {where}"


def page(found: Found, plan: Plan, took: float) -> str:
    """The report as Markdown."""
    table = rows(found)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    lines = [
        "# Bench",
        "",
        f"{today}, {machine()}. {plan.rounds} rounds of {plan.measure} s per cell, candidates taking turns; medians; "
        f"{took:.0f} s in all.",
        "",
        "A request and its answer are of the size named. Processor time is that of the candidate with its children. "
        "*× relay* compares rounds taken next to each other. *Added* is over asking the upstream directly; with more "
        "than one connection the loop is closed and saturated, so there it is throughput seen from the other side. "
        "Streams come as fast as the upstream can write, so that events share reads, and *paced*: an event every 4 ms "
        "on each connection, so that every event comes alone, as tokens do.",
        "",
        *_aims(found, table),
        *_starts(found),
    ]
    for streamed in (False, True):
        lines += _table([row for row in table if row.streamed == streamed], streamed)
    return "\n".join([*lines, *_peers(found)]) + "\n"


def _aims(found: Found, table: list[Row]) -> list[str]:
    """What was promised, and whether it holds in this run."""
    ours = [row for row in table if row.candidate == OURS]
    start = next((start for start in found.starts if start.candidate == OURS), None)
    if not ours or start is None:
        return []
    lines = ["| aim | found | |", "|---|---|---|"]
    for row in ours:
        if row.ratio is not None:
            aim = AIM_EVENT if row.streamed else AIM_REQUEST
            lines.append(_aim(f"{row.cell}: at most {aim} × relay", f"{row.ratio:.2f} ×", row.ratio <= aim))
    ready = median(start.ready_s)
    lines.append(_aim(f"ready in {AIM_READY_S:.0f} s", f"{ready:.2f} s", ready <= AIM_READY_S))
    held = start.loaded_bytes
    lines.append(_aim(f"under {AIM_BYTES // 10**6} MB", f"{held / 1e6:.0f} MB after the load", held <= AIM_BYTES))
    return [*lines, ""]


def _aim(aim: str, found: str, held: bool) -> str:
    return f"| {aim} | {found} | {'met' if held else '**missed**'} |"


def _starts(found: Found) -> list[str]:
    lines = ["| | start to ready | memory idle | memory after the load |", "|---|--:|--:|--:|"]
    for start in found.starts:
        idle, loaded = start.idle_bytes / 1e6, start.loaded_bytes / 1e6
        lines.append(f"| {start.candidate} | {median(start.ready_s):.2f} s | {idle:.0f} MB | {loaded:.0f} MB |")
    return [*lines, ""]


def _table(table: list[Row], streamed: bool) -> list[str]:
    unit = "CPU/event" if streamed else "CPU/request"
    lines = [
        f"| | | {unit} | × relay | requests/s | p50 | p99 | added p50 | added p99 |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    cell = ""
    for row in table:
        if sum(row.errors.values()) * 2 > row.count:  # what fails fast is not fast
            lines.append(f"| {row.cell if row.cell != cell else ''} | {row.candidate} | failed | | | | | | |")
            lines += [f"| | | {problem} | | | | | | |" for problem in row.errors]
            continue
        spent = row.event_us if streamed else row.cpu_us
        cells = [
            row.cell if row.cell != cell else "",
            row.candidate,
            "" if spent is None else f"{spent:.1f} µs" if streamed else f"{spent:.0f} µs",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            f"{row.rate:,.0f}",
            *(_time(value) for value in (row.p50_us, row.p99_us, row.added_p50_us, row.added_p99_us)),
        ]
        cell = row.cell
        lines.append("| " + " | ".join(cells) + " |")
        lines += [f"| | {count} × {problem} | | | | | | | |" for problem, count in row.errors.items()]
    return [*lines, ""]


def _time(microseconds: float | None) -> str:
    return "" if microseconds is None else f"{microseconds / 1000:.2f} ms"


def _peers(found: Found) -> list[str]:
    lines = [f"{name} was left out: {why.splitlines()[-1]}" for name, why in found.absent.items()]
    for variable, how in PEERS.items():
        if not os.environ.get(variable):
            lines.append(f"- To add a peer: `{how}`, then set `{variable}` to that folder.")
    return lines
