"""The policy `cache`: what it finds and keeps, who waits for whom, what it says. CAC-01, 02, 05, 06, 07."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from proxy.caching.entry import Entry
from proxy.errors import BadAnswer
from proxy.exchange import Exchange
from proxy.guarding.verdict import Verdict
from proxy.policy import Answer
from tests.support.caching import STREAM, House, answered, asked, flowing, said

ANTHROPIC = json.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
).encode()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def headers(x: Exchange) -> dict[bytes, bytes]:
    """Those that the policy adds."""
    return dict(x.reply_headers)


# Hits


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("then", [False, True])
async def test_a_hit_answers_either_form(first: bool, then: bool, house: House) -> None:
    """With an age, and a note of what it saves; nobody is asked."""
    assert (await house.ask(asked(stream=first)))[0] == "miss"
    house.clock.at += 12
    x = asked(stream=then)
    result, body = await house.ask(x)
    assert result == "hit"
    assert b"Hel" in body
    assert x.request_id.rpartition("_")[2].encode() in body
    assert body.endswith(b"data: [DONE]\n\n") is then
    assert headers(x)[b"age"] == b"12"
    assert x.attempts == []
    assert x.notes["cache"].endswith("12 s old, saves $0.000000")
    assert "saves" in house.policy.explain(x)


@pytest.mark.parametrize("stream", [False, True])
async def test_other_dialects_are_kept_too(stream: bool, house: House) -> None:
    """By their own ways to tell the end."""
    more: dict[str, Any] = {"path": "/v1/messages", "max_tokens": 5}
    x = asked(**more)
    await house.ask(x, answered(x, ANTHROPIC))
    x = asked(stream=stream, **more)
    result, body = await house.ask(x)
    assert result == "hit"
    assert (b"message_stop" in body) is stream
    assert b'"msg_1"' not in body


async def test_embeddings_are_kept(tmp_path: Path) -> None:
    """They have no temperature."""
    house = House(tmp_path, "{}")
    for expected in ("miss", "hit"):
        x = asked(path="/v1/embeddings", input="Hi")
        assert (await house.ask(x, answered(x, b'{"data": [{"embedding": [0.5]}]}'))) == (
            expected,
            b'{"data": [{"embedding": [0.5]}]}',
        )


async def test_its_time_is_over(house: House) -> None:
    await house.ask(asked())
    house.clock.at += 599
    assert await house.asks(asked()) == ["hit"]
    house.clock.at += 2
    assert await house.asks(asked()) == ["miss"]


async def test_callers_say_how_old_it_may_be(house: House) -> None:
    await house.ask(asked())
    house.clock.at += 50
    assert await house.asks(asked(control=b"max-age=60"), asked(control=b"max-age=40"), asked()) == [
        "hit",
        "miss",
        "hit",
    ]
    house.clock.at += 41  # what was asked for with max-age=40 is kept no longer than that
    assert await house.asks(asked()) == ["miss"]


async def test_callers_ask_anew_or_leave_nothing(house: House) -> None:
    said_by = [b"no-store", b"", b"no-cache", b""]
    assert await house.asks(*(asked(control=one) for one in said_by)) == ["miss", "miss", "bypass", "hit"]
    refused = await house.policy.on_request(asked(control=b"nonsense"))
    assert refused is not None
    assert (refused.status, refused.code) == (400, "invalid_cache_control")


async def test_what_cannot_be_compared_is_left_alone(house: House) -> None:
    x = asked(body=b'{"model": "m", "messages": [], "messages": []}')
    assert (await house.ask(x))[0] == "bypass"
    assert "twice" in x.notes["cache"]
    assert "twice" in house.policy.explain(x)


# Scope


@pytest.mark.parametrize("scope", ["key", "team", "organisation", "global"])
async def test_a_prober_beyond_the_scope_learns_nothing(scope: str, tmp_path: Path) -> None:
    """What was asked by somebody, and what was asked by nobody: the same for others, in every answer and step."""
    house = House(tmp_path, f"{{temperature: any, scope: {scope}}}")
    await house.ask(asked("known"))
    web, app, ads, other = (
        ("acme", "search", "web"),
        ("acme", "search", "app"),
        ("acme", "ads", "k"),
        ("other", "o", "o"),
    )
    within = {"key": web, "team": app, "organisation": ads, "global": other}
    beyond = {"key": app, "team": ads, "organisation": other}
    if scope in beyond:
        seen = []
        for text in ("known", "unknown"):
            x = asked(text, who=beyond[scope])
            assert await house.policy.on_request(x) is None
            seen.append((x.detour, headers(x), len(house.room.flights)))
            house.policy.on_close(x)
        assert seen[0] == seen[1]
    assert await house.asks(asked("known", who=within[scope])) == ["hit"]


# What is not kept


REFUSED: dict[str, Callable[[Exchange], Answer]] = {
    "an error": lambda x: answered(x, b'{"error": {}}', 500),
    "too long": lambda x: answered(x, said(finish="length")),
    "empty": lambda x: answered(x, said("")),
    "nobody was asked": lambda x: Answer(200, [], body=said(), target="cache_semantic"),
    "larger than may be": lambda x: answered(x, said("a" * 2_000_000)),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_bad_answers_are_not_kept(name: str, house: House) -> None:
    for _ in range(2):
        x = asked()
        assert (await house.ask(x, REFUSED[name](x)))[0] == "miss"
    assert len(house.room.memory) == 0


def warned() -> Verdict:
    """Of a guard that lets it pass."""
    verdict = Verdict("output")
    verdict.note("email", "warn", "choice 0 text")
    return verdict


NOTED: dict[str, Callable[[Exchange], None]] = {
    "blocked by a guard": lambda x: x.notes.update(replaced_by="guard"),
    "redacted, or with personal data": lambda x: setattr(x, "unkept", "personal data"),
    "a guard has only warned": lambda x: x.verdicts.append(warned()),
    "by another than the first choice": lambda x: setattr(x, "degraded", "overloaded"),
}


@pytest.mark.parametrize("name", NOTED)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_others_say_of_an_answer_counts(name: str, stream: bool, house: House) -> None:
    """Also if it is said after the answer has come."""
    x = asked(stream=stream)
    await house.policy.on_request(x)
    answer = flowing(x, *STREAM) if stream else answered(x)
    house.policy.on_response(x, answer)
    if answer.chunks is not None:
        assert [chunk async for chunk in answer.chunks]
    NOTED[name](x)
    house.policy.on_close(x)
    assert len(house.room.memory) == 0
    assert "not kept" in x.notes["cache"]


@pytest.mark.parametrize(
    ("chunks", "failure"), [(STREAM[:3], None), (STREAM[:2], BadAnswer("no"))], ids=["no end", "fails"]
)
async def test_broken_streams_are_not_kept(chunks: list[bytes], failure: Exception | None, house: House) -> None:
    x = asked(stream=True)
    answer = flowing(x, *chunks, failure=failure)
    if failure is None:
        await house.ask(x, answer)
    else:
        with pytest.raises(BadAnswer):
            await house.ask(x, answer)
    assert await house.asks(asked(stream=True)) == ["miss"]


async def test_what_is_forgotten_meanwhile_is_not_kept(house: House) -> None:
    """An answer that was asked for before."""
    x = asked()
    await house.policy.on_request(x)
    house.policy.on_response(x, answered(x))
    await house.room.invalidate("model:m")
    house.policy.on_close(x)
    assert len(house.room.memory) == 0


# Those who wait


async def _follow(house: House, count: int, **more: Any) -> tuple[Exchange, list[asyncio.Task[Any]]]:
    """One that leads, and others who wait."""
    leader = asked(**more)
    assert await house.policy.on_request(leader) is None
    tasks = [asyncio.create_task(house.ask(asked(**more))) for _ in range(count)]
    await asyncio.sleep(0)
    return leader, tasks


@pytest.mark.parametrize("stream", [False, True])
async def test_many_at_once_are_one(stream: bool, house: House) -> None:
    """A thousand: each has all of it, and an id of its own."""
    leader, tasks = await _follow(house, 1000, stream=stream)
    answer = flowing(leader, *STREAM) if stream else answered(leader)
    house.policy.on_response(leader, answer)
    if answer.chunks is not None:
        assert [chunk async for chunk in answer.chunks]
    house.policy.on_close(leader)
    found = await asyncio.gather(*tasks)
    assert Counter(result for result, _ in found) == {"hit": 1000}
    assert len({body for _, body in found}) == 1000
    assert house.room.stats.requests == {"miss": 1, "shared": 1000}
    assert len(house.room.flights) == 0
    assert await house.asks(asked(stream=stream)) == ["hit"]


async def test_one_takes_over_when_the_leader_leaves(house: House) -> None:
    leader, tasks = await _follow(house, 5)
    house.policy.on_close(leader)
    found = await asyncio.gather(*tasks)
    assert Counter(result for result, _ in found) == {"miss": 1, "hit": 4}


async def test_a_failure_is_handed_on_after_the_second(house: House) -> None:
    leader, tasks = await _follow(house, 5)
    await _fails(house, leader)
    found = await asyncio.gather(*tasks)  # the answer of the second is a good one
    assert Counter(result for result, _ in found) == {"miss": 1, "hit": 4}


async def _fails(house: House, x: Exchange) -> None:
    house.policy.on_response(x, answered(x, b'{"error": {}}', 503))
    house.policy.on_close(x)


async def test_who_is_in_a_hurry_flies_alone(house: House) -> None:
    """Its end would be that of all."""
    hurried = asked()
    hurried.headers.append((b"x-deadline-ms", b"1000"))
    hurried.deadline = hurried.received + 1
    await house.policy.on_request(hurried)
    assert len(house.room.flights) == 0
    assert await house.asks(asked()) == ["miss"]
    house.policy.on_close(hurried)


async def test_less_time_for_everybody_is_no_hurry(house: House) -> None:
    """As `limits` before it may leave it."""
    x = asked()
    x.deadline = x.received + 1
    await house.policy.on_request(x)
    assert len(house.room.flights) == 1
    house.policy.on_close(x)


async def test_nobody_looks_hurried_by_rounding(house: House) -> None:
    """Whenever it came: a moment and what is left of it do not always add up to the same as they did."""
    for number in range(50):
        x = asked(str(number))
        x.headers.append((b"x-deadline-ms", b"900000"))
        x.received = 65_100 + number / 7
        x.deadline = x.received + 600
        await house.policy.on_request(x)
        assert len(house.room.flights) == 1
        house.policy.on_close(x)


class Slow:
    """A store that has not answered yet."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def find(self, key: bytes, tags: Sequence[str]) -> tuple[bytes | None, tuple[int, ...]]:
        """Later."""
        self.asked.set()
        await asyncio.sleep(60)
        return None, ()


