"""Kept answers in the ledger and by content: rows of hits, times by rules, templates and versions, text completions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from proxy.ledger.row import Row
from tests.support import books
from tests.support.gateway import Gateway
from tests.support.journal import JournalReader
from tests.support.nursery import sluicegate
from tests.support.scale import PATIENCE
from tests.support.upstream import FakeUpstream

KEY = "sk-web-0123456789-0123456789-abcdef"
CHAT, TEXT, EMBEDDINGS = "chat/completions", "completions", "embeddings"
FOLLOWERS = 12
_number = count()
Ask = Callable[..., Awaitable[httpx2.Response]]
MODELS = ("kept", "late", "behind", "ruled", "named", "other")


def config(url: str, *, template: str = "support@3", model: str = "named", entity: str = "email") -> str:
    """Routes with caches; ``named`` has what a reload may change."""
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up, models: {{"*": {{price: {{input: $1, output: $10}}}}}}}}
tenants:
  acme: {{budget: $1000/month, teams: {{search: {{keys: {{web: {{hash: "{books.hashed(KEY)}"}}}}}}}}}}
routes:
  kept: {{models: [kept], policies: [authenticate, quota, cache: {{temperature: any}}], target: up/kept}}
  late:
    models: [late]
    policies: [authenticate, quota, cache: {{ttl: 1ms, temperature: any, stale_if_error: 1h}}]
    target: up/late
  behind:
    models: [behind]
    policies: [authenticate, quota, cache: {{ttl: 1ms, temperature: any, stale_while_revalidate: 1h}}]
    target: up/behind
  ruled:
    models: [ruled]
    policies:
      - authenticate
      - quota
      - tags: {{accept: [template, feature]}}
      - cache:
          temperature: any
          ttl_rules:
            - {{if: "tags.feature == 'live'", ttl: 0s}}
            - {{match: "\\\\b(today|now)\\\\b", ttl: 0s}}
    target: up/ruled
  named:
    models: [named]
    policies:
      - authenticate
      - quota
      - pii: {{on: input, entities: {{{entity}: redact}}}}
      - cache: {{temperature: any, template: "{template}"}}
    target: up/{model}
retries: {{max: 0}}
health: {{enabled: false}}
overload: {{enabled: false}}
"""


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    return module_gateway(config(upstream_process.url))


@pytest.fixture
def journal(upstream: FakeUpstream) -> JournalReader:
    """What happens from now on, models answering at once."""
    for model in MODELS:
        upstream.tell(model)
    upstream.journal().mark()
    return upstream.journal()


@pytest.fixture
async def ask(running: Gateway) -> AsyncIterator[Ask]:
    async with httpx2.AsyncClient(timeout=60, headers={"authorization": f"Bearer {KEY}"}) as client:

        async def send(
            text: str, model: str = "kept", *, path: str = CHAT, tags: str = "", **more: Any
        ) -> httpx2.Response:
            said = {"prompt": text} if path == TEXT else {"messages": [{"role": "user", "content": text}]}
            if path == EMBEDDINGS:
                said = {"input": text}
            headers = {"x-sluicegate-tags": tags} if tags else {}
            return await client.post(f"{running.url}/{path}", json={"model": model, **said, **more}, headers=headers)

        yield send


def new() -> str:
    """A question that nobody has asked."""
    return f"What about {next(_number)}?"


def cached(answer: httpx2.Response) -> str | None:
    """What its header says."""
    found: str | None = answer.headers.get("x-sluicegate-cache")
    return found


async def rows_of(running: Gateway, answers: list[httpx2.Response], each: int = 1) -> list[Row]:
    """The rows of these requests, ``each`` of every one, in this order."""
    ids = [answer.headers["x-request-id"] for answer in answers]
    async with asyncio.timeout(PATIENCE):
        while True:
            every = await asyncio.to_thread(books.rows, books.state(running))
            found = [[row for row in every if row.request == id and row.status != "open"] for id in ids]
            if all(len(rows) >= each for rows in found):
                assert all(len(rows) == each for rows in found), found
                return [row for rows in found for row in sorted(rows, key=lambda row: row.number)]
            await asyncio.sleep(books.POLL)


# Rows


async def test_a_hit_is_a_row_that_cost_nothing(ask: Ask, running: Gateway, journal: JournalReader) -> None:
    """Whole or streamed: whose it was, who had answered, and what that had cost."""
    question = new()
    answers = [await ask(question), await ask(question), await ask(question, stream=True)]
    assert [cached(answer) for answer in answers] == ["miss", "hit", "hit"]
    first, *hits = await rows_of(running, answers)
    assert (first.cache, first.saved) == ("", 0)
    assert first.cost > 0
    for row in hits:
        assert (row.cache, row.status, row.cost, row.bound_cost, row.source) == ("exact", "ok", 0, 0, "none")
        assert (row.saved, row.saved_input, row.saved_output) == (first.cost, first.input, first.output)
        assert (row.organisation, row.team, row.key, row.route) == ("acme", "search", "web", "kept")
        assert (row.provider, row.model, row.asked, row.number) == ("up", "kept", "kept", 1)
    assert [row.stream for row in hits] == [False, True]
    assert len(journal.requests()) == 1


