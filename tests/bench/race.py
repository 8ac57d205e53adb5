"""``python -m tests.bench.race``: what callers wait for with and without ``race``, and what it costs in calls.

Two targets answer after 20 ms; the first takes 600 ms for one request in twenty, drawn by a seed. The same requests are
sent through the real gateway to the first alone, and to a race of both, which learns from the first's own times when an
answer is late. The fake upstream's journal counts the calls.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

REQUESTS, CONNECTIONS, SEED = 1500, 6, 11
QUICK, SLOW, SHARE = 20, 600, 0.05  # milliseconds, milliseconds, of requests
MOST_EXTRA, MOST_P99 = 0.06, 0.5  # promises: of calls, of the p99 without

_CONFIG = """
retries: {{max: 0}}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
routes:
  alone: {{models: [alone], open: true, target: up/first}}
  race: {{models: [race], open: true, target: {{race: {{of: [up/first-raced, up/second], after: {after}}}}}}}
"""


class Row(NamedTuple):
    """One way: milliseconds that callers waited, and calls for each request."""

    way: str
    p50: float
    p95: float
    p99: float
    calls: float
    wrong: int


def _bodies(way: str, count: int, seed: int) -> list[bytes]:
    """Exactly so many are slow, in an order drawn by the seed."""
    slow = set(random.Random(seed).sample(range(count), round(count * SHARE)))
    bodies = []
    for at in range(count):
        script = {"ttft_ms": QUICK, "at": {name: {"ttft_ms": SLOW} for name in ("first", "first-raced") if at in slow}}
        messages = [{"role": "user", "content": f"Number {at}"}]
        bodies.append(json.dumps({"model": way, "messages": messages, "stream": True, "script": script}).encode())
    return bodies


async def _run(way: str, gateway: Gateway, upstream: FakeUpstream, count: int) -> Row:
    upstream.journal().mark()
    waiting = iter(_bodies(way, count, SEED))
    times: list[float] = []
    wrong = 0

    async def client() -> None:
        nonlocal wrong
        wire = await Wire.open(gateway.port)
        try:
            for body in waiting:
                began = time.perf_counter()
                await wire.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
                status, answer = await wire.answer()
                times.append((time.perf_counter() - began) * 1000)
                wrong += status != 200 or not answer.endswith(b"data: [DONE]\n\n")
        finally:
            wire.close()

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    times.sort()
    p50, p95, p99 = (times[int(share * len(times))] for share in (0.5, 0.95, 0.99))
    calls = sum(b"Number" in body_of(one) for one in upstream.journal().requests())
    return Row(way, p50, p95, p99, calls / count, wrong)


def measure(count: int = REQUESTS, after: str = "p95") -> list[Row]:
    """Both ways, one after the other."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        upstream = FakeUpstream(folder)
        try:
            gateway = Gateway(folder / "gateway", _CONFIG.format(url=upstream.url, after=after))
            try:
                return [asyncio.run(_run(way, gateway, upstream, count)) for way in ("alone", "race")]
            finally:
                gateway.stop()
        finally:
            upstream.stop()


def main() -> int:
    """Print the table. Exit code 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.race", description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="default: %(default)s")
    parser.add_argument("--after", default="p95", help="when a copy is sent (default: %(default)s)")
    args = parser.parse_args()
    alone, race = measure(args.requests, args.after)
    print(f"{args.requests} requests, one in {1 / SHARE:.0f} takes {SLOW} ms instead of {QUICK}; after: {args.after}\n")
    print(f"| {'':5} | {'p50':>6} | {'p95':>6} | {'p99':>6} | calls per request |")
    print(f"|{'-' * 7}|{'-' * 7}:|{'-' * 7}:|{'-' * 7}:|{'-' * 18}:|")
    for row in (alone, race):
        print(f"| {row.way:5} | {row.p50:6.0f} | {row.p95:6.0f} | {row.p99:6.0f} | {row.calls:17.3f} |")
    kept = race.p99 <= MOST_P99 * alone.p99 and race.calls <= 1 + MOST_EXTRA and not alone.wrong + race.wrong
    print(f"\np99 is {race.p99 / alone.p99:.0%} of that without, for {race.calls - 1:.1%} more calls.")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
