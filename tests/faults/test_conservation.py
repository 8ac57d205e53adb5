"""MON-02, MON-04, MON-06, MON-07: what the ledger says is what providers were asked and told; limits are exact.

The oracle is the upstream's own journal, the scripts by which it answered, and what reached the callers.
"""

from __future__ import annotations

import itertools
import json
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.ledger.row import Row
from tests.support import books
from tests.support.crowd import Asked, Heard, asked_upstream, crowd, name_of
from tests.support.house import KEY, House, in_order
from tests.support.journal import Entry, body_of
from tests.support.upstream import FakeUpstream

MANY = 600
# Nano-dollars of one token, by target: the prices of the file below.
PRICES = {"one": (1000, 10_000), "two": (3000, 20_000), "three": (500, 7000), "embed": (200, 0)}
FAILURES: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"status": 503},
    {"status": 429},
    {"how": "reset", "die_at": 0},
)


def config(url: str, limits: str = "", more: str = "") -> str:
    """A chain of three providers, with one repetition after each failure, and embeddings."""
    providers = "\n".join(
        f'  {name}: {{kind: openai, base_url: "{url}", api_key: sk-{name},'
        f' models: {{"*": {{price: {{input: ${price[0] / 1000:g}, output: ${price[1] / 1000:g}}}}}}}}}'
        for name, price in PRICES.items()
    )
    return f"""
overload: {{enabled: false}}
retries: {{max: 2, budget: 100%, base: 1ms, max_delay: 2ms}}
providers:
{providers}
tenants: {{acme: {{teams: {{search: {{keys: {{web: {{hash: "{books.hashed(KEY)}"{limits}}}}}}}}}}}}}
routes:
  chat:
    models: [fast]
    policies: [authenticate, tags: {{accept: [user]}}, quota]
    target: {{fallback: [one/a, two/b, three/c]}}
  vectors: {{models: [vector], policies: [authenticate, tags: {{accept: [user]}}, quota], target: embed/v}}
{more}
"""


@pytest.fixture
def house(gateway: Any, upstream: FakeUpstream, tmp_path: Path) -> Callable[[str], House]:
    """``house(config_text)``: a state directory with gateways to come."""
    upstream.tell("fast")
    return lambda text: House(gateway, text, tmp_path / "state")


def mixed(count: int) -> Iterator[Asked]:
    """Questions with the script of each upstream answer, by a seed."""
    draw = random.Random(23)
    for number in range(count):
        name = f"n{number}"
        if draw.random() < 0.15:
            yield Asked(name, KEY, {"model": "vector", "input": "Some words. " * draw.randint(1, 9)}, "/v1/embeddings")
            continue
        tokens = draw.randint(1, 12)
        good: dict[str, Any] = {"tokens": tokens}
        steps = [draw.choice(FAILURES) for _ in range(draw.choice((0, 0, 0, 1, 1, 2, 3)))]
        body: dict[str, Any] = {
            "model": "fast",
            "messages": [{"role": "user", "content": "Tell me more. " * draw.randint(1, 20)}],
            "max_tokens": 20,
        }
        leave: int | None = None
        if draw.random() < 0.6:
            body |= {"stream": True}
            if draw.random() < 0.6:
                body |= {"stream_options": {"include_usage": True}}
            if draw.random() < 0.15:
                good |= {"die_after": draw.randint(1, tokens), "how": "reset"}
            elif draw.random() < 0.1:
                good |= {"gap_ms": 40}
                leave = 300
        yield Asked(name, KEY, body | {"script": {"id": name, "steps": [*steps, good]}}, leave_after=leave)


def usage(request: Entry, tokens: int) -> tuple[int, int] | None:
    """What the upstream says that this request has used: 7 and a fourth of the letters, or 3 for an embedding. None
    for a stream of which nobody asked it."""
    fields = json.loads(body_of(request))
    if "messages" not in fields:
        return 3, 0
    if fields.get("stream") and not fields.get("stream_options", {}).get("include_usage"):
        return None
    return 7 + len(str(fields["messages"])) // 4, tokens


def answered(request: Entry, seen: Counter[str]) -> dict[str, Any]:
    """The script by which this request was answered; ``seen`` counts those of its name before it."""
    script = json.loads(body_of(request)).get("script")
    name = name_of(request)
    at, seen[name] = seen[name], seen[name] + 1
    if script is None:
        return {"tokens": 0}
    found: dict[str, Any] = script["steps"][min(at, len(script["steps"]) - 1)]
    return found


