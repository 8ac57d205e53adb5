"""Kept answers over the wire, in one gateway's memory and in a real store that two gateways share.

What counts is the provider's journal, the store's own account, and the bytes that callers get. CAC-01, 02, 05, 06, 07.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count, cycle
from typing import Any

import httpx2
import pytest
from redis import Redis

from tests.support import books
from tests.support.gateway import Gateway
from tests.support.guardian import Guardian
from tests.support.heard.table import EARS
from tests.support.journal import JournalReader
from tests.support.scale import PATIENCE, often
from tests.support.upstream import FakeUpstream
from tests.support.valkey import Valkey

WEB, APP, OTHER = (f"sk-{name}-0123456789-0123456789-abcdef" for name in ("web", "app", "other"))
# What is another each time, whoever asks for whatever.
OF_ONE_REQUEST = ("x-request-id", "x-sluicegate-overhead-ms", "date")
_number = count(100)  # three digits are one token: equal questions cost the same
pytestmark = pytest.mark.soak


def config(url: str, guard: str, more: str = "") -> str:
    """Two keys of one team, and one of another organisation; a service that judges answers, hits as well."""
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up, models: {{"*": {{price: {{input: $1, output: $10}}}}}}}}
tenants:
  acme: {{teams: {{search: {{keys: {{web: {{hash: "{books.hashed(WEB)}"}}, app: {{hash: "{books.hashed(APP)}"}}}}}}}}}}
  other: {{teams: {{ads: {{keys: {{shop: {{hash: "{books.hashed(OTHER)}"}}}}}}}}}}
routes:
  any: {{models: [any], policies: [authenticate, cache: {{temperature: any}}], target: up/any}}
  here:
    models: [here]
    policies: [authenticate, cache: {{temperature: any, when_store_fails: memory}}]
    target: up/any
  judged:
    models: [judged]
    policies: [authenticate, webhook: {{url: "{guard}", on: output, timeout: 30s}}, cache: {{temperature: any}}]
    target: up/any
retries: {{max: 0}}
health: {{enabled: false}}
overload: {{enabled: false}}
{more}"""


@pytest.fixture(scope="module")
def guardian() -> Iterator[Guardian]:
    """The service."""
    made = Guardian()
    yield made
    made.close()


class Place:
    """Where answers are kept. Requests go to its gateways in turn."""

    def __init__(self, gateways: list[Gateway], store: Valkey | None) -> None:
        self.gateways = gateways
        self.store = store
        self._turn = cycle(gateways)

    async def ask(
        self, client: httpx2.AsyncClient, text: str, model: str = "any", *, key: str = WEB, **more: Any
    ) -> httpx2.Response:
        """The next gateway's answer."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        headers = {"authorization": f"Bearer {key}"}
        return await client.post(f"{next(self._turn).url}/chat/completions", json=body, headers=headers)

    def kept(self) -> int:
        """How many answers there are."""
        if self.store is None:
            return sum(one["entries"] for one in json.loads(self.gateways[0].get("/admin/cache")[1])["caches"])
        with Redis.from_url(self.store.url) as client:
            return sum(b"invalidated" not in name for name in client.scan_iter("sluicegate:cache:*"))

    def metric(self, name: str) -> float:
        """Of all its gateways."""
        lines = [line for one in self.gateways for line in one.get("/metrics")[1].decode().splitlines()]
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


@pytest.fixture(scope="module")
def places(
    module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream, guardian: Guardian, module_valkey: Valkey
) -> dict[str, Place]:
    url, shared = upstream_process.url, f"store: {module_valkey.url}\n"
    return {
        "memory": Place([module_gateway(config(url, guardian.url))], None),
        "valkey": Place([module_gateway(config(url, guardian.url, shared)) for _ in range(2)], module_valkey),
    }


@pytest.fixture(params=["memory", "valkey"])
def place(request: pytest.FixtureRequest, places: dict[str, Place], guardian: Guardian) -> Place:
    """One gateway, or two that share."""
    guardian.reset()
    return places[request.param]


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=60, limits=httpx2.Limits(max_connections=None)) as made:
        yield made


@pytest.fixture
def journal(upstream: FakeUpstream) -> JournalReader:
    """What happens from now on."""
    upstream.tell("any")
    upstream.journal().mark()
    return upstream.journal()


def new() -> str:
    """A question that nobody has asked."""
    return f"What of {next(_number)}?"


def cached(answer: httpx2.Response) -> str:
    """What its header says."""
    found: str = answer.headers["x-sluicegate-cache"]
    return found


async def hit(place: Place, client: httpx2.AsyncClient, text: str, **more: Any) -> httpx2.Response:
    """The answer that is kept. On a crowded machine a store may be late, which is a miss."""
    async with asyncio.timeout(PATIENCE):
        while cached(answer := await place.ask(client, text, **more)) != "hit":
            await asyncio.sleep(0.02)
    return answer


async def test_nobody_gets_what_was_answered_to_another(
    place: Place, client: httpx2.AsyncClient, journal: JournalReader
) -> None:
    """Each key has its own, in every gateway."""
    question, before = new(), place.kept()
    for key in (WEB, APP, OTHER):
        assert cached(await place.ask(client, question, key=key)) == "miss"
    assert len(journal.requests()) == 3
    answers = [await hit(place, client, question, key=key) for key in (WEB, APP, OTHER)]
    assert place.kept() == before + 3
    assert len({answer.json()["id"] for answer in answers}) == 3


NEVER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an error": ({"status": 500}, {}),
    "too long": ({"finish": "length"}, {}),
    "empty": ({"text": ""}, {}),
    "a stream without its end": ({"done": False}, {"stream": True}),
    "a stream that dies": ({"die_after": 2}, {"stream": True}),
}


@pytest.mark.parametrize("name", NEVER, ids=lambda name: name.replace(" ", "_"))
async def test_bad_answers_are_never_kept(
    name: str, place: Place, client: httpx2.AsyncClient, upstream: FakeUpstream, journal: JournalReader
) -> None:
    """By the store's account, and in what the provider is asked."""
    script, more = NEVER[name]
    upstream.tell("any", **script)
    question, before = new(), place.kept()
    assert [cached(await place.ask(client, question, **more)) for _ in range(2)] == ["miss", "miss"]
    assert len(journal.requests()) == 2
    assert place.kept() == before


