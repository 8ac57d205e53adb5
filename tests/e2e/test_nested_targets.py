"""Nodes within nodes, as three official clients meet them: what an answer, the log and the metrics say of it is what
the upstream saw."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from google import genai
from openai import AsyncOpenAI

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.traffic import CHAT
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
AFTER = 0.15  # seconds: `after` of the race
LATER = 9000  # milliseconds: nobody waits for that
MODELS = ("slow", "one", "two", "tool", "last", "shadow")
_SAMPLE = re.compile(r"sluicegate_(\w+)\{(.*)\} ([\d.e+]+)")
_FILES = itertools.count()


def config(url: str, *, spare: str = "last") -> str:
    """Every kind of node below one fallback. Each file has a word of its own, so that each is another generation."""
    return f"""
# {next(_FILES)}
retries: {{max: 0}}
health: {{failures: 3, eject: 60s}}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
  shaky: {{kind: simulated, error_rate: 1, errors: [503]}}
  cut: {{kind: simulated, cut_rate: 1, cut_after: 2, text: "One two three four five six."}}
routes:
  deep:
    models: [deep]
    target:
      fallback:
        - race:
            of: [up/slow, {{balance: {{by: round_robin, of: [up/one, up/two]}}}}]
            after: {AFTER * 1000:.0f}ms
            max_extra: 100%
        - when:
            - {{if: has_tools, target: up/tool}}
            - else: {{mirror: {{target: "up/{spare}", to: up/shadow, sample: 100%}}}}
  shaky: {{models: [shaky], target: {{priority: [[shaky/a, {{fallback: [shaky/b, shaky/c]}}], up/last]}}}}
  cut: {{models: [cut], target: {{fallback: [{{split: [{{target: cut/a, weight: 1}}]}}, up/last]}}}}
  line: {{models: [line], policies: [queue: {{max_in_flight: 1}}], target: {{fallback: [{{balance: [up/one]}}]}}}}