async def test_who_leaves_while_the_store_is_asked_leads_no_more(house: House) -> None:
    """The phases after it are not called for a policy that is not through."""
    slow: Any = Slow()
    house.caches.shared = slow
    leader = asyncio.create_task(house.policy.on_request(asked()))
    await slow.asked.wait()
    assert len(house.room.flights) == 1
    leader.cancel()
    await asyncio.gather(leader, return_exceptions=True)
    assert len(house.room.flights) == 0


async def test_requests_of_two_forms_fly_apart(house: House) -> None:
    leader, tasks = await _follow(house, 1)
    assert await house.asks(asked(stream=True)) == ["miss"]
    house.policy.on_close(leader)
    await asyncio.gather(*tasks)


async def test_without_it_each_asks_alone(tmp_path: Path) -> None:
    house = House(tmp_path, "{temperature: any, single_flight: false}")
    leader, tasks = await _follow(house, 3)
    assert {(await task)[0] for task in tasks} == {"miss", "hit"}
    house.policy.on_close(leader)


# What is too old


async def test_an_old_answer_takes_the_place_of_a_failure(tmp_path: Path) -> None:
    house = House(tmp_path, "{temperature: any, ttl: 1m, stale_if_error: 1h}")
    await house.ask(asked())
    house.clock.at += 120
    for status, expected in ((503, 200), (429, 200), (400, 400)):
        x = asked()
        await house.policy.on_request(x)
        answer = answered(x, b'{"error": {}}', status)
        house.policy.on_response(x, answer)
        house.policy.on_close(x)
        assert answer.status == expected
        if expected == 200:
            assert [value for name, value in x.reply_headers if name == b"warning"][1].startswith(b"111")
            assert headers(x)[b"x-sluicegate-cache"] == b"stale"
            assert x.notes["cache_instead_of"] == f"{status} upstream_error"
            assert answer.code is None
    house.clock.at += 3600
    x = asked()
    await house.policy.on_request(x)
    answer = answered(x, b"{}", 503)
    house.policy.on_response(x, answer)
    house.policy.on_close(x)
    assert answer.status == 503