async def test_an_old_answer_stands_after_what_failed(ask: Ask, running: Gateway, upstream: FakeUpstream) -> None:
    question = new()
    upstream.tell("late")
    await ask(question, "late")
    upstream.tell("late", status=500)
    await asyncio.sleep(0.01)  # longer than it is fresh
    answer = await ask(question, "late")
    assert cached(answer) == "stale"
    failed, stale = await rows_of(running, [answer], 2)
    assert (failed.number, failed.status, failed.cache) == (1, "error", "")
    assert (stale.number, stale.status, stale.cache, stale.cost) == (2, "ok", "stale", 0)
    assert stale.saved > 0


async def test_what_is_asked_behind_an_old_answer_is_a_request_of_its_own(
    ask: Ask, running: Gateway, journal: JournalReader
) -> None:
    """The old answer is free, the new one is paid; each is numbered by itself."""
    question = new()
    await ask(question, "behind")
    await asyncio.sleep(0.01)  # longer than it is fresh
    answer = await ask(question, "behind")
    assert cached(answer) == "stale"
    (stale,) = await rows_of(running, [answer])
    answer.headers["x-request-id"] += "-refresh"
    (anew,) = await rows_of(running, [answer])
    assert (stale.number, stale.cache, stale.cost, anew.number, anew.cache) == (1, "stale", 0, 1, "")
    assert anew.cost == stale.saved > 0
    assert len(journal.requests()) == 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_who_shared_a_request_has_a_row(
    stream: bool, ask: Ask, running: Gateway, upstream: FakeUpstream, journal: JournalReader
) -> None:
    """One attempt was paid, and each of the others has saved what it cost."""
    upstream.tell("kept", ttft_ms=300)
    question = new()
    answers = await asyncio.gather(*(ask(question, stream=stream) for _ in range(FOLLOWERS)))
    found = await rows_of(running, list(answers))
    (paid,) = [row for row in found if not row.cache]
    others = [row for row in found if row.cache]
    assert len(others) == FOLLOWERS - 1
    assert {row.cache for row in others} <= {"shared", "exact"}
    assert "shared" in {row.cache for row in others}
    assert {(row.cost, row.saved) for row in others} == {(0, paid.cost)}
    told = json.loads((await asyncio.to_thread(running.get, "/admin/cache"))[1])["caches"]
    (kept,) = [one for one in told if one["route"] == "kept"]
    every: list[Row] = await asyncio.to_thread(books.rows, books.state(running))
    assert round(kept["saved"]["cost"] * 1e9) == sum(row.saved for row in every if row.route == "kept")
    assert len(journal.requests()) == 1