"""


@pytest.fixture
def running(gateway: Callable[..., Gateway], upstream: FakeUpstream) -> Gateway:
    """A gateway that has seen no failure yet, and models that answer at once."""
    for model in MODELS:
        upstream.tell(model, text=f"from {model}")
    upstream.journal().mark()
    return gateway(config(upstream.url))


def _asked(upstream: FakeUpstream) -> Counter[str]:
    """How often each model was asked at the upstream, but for the shadow."""
    models = (json.loads(body_of(one))["model"] for one in upstream.journal().requests())
    return Counter(f"up/{model}" for model in models if model != "shadow")


def _attempts(gateway: Gateway) -> Counter[str]:
    """The attempts that `/metrics` counts, by target, but for the shadow."""
    found: Counter[str] = Counter()
    for name, labels, value in _SAMPLE.findall(gateway.get("/metrics")[1].decode()):
        target = re.search(r'target="([^"]+)"', labels)
        if name == "attempts_total" and target is not None and target[1] != "up/shadow":
            found[target[1]] += int(float(value))
    return found


async def _ask(gateway: Gateway, model: str, **more: Any) -> tuple[Wire, int, bytes, dict[str, Any]]:
    """One request: its answer, and its log line."""
    wire = await Wire.open(gateway.port)
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **more}
    try:
        await wire.request("POST", CHAT, json.dumps(body).encode(), {"content-type": "application/json"})
        status, answer = await wire.answer()
    finally:
        wire.close()
    line = await gateway.logged("request", request_id=wire.header("x-request-id"))
    assert len(line["attempts"]) == int(wire.header("x-sluicegate-attempts") or -1)
    assert line.get("degraded") == wire.header("x-sluicegate-degraded")
    return wire, status, answer, line


def _outcomes(line: dict[str, Any]) -> list[list[str]]:
    return [attempt[:2] for attempt in line["attempts"]]


async def _openai(gateway: Gateway, model: str, stream: bool) -> str:
    async with AsyncOpenAI(base_url=gateway.url, api_key="unused", max_retries=0) as client:
        messages: Any = [{"role": "user", "content": "Hi"}]
        if not stream:
            answer = await client.chat.completions.create(model=model, messages=messages)
            return answer.choices[0].message.content or ""
        events = await client.chat.completions.create(model=model, messages=messages, stream=True)
        return "".join([event.choices[0].delta.content or "" async for event in events if event.choices])


async def _anthropic(gateway: Gateway, model: str, stream: bool) -> str:
    async with AsyncAnthropic(base_url=gateway.origin, api_key="unused", max_retries=0) as client:
        asked: Any = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
        if stream:
            async with client.messages.stream(**asked) as events:
                return await events.get_final_text()
        found: Any = await client.messages.create(**asked)
        return str(found.content[0].text)


async def _google(gateway: Gateway, model: str, stream: bool) -> str:
    client: Any = genai.Client(api_key="unused", http_options={"base_url": gateway.origin}).aio
    try:
        if stream:
            events = await client.models.generate_content_stream(model=model, contents="Hi")
            return "".join([event.text or "" async for event in events])
        return str((await client.models.generate_content(model=model, contents="Hi")).text)
    finally:
        await client.aclose()


CLIENTS = {"openai": _openai, "anthropic": _anthropic, "google": _google}


async def test_every_client_is_answered_from_the_depth_of_the_tree(running: Gateway, upstream: FakeUpstream) -> None:
    """The race fails on both sides, the pool in it too, and the branch `else` answers: whole and streamed. What the
    metrics count is what was asked."""
    for model in ("slow", "one", "two"):
        upstream.tell(model, fails="overloaded")
    for ask, stream in itertools.product(CLIENTS.values(), (False, True)):
        assert await ask(running, "deep", stream) == "from last"
    asked = _asked(upstream)
    assert (asked["up/slow"], asked["up/last"]) == (3, 6)  # three failures eject
    assert all(3 <= asked[member] < 6 for member in ("up/one", "up/two"))  # a pool that is gone tries one now and then
    assert _attempts(running) == asked
    await upstream.journal().until(
        lambda: len([one for one in upstream.journal().requests() if b'"shadow"' in body_of(one)]) == 6, "six copies"
    )
    for line in running.log("request", route="deep"):
        # What was said first, or, once the pool is ejected, that nobody there could be asked.
        assert line["degraded"] in ("overloaded", "unavailable")
        assert line["attempts"][-1][:2] == ["up/last", "ok"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_pool_within_a_race(stream: bool, running: Gateway, upstream: FakeUpstream) -> None:
    """The copy goes to a pool, whose first member fails: the second answers, the slow one is closed, and all three
    are told."""
    upstream.tell("slow", ttft_ms=LATER)
    upstream.tell("one", fails="overloaded")
    wire, status, answer, line = await _ask(running, "deep", stream=stream)
    assert (status, wire.header("x-sluicegate-target")) == (200, "up/two")
    assert answer.endswith(b"data: [DONE]\n\n") == stream
    assert _outcomes(line) == [["up/slow", "cancelled"], ["up/one", "overloaded"], ["up/two", "ok"]]
    assert "up/two was first" in line["notes"]["race"]
    (slow,) = [one for one in upstream.journal().requests() if b'"slow"' in body_of(one)]
    await upstream.journal().wait("closed", id=slow["id"])
    assert _asked(upstream) == {"up/slow": 1, "up/one": 1, "up/two": 1} == _attempts(running)


async def test_a_condition_below_a_fallback(running: Gateway, upstream: FakeUpstream) -> None:
    """Only when the race is lost is the condition looked at; a request with tools goes to their branch."""
    for model in ("slow", "one", "two"):
        upstream.tell(model, fails="unavailable")
    tools = [{"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}]
    wire, status, _, line = await _ask(running, "deep", tools=tools)
    assert (status, wire.header("x-sluicegate-target")) == (200, "up/tool")
    assert line["notes"]["when"] == "has_tools"
    assert line["degraded"]
    assert _asked(upstream) == _attempts(running)


async def test_tiers_of_what_always_fails(running: Gateway, upstream: FakeUpstream) -> None:
    """A tier whose targets fail, one of them a fallback, is left for the next; once ejected, nobody asks it."""
    seen = []
    for _ in range(5):
        wire, status, _, line = await _ask(running, "shaky")
        assert (status, wire.header("x-sluicegate-target")) == (200, "up/last")
        assert line["degraded"]
        seen.append(_outcomes(line))
    assert sorted(target for target, _ in seen[0]) == ["shaky/a", "shaky/b", "shaky/c", "up/last"]
    assert seen[-1] == [["up/last", "ok"]]
    counted = _attempts(running)
    assert counted == Counter(target for attempts in seen for target, _ in attempts)
    assert counted["up/last"] == _asked(upstream)["up/last"] == 5


async def test_a_stream_that_is_cut_is_not_begun_again(running: Gateway, upstream: FakeUpstream) -> None:
    """After its first content a stream ends with an error, whatever else the tree holds."""
    wire, status, answer, line = await _ask(running, "cut", stream=True)
    assert (status, wire.header("x-sluicegate-target")) == (200, "cut/a")
    assert b"[DONE]" not in answer
    assert b'"error"' in answer
    assert not _asked(upstream)
    assert len(line["attempts"]) == 1


async def test_what_a_reload_keeps(running: Gateway, upstream: FakeUpstream) -> None:
    """Breakers stay open while the tree is exchanged for another: what was ejected is not asked again."""
    for model in ("slow", "one", "two"):
        upstream.tell(model, fails="overloaded")
    for _ in range(3):
        await _ask(running, "deep")
    before = _asked(upstream)
    upstream.tell("tool", text="the new spare")
    running.write(config(upstream.url, spare="tool"))
    await running.reloaded(2)
    wire, status, answer, line = await _ask(running, "deep")
    assert (status, wire.header("x-sluicegate-target")) == (200, "up/tool")
    assert b"the new spare" in answer
    assert "up/slow" in {target for target, _ in line["skipped"]}
    asked = _asked(upstream) - before
    assert (asked["up/slow"], asked["up/tool"], asked["up/last"]) == (0, 1, 0)
    assert sum(asked.values()) == len(line["attempts"])
    assert _attempts(running) == _asked(upstream)  # counted over both generations


async def test_a_line_over_a_reload(running: Gateway, upstream: FakeUpstream) -> None:
    """One request under way, two in line, another file: never two at once, and nobody is lost."""
    upstream.tell("one", head_ms=300, text="in its turn")
    waiting = [asyncio.create_task(_ask(running, "line")) for _ in range(3)]
    await upstream.journal().wait("request")
    running.write(config(upstream.url))
    await running.reloaded(2)
    waiting.append(asyncio.create_task(_ask(running, "line")))
    for wire, status, _, _ in await asyncio.gather(*waiting):
        assert (status, wire.header("x-sluicegate-target")) == (200, "up/one")
    starts = [one["at"] for one in upstream.journal().requests()]
    assert len(starts) == 4
    assert all(later - sooner >= 0.29 for sooner, later in itertools.pairwise(starts))
    generations = sorted(
        str(wire.header("x-sluicegate-generation")) for wire, *_ in [task.result() for task in waiting]
    )
    assert generations == ["1", "1", "1", "2"]