async def test_a_refusal_of_our_own_is_no_failure(tmp_path: Path) -> None:
    """Whoever is over a limit does not get around it."""
    house = House(tmp_path, "{temperature: any, ttl: 1m, stale_if_error: 1h}")
    await house.ask(asked())
    house.clock.at += 120
    x = asked()
    await house.policy.on_request(x)
    x.notes["refused_by"] = "quota"
    answer = Answer(429, [], body=b"{}", code="rate_limited")
    house.policy.on_response(x, answer)
    house.policy.on_close(x)
    assert answer.status == 429


async def test_an_old_answer_is_given_while_it_is_asked_for_anew(tmp_path: Path) -> None:
    house = House(tmp_path, "{temperature: any, ttl: 1m, stale_while_revalidate: 1h}")
    await house.ask(asked())
    house.clock.at += 120
    x = asked()
    assert (await house.ask(x))[0] == "stale"
    assert headers(x)[b"warning"].startswith(b"110")
    while house.room.refreshing or len(house.room.background):
        await asyncio.sleep(0)
    result, body = await house.ask(asked())
    assert (result, b"simulated" in body) == ("hit", True)


async def test_it_is_paced_if_the_file_says_so(tmp_path: Path) -> None:
    house = House(tmp_path, "{temperature: any, replay: paced}")
    await house.ask(asked(stream=True))
    x = asked(stream=True)
    await house.policy.on_request(x)
    answer = await x.detour.send(x)
    assert len([chunk async for chunk in answer.chunks]) == len(STREAM)
    house.policy.on_close(x)


async def test_hits_pass_the_other_policies(house: House) -> None:
    """A hit is an answer of the target's place, so that filters and limits see it."""
    await house.ask(asked(stream=True))
    x = asked(stream=True)
    await house.policy.on_request(x)
    answer = await x.detour.send(x)
    assert (answer.is_sse, answer.body, answer.target) == (True, None, "up/m")
    assert (x.detour.leaves(), x.detour.healths(), x.detour.explain(x).chosen) == ((), (), True)
    house.policy.on_close(x)


async def test_what_is_kept_names_its_price(house: House) -> None:
    """For those who get it at no cost."""
    await house.ask(asked())
    found = next(iter(house.room.memory._kept.values())).data
    assert isinstance(found, Entry)
    assert (found.target, found.model, found.cost, found.marks) == ("up/m", "m", 0, (0,))