async def test_a_prober_sees_no_difference(place: Place, client: httpx2.AsyncClient) -> None:
    """Between what another has asked and what nobody has: in no header."""
    known = new()
    await place.ask(client, known)
    await hit(place, client, known)
    for key in (APP, OTHER):
        seen = []
        for text in (known, new()):
            answer = await place.ask(client, text, key=key)
            seen.append({name: value for name, value in answer.headers.items() if name not in OF_ONE_REQUEST})
        assert seen[0] == seen[1]


async def test_many_at_once_are_one_in_each_gateway(
    place: Place, client: httpx2.AsyncClient, upstream: FakeUpstream, journal: JournalReader
) -> None:
    """Who waits, waits for its own gateway."""
    many, question = often(40, 1000), new()
    upstream.tell("any", head_ms=500)
    answers = await asyncio.gather(*(place.ask(client, question) for _ in range(many)))
    assert Counter(answer.status_code for answer in answers) == {200: many}
    assert 1 <= len(journal.requests()) <= len(place.gateways)
    ids = Counter(answer.json()["id"] for answer in answers)
    assert len(ids) >= many - len(place.gateways) + 1  # those that were sent have the provider's, which has but one


async def test_a_leader_that_leaves_costs_one_request_more(
    place: Place, client: httpx2.AsyncClient, upstream: FakeUpstream, journal: JournalReader
) -> None:
    """In its gateway; nobody else fails."""
    question = new()
    upstream.tell("any", head_ms=500)
    leader = asyncio.create_task(place.ask(client, question))
    await journal.wait("request")
    others = [asyncio.create_task(place.ask(client, question)) for _ in range(20)]
    await asyncio.sleep(0.1)  # whether they wait already or not, all must get an answer
    leader.cancel()
    answers = await asyncio.gather(*others)
    assert Counter(answer.status_code for answer in answers) == {200: 20}
    assert len(journal.requests()) <= 1 + len(place.gateways)


@pytest.mark.parametrize("first", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("then", [False, True], ids=["whole", "stream"])
async def test_a_hit_is_a_good_answer_at_no_cost(
    first: bool, then: bool, place: Place, client: httpx2.AsyncClient, journal: JournalReader
) -> None:
    """By the rules of its format, whichever gateway gives it."""
    question, ears = new(), EARS["openai_chat"]
    before = await place.ask(client, question, stream=first)
    for _ in place.gateways:
        after = await hit(place, client, question, stream=then)
        assert after.headers["x-sluicegate-cost"] == "0.000000000"
        one = (ears.stream if first else ears.whole)(before.content)
        other = (ears.stream if then else ears.whole)(after.content)
        assert (other.text, other.stop) == (one.text, one.stop)
        assert one.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_hit_is_judged_anew(
    stream: bool, place: Place, client: httpx2.AsyncClient, guardian: Guardian, upstream: FakeUpstream
) -> None:
    """By a guard that has let it pass before, and does not any more."""
    upstream.tell("any", text="The answer is Ada.")
    question = new()
    await place.ask(client, question, "judged", stream=stream)
    assert "Ada" in (await hit(place, client, question, model="judged", stream=stream)).text
    guardian.says = {"verdict": "block", "message": "Not any more."}
    upstream.journal().mark()
    answer = await hit(place, client, question, model="judged", stream=stream)
    assert "Ada" not in answer.text
    assert "Not any more." in answer.text
    assert upstream.journal().requests() == []


async def test_without_its_store_it_is_as_configured(
    places: dict[str, Place], client: httpx2.AsyncClient, journal: JournalReader
) -> None:
    """A miss, or this gateway's memory; and it is told of. When the store is back, so are hits."""
    place, question = places["valkey"], new()
    assert place.store is not None
    await place.ask(client, question)
    await hit(place, client, question)
    place.store.kill()
    try:
        assert [cached(await place.ask(client, question)) for _ in range(4)] == ["miss"] * 4
        results = [cached(await place.ask(client, question, "here")) for _ in range(4)]
        assert results == ["miss", "miss", "hit", "hit"]
        assert place.metric("sluicegate_cache_store_failures_total") >= 6
        for one in place.gateways:
            await one.logged("store.lost")
    finally:
        place.store.start()
    await hit(place, client, question)
