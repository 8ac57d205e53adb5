"""``make soak``: hours of mixed load with faults and reloads, and whether anything grows.

Clients that ask well, leave early, read slowly, present wrong keys or send broken bodies; an upstream that cuts,
stalls, lies and refuses; an editor that saves the file every few seconds, now and then a broken one. Every answer is
checked against what its situation allows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import uvloop

from tests.bench.candidates import KEY, gateway_file, start_gateway, verifier
from tests.bench.load import Load
from tests.bench.measure import upstream
from tests.bench.process import Process, free_port
from tests.bench.wire import SCRIPTS, question, request, unchunk

_CLIENTS = 24  # that come and go; eight more stay connected
_STAYING = 8
_EDIT_S = 5.0
_SETTLE_S = 4.0


class Situation(NamedTuple):
    """One kind of request: how often, what it asks for, and which statuses it may be answered with."""

    weight: int
    model: str
    allowed: tuple[int, ...]
    key: str = KEY
    body: bytes | None = None
    leave_after: int | None = None  # bytes after which the client is gone
    slow: bool = False
    whole: str = ""  # the script whose answer must have arrived, byte for byte
    broken: bool = False  # a 200 must be visibly broken: no [DONE], and an error event or no end of the framing


SITUATIONS = {
    "chat": Situation(20, "bench-1k", (200,), whole="bench-1k"),
    "large": Situation(5, "bench-100k", (200,), whole="bench-100k"),
    "stream": Situation(15, "bench-stream", (200,), whole="bench-stream"),
    "paced": Situation(8, "bench-paced", (200,), whole="bench-paced"),
    "slow reader": Situation(2, "bench-stream", (200,), slow=True, whole="bench-stream"),
    "leaves mid-stream": Situation(8, "bench-paced", (200,), leave_after=2_000),
    "leaves at once": Situation(5, "bench-paced", (), leave_after=0),
    "falls back": Situation(5, "resilient", (200,), whole="bench-1k"),
    "wrong key": Situation(3, "bench-1k", (401,), key="sk-wrong"),
    "unknown model": Situation(2, "nobody-has-this", (403, 404)),
    "broken body": Situation(3, "", (400,), body=b'{"model": "bench-1k", "messages": ['),
    "cut": Situation(3, "bench-cut", (200, 502), broken=True),
    "reset": Situation(3, "bench-reset", (200, 502), broken=True),
    "stall": Situation(2, "bench-stall", (200, 504), broken=True),
    "short": Situation(2, "bench-short", (200, 502), broken=True),
    "html": Situation(2, "bench-html", (502,)),
    "server error": Situation(3, "bench-500", (500, 502, 503)),
    "garbage": Situation(2, "bench-garbage", (502,)),
    "limited": Situation(2, "limited", (429, 503)),
}


class Sample(NamedTuple):
    """What the gateway held at one moment."""

    at: float
    requests: int
    resident: int
    files: int
    threads: int
    in_flight: float
    generation: float


class Soak:
    """One run: clients, editor and sampler around one gateway."""

    def __init__(self, seconds: float, seed: int, port: int, file: Path, gateway: Process) -> None:
        self._until = time.monotonic() + seconds
        self._every = max(1.0, seconds / 30)
        self._random = random.Random(seed)
        self._port = port
        self._file = file
        self._good = file.read_text()
        self._gateway = gateway
        self.seen: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.samples: list[Sample] = []

    @property
    def _running(self) -> bool:
        return time.monotonic() < self._until

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(_CLIENTS):
                group.create_task(self._client())
            group.create_task(self._stay())
            group.create_task(self._edit())
            group.create_task(self._sample())
        await asyncio.sleep(_SETTLE_S)
        self.samples.append(await self._look())

    async def _client(self) -> None:
        names = list(SITUATIONS)
        weights = [SITUATIONS[name].weight for name in names]
        while self._running:
            name = self._random.choices(names, weights)[0]
            try:
                async with asyncio.timeout(40):
                    problem = await self._ask(SITUATIONS[name])
            except TimeoutError:
                problem = "no answer in 40 s"
            except OSError as error:
                problem = f"{type(error).__name__}"
            self.seen[name] += 1
            if problem is not None:
                self.wrong[f"{name}: {problem}"] += 1

    async def _ask(self, situation: Situation) -> str | None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=4096 if situation.slow else 65536)
        try:
            body = situation.body or _body(situation.model)
            writer.write(request("127.0.0.1", situation.key, body, headers="connection: close\r\n"))
            await writer.drain()
            if situation.leave_after is not None:
                await reader.read(situation.leave_after)
                return None
            received = bytearray()
            while data := await reader.read(1024 if situation.slow else 65536):
                received += data
                if situation.slow:
                    await asyncio.sleep(0.02)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        return _problem(situation, bytes(received))

    async def _stay(self) -> None:
        """Connections that are kept, across every reload."""
        load = Load(request("127.0.0.1", KEY, question("bench-1k")), verifier("bench-1k", True))
        await load.open("127.0.0.1", self._port, _STAYING)
        while self._running:
            phase = await load.phase(0.2)
            self.seen["kept connection"] += phase.count
            self.wrong.update({f"kept connection: {what}": count for what, count in phase.errors.items()})
            await asyncio.sleep(0.3)
        load.close()

    async def _edit(self) -> None:
        """Save the file again and again, every fourth time a broken one."""
        number = 0
        while self._running:
            await asyncio.sleep(_EDIT_S)
            number += 1
            broken = number % 4 == 0
            text = self._good + (
                "routes: [\n" if broken else f"  extra-{number}: {{models: [extra-{number}], target: upstream/*}}\n"
            )
            aside = self._file.with_suffix(".new")
            aside.write_text(text)
            aside.replace(self._file)

    async def _sample(self) -> None:
        while self._running:
            self.samples.append(await self._look())
            print(_line(self.samples[-1], self.samples[0]), flush=True)
            await asyncio.sleep(self._every)

    async def _look(self) -> Sample:
        text = await asyncio.to_thread(self._metrics)
        return Sample(
            time.monotonic(),
            self.seen.total(),
            self._gateway.memory(),
            self._gateway.files(),
            self._gateway.threads(),
            _metric(text, "sluicegate_requests_in_flight"),
            _metric(text, "sluicegate_config_generation"),
        )

    def _metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            text: bytes = answer.read()
        return text.decode()


def _body(model: str) -> bytes:
    if model in SCRIPTS:
        return question(model, 100_000 if model == "bench-100k" else 1_000)
    return question("bench-1k").replace(b"bench-1k", model.encode())


def _problem(situation: Situation, received: bytes) -> str | None:
    """What is wrong with an answer, given what was asked for."""
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head[9:12]) if head[:5] == b"HTTP/" else 0
    if status not in situation.allowed:
        return f"status {status}"
    if situation.broken and status == 200:
        seen = b"[DONE]" not in body and (b'"error"' in body or not _ends(head, body))
        return None if seen else "looks whole and is not"
    if situation.whole:
        try:
            body = unchunk(body) if b"chunked" in head.lower() else body
        except ValueError as error:
            return f"broken framing: {error}"
        return None if body == SCRIPTS[situation.whole].body else "another body than the upstream's"
    return None


def _ends(head: bytes, body: bytes) -> bool:
    """Whether the framing says that the answer is complete."""
    if b"chunked" in head.lower():
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return length is not None and len(body) == int(length.group(1))


def _metric(text: str, name: str) -> float:
    values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
    return sum(float(value) for value in values) if values else float("nan")


def _line(sample: Sample, first: Sample) -> str:
    return (
        f"{sample.at - first.at:7.0f} s  {sample.requests:9,} requests  {sample.resident / 1e6:7.1f} MB  "
        f"{sample.files:5} files  {sample.threads:3} threads  {sample.in_flight:4.0f} in flight  "
        f"generation {sample.generation:.0f}"
    )


def slope(samples: list[Sample]) -> float:
    """Least-squares growth of memory in bytes per minute, over the second half: the first is warming up."""
    late = samples[len(samples) // 2 :]
    mean_at = sum(s.at for s in late) / len(late)
    mean_bytes = sum(s.resident for s in late) / len(late)
    spread = sum((s.at - mean_at) ** 2 for s in late)
    return 60 * sum((s.at - mean_at) * (s.resident - mean_bytes) for s in late) / spread if spread else 0.0


def _file(upstream_port: int, port: int) -> str:
    """The bench's file with short timeouts, a second account that is limited, and a fallback."""
    text = gateway_file(upstream_port, port).replace(
        "tenants:",
        f'  limited: {{kind: openai, base_url: "http://127.0.0.1:{upstream_port}/v1", api_key: sk-limited}}\n'
        "timeouts: {first_token: 2s, gap: 2s, total: 20s}\ntenants:",
    )
    text = text.replace('allow_models: {models: ["bench-*"]}', "allow_models: {}")
    policies, nodes = "policies: [authenticate]", "[upstream/bench-500, upstream/bench-1k]"
    return text + (
        f"  resilient: {{models: [resilient], {policies}, target: {{fallback: {nodes}}}}}\n"
        f"  limited: {{models: [limited], {policies}, target: limited/bench-429}}\n"
    )


def main() -> int:
    """Run, print, and end with 1 if an answer was not what its situation allows."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, upstream(Path(folder)) as upstream_port:
        port, scratch = free_port(), Path(folder)
        gateway = start_gateway(upstream_port, port, scratch, _file(upstream_port, port))
        try:
            gateway.wait_ready(port, "/readyz", 20.0)
            soak = Soak(args.minutes * 60, args.seed, port, scratch / "gateway" / "gateway.yaml", gateway)
            uvloop.run(soak.run())
        finally:
            gateway.end()
    first, last = soak.samples[0], soak.samples[-1]
    print("\nafter the load:\n" + _line(last, first))
    print(f"memory grows by {slope(soak.samples[:-1]) / 1e6:+.2f} MB a minute in the second half")
    print(", ".join(f"{name} {count:,}" for name, count in soak.seen.most_common()))
    for problem, count in soak.wrong.most_common(20):
        print(f"NOT ALLOWED {count:6} × {problem}", file=sys.stderr)
    return 1 if soak.wrong or last.in_flight else 0


if __name__ == "__main__":
    raise SystemExit(main())