async def test_usage_counts_what_was_saved_and_the_ledger_is_in_order(
    ask: Ask, running: Gateway, tmp_path: Path
) -> None:
    """By any dimension; budgets are charged for attempts alone."""
    question = new()
    await rows_of(running, [await ask(question), await ask(question)])

    def told(*words: str) -> Any:
        done = sluicegate(*words, "--config", str(running.config), "--json", folder=running.folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    every: list[Row] = await asyncio.to_thread(books.rows, books.state(running))
    found = await asyncio.to_thread(told, "usage", "--by", "cache")
    groups = {group["cache"]: group for group in found["groups"]}
    assert groups["exact"]["requests"] == groups["exact"]["hits"] == sum(row.cache == "exact" for row in every)
    assert (groups["exact"]["attempts"], groups["exact"]["cost"]) == (0, 0)
    assert (groups[""]["hits"], groups[""]["saved"]) == (0, 0)
    total = found["total"]
    assert total["saved"] == sum(row.saved for row in every) > 0
    assert total["saved_tokens"] == sum(row.saved_input + row.saved_output for row in every)
    assert total["cost"] == sum(row.cost for row in every)
    assert total["attempts"] == sum(not row.cache for row in every)
    (budget,) = found["runways"]
    assert budget["spent"] == sum(row.cost for row in every)
    verified = await asyncio.to_thread(told, "ledger", "verify")
    assert verified["violations"] == []
    assert verified["rows"] == len(every)


# Times, names, versions


async def test_times_by_content(ask: Ask, running: Gateway, journal: JournalReader) -> None:
    """What a rule gives no time is asked anew, and the receipt says why."""
    question = new()
    live = [await ask(f"{question} Today?", "ruled") for _ in range(2)]
    live += [await ask(question, "ruled", tags="feature=live") for _ in range(2)]
    assert {cached(answer) for answer in live} == {"bypass"}
    noted = await running.logged("request", request_id=live[0].headers["x-request-id"])
    assert r"says the rule `\b(today|now)\b`" in noted["notes"]["cache"]
    assert [cached(await ask(f"{question} Yesterday?", "ruled")) for _ in range(2)] == ["miss", "hit"]
    assert len(journal.requests()) == 5


async def test_versions_of_a_template_the_callers_way(ask: Ask, running: Gateway, journal: JournalReader) -> None:
    """Each has answers of its own; all of them, one of them, or those of one model's version can be forgotten."""
    question = new()

    async def asked(version: int) -> str | None:
        return cached(await ask(question, "ruled", tags=f"template=support@{version}"))

    async def forget(tag: str) -> int:
        async with httpx2.AsyncClient() as client:
            found = await client.post(f"{running.origin}/admin/cache", json={"tag": tag, "reason": "a new version"})
        assert found.status_code == 200, found.text
        return int(found.json()["entries"])

    assert [await asked(version) for version in (3, 4, 3, 4)] == ["miss", "miss", "hit", "hit"]
    assert await forget("template:support@3") == 1
    assert [await asked(version) for version in (3, 4)] == ["miss", "hit"]
    assert await forget("template:support") == 2
    assert [await asked(version) for version in (3, 4)] == ["miss", "miss"]
    assert await forget("version:ruled-0") == 0
    assert await forget("version:ruled") >= 2  # as the provider calls itself
    assert [await asked(version) for version in (3, 4)] == ["miss", "miss"]


@pytest.mark.parametrize(
    "changed", [{"template": "support@4"}, {"model": "other"}, {"entity": "phone"}], ids=lambda one: next(iter(one))
)
async def test_a_reload_that_changes_an_answer_forgets_it(
    changed: dict[str, str], ask: Ask, running: Gateway, upstream_process: FakeUpstream, journal: JournalReader
) -> None:
    """The template, the model behind a name, or a guard. With the file of before, answers of before are good again."""
    question, told = new(), []
    told.append(cached(await ask(question, "named")))
    for file in (config(upstream_process.url, **changed), config(upstream_process.url)):
        generation = await asyncio.to_thread(running.generation)
        running.write(file)
        await running.reloaded(generation + 1)
        told += [cached(await ask(question, "named")) for _ in range(2)]
    assert told == ["miss", "miss", "hit", "hit", "hit"]
    assert len(journal.requests()) == 2


# What is no conversation


async def test_text_completions_are_given_again(ask: Ask, running: Gateway, journal: JournalReader) -> None:
    """In the form in which they were kept: nobody can turn one into the other without knowing it."""
    question = new()
    for stream in (False, True):
        answers = [await ask(question, path=TEXT, stream=stream) for _ in range(3)]
        assert [cached(answer) for answer in answers] == ["miss", "hit", "hit"]
        bodies = {answer.text.replace(_id(answer), "") for answer in answers}
        assert len({_id(answer) for answer in answers}) == 3
        assert len({_text(body) for body in bodies}) == 1
        assert answers[1].text.endswith("data: [DONE]\n\n") is stream
        assert [row.cache for row in await rows_of(running, answers)] == ["", "exact", "exact"]
    assert len(journal.requests()) == 2


def _id(answer: httpx2.Response) -> str:
    """Of the answer, or of its first event."""
    found: str = json.loads(answer.text.split("\n")[0].removeprefix("data: "))["id"]
    return found


def _text(body: str) -> str:
    """All of it."""
    events = [json.loads(line) for line in body.replace("data: ", "").split("\n") if line.startswith("{")]
    return "".join(choice["text"] for event in events for choice in event["choices"])


async def test_a_text_that_was_cut_off_is_not_kept(ask: Ask, upstream: FakeUpstream, journal: JournalReader) -> None:
    question = new()
    upstream.tell("kept", finish="length")
    assert [cached(await ask(question, path=TEXT)) for _ in range(2)] == ["miss"] * 2
    upstream.tell("kept", done=False)
    assert [cached(await ask(question, path=TEXT, stream=True)) for _ in range(2)] == ["miss"] * 2
    assert len(journal.requests()) == 4


async def test_embeddings_are_given_again(ask: Ask, running: Gateway, journal: JournalReader) -> None:
    question = new()
    answers = [await ask(question, path=EMBEDDINGS) for _ in range(2)]
    assert [cached(answer) for answer in answers] == ["miss", "hit"]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    assert [row.cache for row in await rows_of(running, answers)] == ["", "exact"]
