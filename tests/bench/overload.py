"""Goodput, refusals, recovery and fairness of one gateway on one core, from half of its peak to three times as much.

``python -m tests.bench.overload [--seconds S] [--off]``. The load is open: requests come at their times, whether or not
earlier ones were answered (``tests/support/openloop.py``). Each is a stream that the gateway has to translate, which
costs it milliseconds, and those who send and receive it next to nothing: what is overloaded is the gateway.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import uvloop

from tests.bench.load import Load
from tests.bench.measure import upstream
from tests.bench.process import CANDIDATE_CORE, LOAD_CORE, Process, free_port, pinned
from tests.bench.wire import question, request
from tests.support.openloop import Answered, OpenLoop, post, quantile, statuses

STEPS = (0.5, 1.0, 1.5, 2.0, 3.0)
QUIET = 10.0  # requests a second of the tenant that floods nobody
_PATIENCE = 1.0  # an answer that takes longer is no goodput
_CONFIG = """
log: {{level: warning}}
retries: {{max: 0}}
overload: {{enabled: {enabled}}}
providers:
  claude: {{kind: anthropic, base_url: "http://127.0.0.1:{upstream}", api_key: sk-upstream}}
tenants:
{tenants}
routes:
  burst: {{models: [bench-burst], policies: [authenticate], target: claude/bench-burst}}
"""


class Row(NamedTuple):
    """One step: requests a second, and seconds."""

    name: str
    sent: float
    good: float
    good_p50: float
    good_p99: float
    refused: float
    refused_p99: float
    hung: int


def config(upstream_port: int, *, enabled: bool = True) -> str:
    """A file with two tenants, whose keys are their names."""
    tenants = "".join(
        f'  {name}: {{teams: {{t: {{keys: {{k: {{hash: "sha256:{hashlib.sha256(name.encode()).hexdigest()}"}}}}}}}}}}\n'
        for name in ("flood", "quiet")
    )
    return _CONFIG.format(enabled=str(enabled).lower(), upstream=upstream_port, tenants=tenants)


def chat(key: str) -> bytes:
    """A request whose answer is much work."""
    return post("/v1/chat/completions", question("bench-burst"), key)


def row(name: str, answers: list[Answered], seconds: float) -> Row:
    """What a step came to."""
    good = [a for a in answers if a.status == 200 and a.seconds < _PATIENCE]
    refused = [a for a in answers if a.status == 503]
    hung = len(answers) - statuses(answers)[200] - len(refused)
    return Row(
        name,
        len(answers) / seconds,
        len(good) / seconds,
        quantile(good, 0.5),
        quantile(good, 0.99),
        len(refused) / seconds,
        quantile(refused, 0.99),
        hung,
    )


def _well(status: bytes, body: bytes) -> str | None:
    return None if status == b"200" else status.decode()


async def peak(port: int, seconds: float) -> float:
    """Answers a second when the gateway always has something to do, and never too much."""
    load = Load(request(f"127.0.0.1:{port}", "flood", question("bench-burst")), _well)
    await load.open("127.0.0.1", port, 8)
    try:
        await load.phase(0.3)
        phase = await load.phase(seconds)
    finally:
        load.close()
    assert not phase.errors, phase.errors
    return phase.count / phase.elapsed


async def _measure(port: int, seconds: float) -> tuple[float, list[Row]]:
    top = await peak(port, seconds)
    rows = []
    load = OpenLoop(port, chat("flood"))
    quiet = OpenLoop(port, chat("quiet"), seed=2)
    await quiet.run(QUIET, 1)
    for step in STEPS:
        rows.append(row(f"{step:g}×", await load.run(step * top, seconds), seconds))
    for wait in (1.0, 1.0, 1.0):
        rows.append(row("0.5× again", await load.run(top / 2, wait), wait))
    alone = await quiet.run(QUIET, seconds)
    flooded, beside = await asyncio.gather(load.run(3 * top, seconds), quiet.run(QUIET, seconds))
    rows += [row("quiet alone", alone, seconds), row("flood", flooded, seconds), row("quiet beside", beside, seconds)]
    load.close()
    quiet.close()
    return top, rows


def _table(top: float, rows: list[Row]) -> str:
    lines = [f"Peak {top:.0f} answers a second; an answer is good within {_PATIENCE:g} s; milliseconds\n"]
    lines.append("| load | sent/s | good/s | of peak | p50 | p99 | refused/s | p99 | hung |")
    lines.append("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name, sent, good, p50, p99, refused, refused_p99, hung in rows:
        times = f"{p50 * 1e3:.0f} | {p99 * 1e3:.0f} | {refused:.0f} | {refused_p99 * 1e3:.1f}"
        lines.append(f"| {name} | {sent:.0f} | {good:.0f} | {good / top:.0%} | {times} | {hung} |")
    return "\n".join(lines)


def main() -> int:
    """Start a gateway on its core, measure from the other. Exit code 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each step (default: %(default)s)")
    parser.add_argument("--off", action="store_true", help="without admission, to see what it is for")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, upstream(Path(folder)) as provider:
        path, port = Path(folder) / "gateway.yaml", free_port()
        path.write_text(config(provider, enabled=not args.off), encoding="utf-8")
        command = [sys.executable, "-m", "proxy.cli", "serve", "--config", str(path), "--listen", f"127.0.0.1:{port}"]
        process = Process(command, Path(folder) / "log", {"SLUICEGATE_STATE_DIR": folder}, core=CANDIDATE_CORE)
        try:
            process.wait_ready(port, "/readyz", 30)
            with pinned(LOAD_CORE):
                top, rows = uvloop.run(_measure(port, args.seconds))
        finally:
            process.end()
    print(_table(top, rows))
    triple, beside = rows[len(STEPS) - 1], rows[-1]
    kept = triple.good >= 0.9 * top and triple.refused_p99 <= 0.05 and not sum(found.hung for found in rows)
    return 0 if kept and not beside.refused else 1


if __name__ == "__main__":
    raise SystemExit(main())
