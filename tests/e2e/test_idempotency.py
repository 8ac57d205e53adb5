"""One key, one request upstream, one charge, one answer: under concurrency, after a crash, over replicas."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import Any

import httpx2
import pytest

from tests.support import books
from tests.support.gateway import Gateway
from tests.support.upstream import FakeUpstream
from tests.support.valkey import Valkey

WEB, OTHER = "sk-web-0123456789-0123456789-abcdef", "sk-app-0123456789-0123456789-abcdef"
ASKED: dict[str, Any] = {"model": "once", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
MakeGateway = Any


@pytest.fixture(autouse=True)
def _plain(upstream: FakeUpstream) -> None:
    """What another test has told the upstream is forgotten."""
    upstream.tell("once")


def config(url: str, *, settings: str = "{wait: 20s}", more: str = "") -> str:
    """One route, two keys of one team, a limit that counts."""
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up, models: {{"*": {{price: {{input: $1, output: $10}}}}}}}}
tenants:
  acme:
    teams:
      search:
        keys:
          web: {{hash: "{books.hashed(WEB)}", limits: ["3/min"]}}
          app: {{hash: "{books.hashed(OTHER)}"}}
routes:
  chat: {{models: [once], policies: [authenticate, idempotency: {settings}, quota], target: up/once}}
overload: {{enabled: false}}
{more}
"""


async def ask(running: Gateway, idempotency: str | None = "order-7", *, key: str = WEB, **more: Any) -> httpx2.Response:
    """One question."""
    headers = {"authorization": f"Bearer {key}"}
    if idempotency is not None:
        headers["idempotency-key"] = idempotency
    async with httpx2.AsyncClient(timeout=30) as client:
        return await client.post(f"{running.url}/chat/completions", json=ASKED | more, headers=headers)


def code(answer: httpx2.Response) -> str:
    """Of a refusal."""
    found: str = answer.json()["error"]["code"]
    return found


def replayed(answers: list[httpx2.Response]) -> Counter[str | None]:
    """How many of them were replays."""
    return Counter(answer.headers.get("idempotent-replayed") for answer in answers)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_hundred_at_once_are_one(stream: bool, gateway: MakeGateway, upstream: FakeUpstream) -> None:
    """One call, one row, a hundred equal answers; the limit of three a minute has counted one."""
    upstream.tell("once", head_ms=300, gap_ms=5)
    running = gateway(config(upstream.url))
    answers = await asyncio.gather(*(ask(running, stream=stream) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["content-type"] for answer in answers}) == 1
    assert answers[0].content.endswith(b"data: [DONE]\n\n") is stream
    assert replayed(answers) == {None: 1, "true": 99}
    assert len(upstream.journal().requests()) == 1
    (row,) = await books.settled(running, 1)
    assert row.cost > 0


