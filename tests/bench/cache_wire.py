"""Hits over the wire: how long their first byte takes, and whether a stranger can tell by the time what is kept.

The load is paced: a request is due at its moment, on a connection that is free, whatever became of those before it.
Beside hits, what answers `/healthz` is timed in the same way: what is more than that is the gateway's own.
"""

from __future__ import annotations

import json
import random
import select
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.wire import request
from tests.support import books
from tests.support.gateway import Gateway
from tests.support.valkey import Valkey

KEY, STRANGER = "sk-bench-0123456789-0123456789-abcdef", "sk-other-0123456789-0123456789-abcdef"
PACE = 300.0  # requests a second, over all connections
_END, _LAST = b"\r\n\r\n", b"0\r\n\r\n"
_FILE = """
providers:
  sim: {{kind: simulated, first_token: 2ms}}
tenants:
  acme: {{teams: {{search: {{keys: {{web: {{hash: "{web}"}}}}}}}}}}
  other: {{teams: {{ads: {{keys: {{shop: {{hash: "{shop}"}}}}}}}}}}
routes:
  own: {{models: [own], policies: [authenticate, cache: {{temperature: any, ttl: 1h}}], target: sim/echo}}
  all: {{models: [all], policies: [authenticate, cache: {{temperature: any, scope: global}}], target: sim/echo}}
{more}
"""


class Waited(NamedTuple):
    """Seconds from a request's sending to its first byte, and to its last."""

    first: float
    last: float


@contextmanager
def running(scratch: Path, *, shared: bool) -> Iterator[Gateway]:
    """A gateway with kept answers, in memory or in a real store."""
    scratch.mkdir(parents=True)
    store = Valkey(scratch) if shared else None
    more = "" if store is None else f"store: {store.url}"
    found = Gateway(scratch / "gateway", _FILE.format(web=books.hashed(KEY), shop=books.hashed(STRANGER), more=more))
    try:
        yield found
    finally:
        found.stop()
        if store is not None:
            store.kill()


def question(model: str, text: str, *, key: str = KEY, stream: bool = False) -> bytes:
    """A request of about 1 kB."""
    messages = [{"role": "system", "content": "You help. " * 60}, {"role": "user", "content": f"{text} " * 20}]
    body = {"model": model, "messages": messages, "max_tokens": 500, "stream": stream}
    return request("127.0.0.1", key, json.dumps(body).encode())


HEALTH = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


class _Line:
    """A connection that waits for one answer at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sent = self._first = 0.0
        self._got = b""

    def send(self, data: bytes) -> None:
        self._got, self._first = b"", 0.0
        self._sent = time.perf_counter()
        self.socket.sendall(data)

    def read(self) -> Waited | None:
        """What came; the times once it is all of the answer."""
        data, now = self.socket.recv(1 << 16), time.perf_counter()
        assert data, "the connection was closed"
        self._got += data
        head, end, body = self._got.partition(_END)
        if not end or not body:
            return None
        assert head.startswith(b"HTTP/1.1 200"), self._got
        self._first = self._first or now
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 :].split(b"\r\n")[0]) if at >= 0 else -1
        is_over = len(body) >= length if length >= 0 else body.endswith(_LAST)
        return Waited(self._first - self._sent, now - self._sent) if is_over else None

    def close(self) -> None:
        """No more."""
        self.socket.close()

    def ask(self, data: bytes) -> tuple[Waited, bytes]:
        """Send, wait, and what came."""
        self.send(data)
        while (found := self.read()) is None:
            pass
        return found, self._got


def paced(port: int, requests: Iterable[bytes], connections: int, pace: float = PACE) -> list[Waited]:
    """What callers wait for. Requests come at even distances in time, on connections in turn."""
    lines = [_Line(port) for _ in range(connections)]
    for line in lines:
        line.ask(HEALTH)
    free, found, poll = list(reversed(lines)), list[Waited](), select.epoll()
    by_number = {line.socket.fileno(): line for line in lines}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    due, todo = time.perf_counter(), iter(requests)
    following = next(todo, None)
    while following is not None or len(free) < len(lines):
        now = time.perf_counter()
        if following is not None and now >= due and free:
            free.pop(0).send(following)
            following, due = next(todo, None), due + 1 / pace
            continue
        for number, _ in poll.poll(max(0.0, due - now) if following is not None and free else 1.0):
            waited = by_number[number].read()
            if waited is not None:
                found.append(waited)
                free.append(by_number[number])
    for line in lines:
        line.close()
    poll.close()
    return found


def quantile(values: Iterable[float], share: float) -> float:
    """In milliseconds, of seconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3


