"""``python -m tests.bench.cache``: what the policy `cache` adds to a request that it answers, and to any other.

In this process, without sockets: a request of 1 kB and its answer go through a compiled route with and without the
policy, in turns; processor time of this thread, the median of the turns. What a hit adds is its policy's phases and its
replay alone, as everything after them is left out.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from policies.caching.cache import Cache
from proxy.dialects.paths import endpoint_for
from proxy.dialects.splice import read_envelope
from proxy.exchange import Attempt, Exchange, Identity
from proxy.policy import Answer
from tests.support.config import built, written

AIM_HIT, AIM_MISS = 60.0, 40.0  # µs
_TURNS, _REQUESTS = 21, 300
_FILE = """
providers: {sim: {kind: simulated}}
routes:
  chat: {models: [fast], open: true, policies: [cache: {temperature: any, max_entries: 1000}], target: sim/echo}
"""
_ANSWER = msgspec.json.encode(
    {
        "id": "chatcmpl-0123456789abcdef01234567",
        "created": 1_767_225_600,
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "An answer. " * 70}}
        ],
        "usage": {"prompt_tokens": 200, "completion_tokens": 140},
    }
)
_WHO = Identity("acme", "search", "web")


def _request(number: int) -> Exchange:
    """As it comes to the policy."""
    x = Exchange(f"req_{number:024x}", "POST", "/v1/chat/completions", b"", [], time.monotonic(), 8)
    x.endpoint = endpoint_for(x.method, x.path)
    messages = [{"role": "system", "content": "You help. " * 60}, {"role": "user", "content": f"{number:06d} " * 50}]
    x.body = msgspec.json.encode({"model": "fast", "messages": messages, "max_tokens": 500})
    x.model = read_envelope(x.body).model
    x.route, x.identity, x.deadline = "chat", _WHO, x.received + 600
    return x


async def _through(policy: Cache, x: Exchange) -> None:
    """Its phases, and the answer of a provider or of the cache."""
    await policy.on_request(x)
    if x.detour is not None:
        answer = await x.detour.send(x)
    else:
        x.attempts.append(Attempt("sim/echo"))
        answer = Answer(200, [(b"content-type", b"application/json")], body=_ANSWER, target="sim/echo")
    policy.on_response(x, answer)
    policy.on_close(x)


async def _nothing(x: Exchange) -> None:
    """The same without the policy."""
    x.attempts.append(Attempt("sim/echo"))
    Answer(200, [(b"content-type", b"application/json")], body=_ANSWER, target="sim/echo")


async def _turn(work: Callable[[Exchange], Awaitable[Any]], requests: list[Exchange]) -> float:
    """Microseconds of this thread for each, which is gone when it is answered. What waits to be sent here is not to be
    collected."""
    count = len(requests)
    gc.collect()
    gc.freeze()
    began = time.thread_time()
    while requests:
        await work(requests.pop())
    return (time.thread_time() - began) / count * 1e6


async def measure(turns: int = _TURNS, requests: int = _REQUESTS) -> dict[str, float]:
    """What a hit and a miss add, in microseconds."""
    with tempfile.TemporaryDirectory() as scratch:
        runtime = built(written(Path(scratch), _FILE)).runtime
    assert runtime is not None
    policy: Any = runtime.router.entries[0].pipeline.policies[0][1]
    await _through(policy, _request(0))
    found: dict[str, list[float]] = {"hit": [], "miss": []}
    for turn in range(turns):
        new = [_request(1 + turn * requests + number) for number in range(requests)]
        none = await _turn(_nothing, [_request(0) for _ in range(requests)])
        found["miss"].append(await _turn(lambda x: _through(policy, x), new) - none)
        found["hit"].append(await _turn(lambda x: _through(policy, x), [_request(0) for _ in range(requests)]) - none)
    assert policy._room.stats.requests["miss"] == turns * requests + 1
    return {name: median(values) for name, values in found.items()}


def main() -> int:
    """Measure and print. Exit code 1 if an aim is missed."""
    found = asyncio.run(measure())
    print(f"a hit adds {found['hit']:.0f} µs (aim {AIM_HIT:.0f}), a miss {found['miss']:.0f} µs (aim {AIM_MISS:.0f})")
    return 0 if found["hit"] <= AIM_HIT and found["miss"] <= AIM_MISS else 1


if __name__ == "__main__":
    sys.exit(main())
