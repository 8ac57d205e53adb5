"""Goodput, refusals, recovery and fairness of one gateway on one core from half of its peak to three times as much.

``python -m tests.bench.overload [seconds per step]``. Open loop: see ``tests/support/openloop.py``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.bench.process import CANDIDATE_CORE, LOAD_CORE, Process, free_port, pinned
from tests.support.openloop import Answered, OpenLoop, post, quantile, statuses

_PATIENCE = 2.0  # an answer that takes longer is no goodput
_STEPS = (0.5, 1.0, 1.5, 2.0, 3.0, 0.5)
_CONFIG = """
log: {{level: warning}}
overload: {{enabled: {enabled}}}
providers:
  sim: {{kind: simulated, first_token: 100ms, gap: 5ms, tokens: 40}}
tenants:
{tenants}
routes:
  chat: {{models: [m], policies: [authenticate], target: sim/m}}
"""


def config(enabled: bool = True) -> str:
    """A file with two tenants."""
    tenants = "".join(
        f'  {name}: {{teams: {{t: {{keys: {{k: {{hash: "sha256:{hashlib.sha256(name.encode()).hexdigest()}"}}}}}}}}}}\n'
        for name in ("flood", "quiet")
    )
    return _CONFIG.format(enabled=str(enabled).lower(), tenants=tenants)


def chat(key: str, words: int = 40) -> bytes:
    """A streamed chat request."""
    text = " ".join(["word"] * words)
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}
    return post("/v1/chat/completions", json.dumps(body).encode(), key)


def line(name: str, answers: list[Answered], seconds: float) -> float:
    """Print one step; its goodput."""
    good = [a for a in answers if a.status == 200 and a.seconds < _PATIENCE]
    refused = [a for a in answers if a.status == 503]
    rest = {status: count for status, count in statuses(answers).items() if status not in (200, 503)}
    goodput = len(good) / seconds
    print(
        f"{name:14} sent {len(answers) / seconds:7.0f}/s  good {goodput:6.0f}/s "
        f"p50 {quantile(good, 0.5) * 1e3:6.0f} p99 {quantile(good, 0.99) * 1e3:6.0f} ms   "
        f"refused {len(refused) / seconds:6.0f}/s p50 {quantile(refused, 0.5) * 1e3:5.1f} "
        f"p99 {quantile(refused, 0.99) * 1e3:5.1f} ms   other {rest}",
        flush=True,
    )
    return goodput


async def peak(port: int, seconds: float, key: str = "flood") -> float:
    """Answers a second that the gateway gives when the load climbs until it refuses or lags behind."""
    load = OpenLoop(port, chat(key))
    best, rate = 0.0, 60.0
    while True:
        answers = await load.run(rate, seconds)
        good = sum(a.status == 200 and a.seconds < _PATIENCE for a in answers) / seconds
        best = max(best, good)
        if good < 0.85 * rate:
            break
        rate *= 1.3
    load.close()
    return best


async def _measure(port: int, seconds: float) -> None:
    top = await peak(port, max(2.0, seconds / 4))
    print(f"peak {top:.0f} answers/s")
    await asyncio.sleep(2)
    load = OpenLoop(port, chat("flood"))
    for step in _STEPS:
        line(f"{step:.1f}x", await load.run(step * top, seconds), seconds)
    quiet = OpenLoop(port, chat("quiet"), seed=2)
    await asyncio.sleep(2)
    alone = await quiet.run(10, seconds)
    line("quiet alone", alone, seconds)
    flooded, beside = await asyncio.gather(load.run(3 * top, seconds), quiet.run(10, seconds))
    line("flood", flooded, seconds)
    line("quiet beside", beside, seconds)
    load.close()
    quiet.close()


def main(seconds: float, enabled: bool) -> None:
    """Start a gateway on its core and measure from the other."""
    with tempfile.TemporaryDirectory() as folder:
        path, port = Path(folder) / "gateway.yaml", free_port()
        path.write_text(config(enabled), encoding="utf-8")
        command = [sys.executable, "-m", "proxy.cli", "serve", "--config", str(path), "--listen", f"127.0.0.1:{port}"]
        env = {"SLUICEGATE_STATE_DIR": folder}
        process = Process(command, Path(folder) / "log", env, core=CANDIDATE_CORE)
        try:
            process.wait_ready(port, "/readyz", 30)
            with pinned(LOAD_CORE):
                uvloop.run(_measure(port, seconds))
        finally:
            print(process.tail()[-600:], file=sys.stderr)
            process.end()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, "--off" not in sys.argv)