class Begins(NamedTuple):
    """Milliseconds to the first byte: half of the requests wait no longer, and 99 of 100, as a median of the turns.
    ``quiet``: the latter, in the turn in which others on this machine have disturbed least."""

    half: float
    most: float
    quiet: float


def first_bytes(gateway: Gateway, count: int, turns: int) -> dict[str, Begins]:
    """By what is asked for, and on how many connections."""
    hit, streamed = question("own", "known"), question("own", "known", stream=True)
    with closing(_Line(gateway.port)) as line:
        for asked in (hit, streamed):
            line.ask(asked)
    rows = {
        f"{name}, {connections} connection{'s' if connections > 1 else ''}": (asked, connections)
        for connections in (1, 32)
        for name, asked in (("hit", hit), ("hit, streamed", streamed), ("/healthz", HEALTH))
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in rows}
    for _ in range(turns):
        for name, (asked, connections) in rows.items():
            waited = [one.first for one in paced(gateway.port, [asked] * count, connections)]
            found[name].append((quantile(waited, 0.5), quantile(waited, 0.99)))
    return {
        name: Begins(median(one for one, _ in pairs), median(two for _, two in pairs), min(two for _, two in pairs))
        for name, pairs in found.items()
    }


def auc(ones: list[float], others: list[float]) -> float:
    """How well a number tells two kinds apart: the share of pairs that it puts in order (Mann and Whitney), whichever
    order that is. 0.5 is chance, 1 certainty."""
    ranked = sorted([(value, True) for value in ones] + [(value, False) for value in others])
    ranks, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        ranks += sum(is_one for _, is_one in ranked[at:end]) * (at + end + 1) / 2  # of equals the mean
        at = end
    share = (ranks - len(ones) * (len(ones) + 1) / 2) / (len(ones) * len(others))
    return max(share, 1 - share)


def told_apart(gateway: Gateway, model: str, samples: int, seed: int = 5) -> dict[str, float]:
    """A stranger asks what somebody has asked, and what nobody has, by turns that a seed draws: how well each thing
    that can be seen tells the two apart."""
    names = [f"{model} {seed} {number}" for number in range(samples)]
    known = set(random.Random(seed).sample(names, samples // 2))
    seen: dict[str, tuple[list[float], list[float]]] = {}
    with closing(_Line(gateway.port)) as mine, closing(_Line(gateway.port)) as theirs:
        for name in sorted(known):
            mine.ask(question(model, name))
        for name in names:
            for what, value in _seen(*theirs.ask(question(model, name, key=STRANGER))).items():
                seen.setdefault(what, ([], []))[name not in known].append(value)
    return {what: auc(*pair) for what, pair in seen.items()}


def _seen(waited: Waited, got: bytes) -> dict[str, float]:
    """Everything of an answer that can be seen, as numbers."""
    head, _, body = got.partition(_END)
    headers = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
    return {
        "time to the first byte": waited.first,
        "time to the last": waited.last,
        "x-sluicegate-overhead-ms": float(headers[b"x-sluicegate-overhead-ms"]),
        "names of headers": float(len(b" ".join(headers))),
        "x-sluicegate-cache": float(headers[b"x-sluicegate-cache"] == b"hit"),
        "size of the answer": float(len(body)),
    }