def by_name(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows of each question, in the order of its attempts."""
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.user, row.number)):
        found.setdefault(row.user, []).append(row)
    return found


async def test_the_ledger_says_what_providers_were_asked(house: Any, upstream: FakeUpstream) -> None:
    """MON-02: a row for each request that reached a provider, and the exact cost of each that was answered."""
    home: House = house(config(upstream.url))
    running = home.start()
    asked = {one.name: one for one in mixed(MANY)}
    heard = await crowd(running.port, asked.values(), 120)
    requests = upstream.journal().requests()
    rows = await home.rows(len(requests))
    in_order(rows, heard, asked_upstream(upstream.journal()))
    assert len(rows) == len(requests)
    attempts, seen, total = by_name(rows), Counter[str](), 0
    for request in requests:
        at = seen[name_of(request)]
        script, row = answered(request, seen), attempts[name_of(request)][at]
        assert row.number == at + 1
        if script in FAILURES:
            assert (row.status, row.cost, row.source) == ("error", 0, "none"), row
        elif "die_after" not in script and asked[row.user].leave_after is None:
            assert row.status == "ok", row
            told = usage(request, script["tokens"])
            assert row.source == ("counted" if told is None else "reported"), row
            if told is None:  # an estimate, of all that was emitted
                assert row.output >= script["tokens"] > 0
                continue
            prices = PRICES[row.provider]
            total += told[0] * prices[0] + told[1] * prices[1]
            assert (row.input, row.output) == told, row
    whole = [row for row in rows if row.source == "reported" and asked[row.user].leave_after is None]
    assert sum(row.cost for row in whole) == total > 0
    assert {row.status for row in rows} == {"ok", "error", "cancelled"}
    in_headers(heard, attempts)
    code, said = await home.verified(running)
    assert code == 0, said


def in_headers(heard: list[Heard], attempts: dict[str, list[Row]]) -> None:
    """MON-04: a whole answer tells how many attempts there were, and the sum of their costs."""
    told = [one for one in heard if "x-sluicegate-cost" in one.headers]
    assert len(told) > 100
    assert any(one.headers["x-sluicegate-attempts"] == "3" for one in told)
    for one in told:
        rows = attempts[one.name]
        assert one.headers["x-sluicegate-attempts"] == str(len(rows))
        assert one.headers["x-sluicegate-cost"] == f"{sum(row.cost for row in rows) / 1e9:.9f}"


PLAIN = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}


class Admitted:
    """When requests were admitted: after they were sent, and before the upstream saw them. Nothing else is assumed."""

    def __init__(self, heard: list[Heard], requests: list[Entry]) -> None:
        sent = {one.name: one.sent for one in heard}
        self._spans: list[tuple[float, float]] = sorted((sent[name_of(request)], request["at"]) for request in requests)

    def busiest(self, seconds: float) -> int:
        """Most of them that certainly lie in one window of so many seconds."""
        return max(
            sum(sent >= begin and seen < begin + seconds for sent, seen in self._spans) for begin, _ in self._spans
        )

    def before(self, refused: Heard, seconds: float) -> int:
        """How many may have counted when this one was refused."""
        return sum(1 for sent, seen in self._spans if seen >= refused.sent - seconds and sent <= refused.ended)


async def test_a_window_that_slides_is_exact(house: Any, upstream: FakeUpstream) -> None:
    """MON-06: no second has more than its limit of 20, and nobody is refused while there is room."""
    home: House = house(config(upstream.url, ', limits: ["20/s"]'))
    running = home.start()
    heard = await crowd(running.port, (Asked(f"n{number}", KEY, PLAIN) for number in range(160)), 40)
    refused = [one for one in heard if one.status == 429]
    admitted = Admitted(heard, upstream.journal().requests())
    assert Counter(one.status for one in heard) == {200: len(heard) - len(refused), 429: len(refused)}
    assert len(refused) > 40
    assert 18 <= admitted.busiest(1.0) <= 20
    assert min(admitted.before(one, 1.002) for one in refused) >= 20  # a thousandth of the window is its grain


async def test_nobody_is_refused_under_the_limit(house: Any, upstream: FakeUpstream) -> None:
    """MON-07: at 95 % of a limit for ten of its windows and over a restart, which forgets nothing and counts nothing
    twice."""
    home: House = house(config(upstream.url, ', limits: ["40/s", "380/min"]'))
    names = (Asked(f"n{number}", KEY, PLAIN) for number in itertools.count())
    heard: list[Heard] = []
    for _ in range(2):
        running = home.start()
        heard += await crowd(running.port, itertools.islice(names, 185), 38)
        running.signal(signal.SIGKILL)
        running.wait()
    admitted = Admitted(heard, upstream.journal().requests())
    for one in heard:  # a machine that stops for a moment lets more come at once than were sent in that time
        assert one.status == 200 or (one.status == 429 and admitted.before(one, 1.002) >= 40), one
    assert sum(one.status == 200 for one in heard) >= 350
    running = home.start()
    heard += await crowd(running.port, itertools.islice(names, 50), 38)
    assert Counter(one.status for one in heard)[200] == 380
    rows = await home.rows(380)
    in_order(rows, heard, asked_upstream(upstream.journal()))
    assert len(rows) == 380