async def test_without_a_key_nothing_changes(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    running = gateway(config(upstream.url))
    for _ in range(2):
        assert (await ask(running, None)).status_code == 200
    assert len(upstream.journal().requests()) == 2
    assert not (books.state(running) / "idempotency.sqlite").exists()


async def test_a_restart_forgets_nothing(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    """The second process has the state of the first."""
    first = gateway(config(upstream.url))
    told = await ask(first)
    assert first.stop() == 0
    second = gateway(config(upstream.url), env={"SLUICEGATE_STATE_DIR": str(books.state(first))})
    again = await ask(second)
    assert again.content == told.content
    assert replayed([told, again]) == {None: 1, "true": 1}
    assert len(upstream.journal().requests()) == 1


async def test_a_kill_in_the_middle_is_not_repeated(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    """Nobody knows whether the provider has charged: the key is refused, and a new one works."""
    upstream.tell("once", head_ms=60_000)
    first = gateway(config(upstream.url))
    lost = asyncio.create_task(ask(first))
    await upstream.journal().wait("request")
    first.signal(signal.SIGKILL)
    assert isinstance((await asyncio.gather(lost, return_exceptions=True))[0], httpx2.TransportError)
    first.wait()
    upstream.tell("once")
    second = gateway(config(upstream.url), env={"SLUICEGATE_STATE_DIR": str(books.state(first))})
    for _ in range(2):
        refused = await ask(second)
        assert refused.status_code == 409
        assert code(refused) == "idempotency_unknown"
    assert len(upstream.journal().requests()) == 1
    assert (await ask(second, "order-8")).status_code == 200


async def test_two_gateways_on_one_store(gateway: MakeGateway, upstream: FakeUpstream, valkey: Valkey) -> None:
    """At once, and when one of them is killed."""
    upstream.tell("once", head_ms=300)
    text = config(upstream.url, more=f"store: {valkey.url}")
    pair = [gateway(text), gateway(text)]
    answers = await asyncio.gather(*(ask(pair[number % 2]) for number in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert replayed(answers) == {None: 1, "true": 39}
    assert len(upstream.journal().requests()) == 1
    upstream.journal().mark()
    upstream.tell("once", head_ms=60_000)
    lost = asyncio.create_task(ask(pair[0], "order-8"))
    await upstream.journal().wait("request")
    pair[0].signal(signal.SIGKILL)
    await asyncio.gather(lost, return_exceptions=True)
    refused = await ask(pair[1], "order-8")  # waits until the other's lease has ended
    assert (refused.status_code, code(refused)) == (409, "idempotency_unknown")
    assert len(upstream.journal().requests()) == 1


async def test_a_store_that_is_away_fails_closed(gateway: MakeGateway, upstream: FakeUpstream, valkey: Valkey) -> None:
    running = gateway(config(upstream.url, more=f"store: {valkey.url}"))
    valkey.kill()
    refused = await ask(running)
    assert (refused.status_code, code(refused)) == (503, "idempotency_unavailable")
    assert not upstream.journal().requests()
    valkey.start()
    assert (await ask(running)).status_code == 200


async def test_a_key_is_for_one_request_of_one_caller(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    running = gateway(config(upstream.url))
    mine = await ask(running)
    reused = await ask(running, max_tokens=6)
    assert (reused.status_code, code(reused)) == (422, "idempotency_key_reused")
    assert len(upstream.journal().requests()) == 1
    theirs = await ask(running, key=OTHER, max_tokens=6)
    assert (theirs.status_code, theirs.headers.get("idempotent-replayed")) == (200, None)
    assert len(upstream.journal().requests()) == 2
    assert (await ask(running)).content == mine.content


@pytest.mark.parametrize("status", [429, 503])
async def test_a_failure_is_not_kept(status: int, gateway: MakeGateway, upstream: FakeUpstream) -> None:
    upstream.tell("once", status=status)
    running = gateway(config(upstream.url))
    assert (await ask(running)).status_code == status
    upstream.tell("once")
    again = await ask(running)
    assert (again.status_code, again.headers.get("idempotent-replayed")) == (200, None)
    assert len(upstream.journal().requests()) == 2


async def test_a_refusal_of_the_provider_is_kept(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    upstream.tell("once", status=400, body={"error": {"message": "no", "type": "invalid_request_error"}})
    running = gateway(config(upstream.url))
    first = await ask(running)
    upstream.tell("once")
    again = await ask(running)
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.content == first.content
    assert len(upstream.journal().requests()) == 1


async def test_a_stream_that_breaks_off_is_not_kept(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    upstream.tell("once", die_after=2, how="reset")
    running = gateway(config(upstream.url))
    broken = await ask(running, stream=True)
    assert b"[DONE]" not in broken.content
    upstream.tell("once")
    again = await ask(running, stream=True)
    assert again.content.endswith(b"data: [DONE]\n\n")
    assert again.headers.get("idempotent-replayed") is None
    assert len(upstream.journal().requests()) == 2


async def test_a_caller_who_leaves_gives_the_key_back(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    upstream.tell("once", gap_ms=300, tokens=200)
    running = gateway(config(upstream.url))
    headers = {"authorization": f"Bearer {WEB}", "idempotency-key": "order-7"}
    async with (
        httpx2.AsyncClient(timeout=30) as client,
        client.stream("POST", f"{running.url}/chat/completions", json=ASKED | {"stream": True}, headers=headers) as one,
    ):
        async for _ in one.aiter_bytes():
            break
    upstream.tell("once")
    again = await ask(running, stream=True)
    assert (again.status_code, again.headers.get("idempotent-replayed")) == (200, None)
    assert len(upstream.journal().requests()) == 2


async def test_a_duplicate_does_not_wait_for_ever(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    upstream.tell("once", head_ms=1500)
    running = gateway(config(upstream.url, settings="{wait: 50ms}"))
    first = asyncio.create_task(ask(running))
    await upstream.journal().wait("request")
    second = await ask(running)
    assert (second.status_code, code(second)) == (409, "idempotency_in_progress")
    assert int(second.headers["retry-after"]) >= 1
    assert (await first).status_code == 200


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_answer_too_large_is_not_made_again(
    stream: bool, gateway: MakeGateway, upstream: FakeUpstream
) -> None:
    upstream.tell("once", text="x" * 5000)
    running = gateway(config(upstream.url, settings="{max_body: 2KiB}"))
    assert len((await ask(running, stream=stream)).content) > 5000
    again = await ask(running, stream=stream)
    assert (again.status_code, code(again)) == (409, "idempotency_answer_too_large")
    assert len(upstream.journal().requests()) == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\there"])
async def test_keys_that_are_none(key: str, gateway: MakeGateway, upstream: FakeUpstream) -> None:
    running = gateway(config(upstream.url))
    refused = await ask(running, key)
    assert (refused.status_code, code(refused)) == (400, "invalid_idempotency_key")
    assert not upstream.journal().requests()


async def test_a_key_may_be_required(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    running = gateway(config(upstream.url, settings="{required: true}"))
    refused = await ask(running, None)
    assert (refused.status_code, code(refused)) == (400, "invalid_idempotency_key")
    assert (await ask(running)).status_code == 200
