"""Who is asked first of those that have read a prompt, when he is passed over, and what is learned from an answer."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from policies.routing._affinity import AffinityConfig
from policies.routing.balance import Balance, BalanceConfig
from policies.routing.fallback import Fallback
from proxy.choosing.health import Rules
from proxy.dialects.paths import EXACT
from proxy.errors import Overloaded
from proxy.exchange import Exchange, Identity
from proxy.ledger.charge import Charges
from proxy.policy import Answer, Timeouts
from proxy.prefixes.table import Prefixes
from proxy.providers.capabilities import Known
from proxy.targets.leaf import Leaf
from proxy.units import Duration
from tests.support.compiled import Canned

LONG = "Every account would have to read this again. " * 120  # 5,400 bytes
HOUR = 3600.0
Usage = dict[str, Any]


class Clock:
    """Seconds that a test moves, for what is warm."""

    def __init__(self) -> None:
        self.late = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.late


class Pool:
    """Three accounts in turn, with what each tells of its usage."""

    def __init__(self, context: Any, exchange: Any, kind: str = "openai", **affinity: Any) -> None:
        self.usage: Usage = {"prompt_tokens": 1500, "completion_tokens": 5}
        self.failing: set[str] = set()
        self.status = 200
        self.clock = Clock()
        self.prefixes = Prefixes(now=self.clock)
        self.leaves = {name: self._leaf(name, kind) for name in "abc"}
        self._exchange = exchange
        self.context = context
        context.targets = dict(self.leaves)
        context.shared = lambda key, factory: self.prefixes
        config = BalanceConfig(of=tuple("abc"), by="round_robin", affinity=AffinityConfig(**affinity))
        made = Balance.compile(config, context, random.Random(7).random)
        assert isinstance(made, Balance)
        self.node = made

    def _leaf(self, name: str, kind: str) -> Leaf:
        def answer(x: Exchange, model: str | None) -> Answer:
            x.attempts[-1].dispatch(x)
            if name in self.failing:
                raise Overloaded("busy")
            body = {"choices": [], "usage": self.usage}
            return Answer(200, [], body=json.dumps(body).encode())

        provider = Canned(answer)
        provider.known = Known(kind)
        model = "claude-sonnet-4-5" if kind == "anthropic" else "gpt-4o"
        return Leaf(f"{name}/m", provider, model, Timeouts(), None, Rules(failures=100), Charges())

    def request(self, *said: str, system: str = LONG, key: str = "web", team: str = "search", **more: Any) -> Exchange:
        """A conversation of ``acme``."""
        messages = [{"role": "system", "content": system}, *[{"role": "user", "content": text} for text in said]]
        x: Exchange = self._exchange(body=json.dumps({"model": "gpt-4o", "messages": messages, **more}).encode())
        x.identity = Identity("acme", team, key)
        return x

    async def ask(self, x: Exchange) -> str:
        """Who answers."""
        answer = await self.node.send(x)
        if answer.attempt is not None:
            answer.attempt.end()
        return answer.target[0]

    def results(self) -> list[str]:
        """What was counted."""
        return [fields["result"] for event, fields in self.context.reported if event == "affinity.chosen"]


@pytest.fixture
def pool(context: Any, exchange: Any) -> Callable[..., Pool]:
    """Make one, with settings of ``affinity``."""
    return lambda *args, **affinity: Pool(context, exchange, *args, **affinity)


async def test_a_conversation_returns_and_others_go_on_in_turn(pool: Callable[..., Pool]) -> None:
    """By the longest prefix that is known; a new conversation with the same beginning goes where that is warm."""
    one = pool()
    assert await one.ask(one.request("Hi")) == "a"
    assert await one.ask(one.request("Ho", system=LONG + "!")) == "b"
    x = one.request("Hi", "And then?")
    assert await one.ask(x) == "a"
    assert x.notes["affinity"] == "returns to a/m, warm for 60 min more"
    assert x.notes["balance"] == "a/m by round_robin"
    assert await one.ask(one.request("Ho", "Well?", system=LONG + "!")) == "b"
    assert await one.ask(one.request("Something else")) == "a", "the system prompt is warm there"
    assert await one.ask(one.request("Something new", system=LONG + "?")) == "c"
    assert one.results() == ["new", "new", "returned", "returned", "returned", "new"]


async def test_the_longest_prefix_decides(pool: Callable[..., Pool]) -> None:
    """Two have the system prompt; who has more of the conversation is asked."""
    one = pool()
    await one.ask(one.request("Hi"))
    one.leaves["a"].health.drain(time.monotonic() + 60)
    moved = one.request("Hi", "More")
    assert await one.ask(moved) == "b"
    assert moved.notes["affinity"] == "leaves a/m, which is drained"
    one.leaves["a"].health.restore(time.monotonic())
    assert await one.ask(one.request("Hi", "More", "Most")) == "b"
    assert await one.ask(one.request("Hi", "Other")) in "ab"
    assert one.results()[:3] == ["new", "out", "returned"]


async def test_it_lasts_as_long_as_the_providers_cache(pool: Callable[..., Pool]) -> None:
    """From the last use on."""
    one = pool()
    await one.ask(one.request("Hi"))
    one.clock.late = HOUR - 60
    assert await one.ask(one.request("Hi", "1")) == "a"
    one.clock.late = 2 * HOUR - 180
    assert await one.ask(one.request("Hi", "1", "2")) == "a"
    one.clock.late = 3 * HOUR
    assert await one.ask(one.request("Hi", "1", "2", "3")) == "b", "in its turn"


async def test_a_lifetime_of_the_file_and_a_day_of_the_request(pool: Callable[..., Pool]) -> None:
    """Each in place of the provider's usual one."""
    own = pool(lifetime=Duration(60))
    await own.ask(own.request("Hi"))
    own.clock.late = 61
    assert await own.ask(own.request("Hi", "1")) == "b"
    day = pool()
    await day.ask(day.request("Hi", prompt_cache_retention="24h"))
    day.clock.late = 23 * HOUR
    assert await day.ask(day.request("Hi", "1", prompt_cache_retention="24h")) == "a"


async def test_marks_must_have_been_set(pool: Callable[..., Pool]) -> None:
    """A provider that caches by marks alone has nothing of a prompt without any, and its usage says so."""
    one = pool("anthropic")
    await one.ask(one.request("Hi"))
    assert await one.ask(one.request("Hi", "1")) == "b"
    one.usage = {"prompt_tokens": 1500, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1200}}
    assert await one.ask(one.request("Hi", "1", "2")) == "c"
    assert await one.ask(one.request("Hi", "1", "2", "3")) == "c"
    one.clock.late = 301
    assert await one.ask(one.request("Hi", "1", "2", "3", "4")) == "a"


@pytest.mark.parametrize(
    ("short", "hour", "whole", "beginning"),
    [(900, 0, False, False), (0, 900, True, True), (500, 400, False, True)],
    ids=["five minutes", "an hour", "the beginning for an hour"],
)
async def test_marks_say_for_how_long(
    short: int, hour: int, whole: bool, beginning: bool, pool: Callable[..., Pool]
) -> None:
    """Those for an hour stand before those for five minutes. What is only read later lives on as it was written."""
    one = pool("anthropic")

    def request(*said: str) -> Exchange:
        x = one.request(*said, max_tokens=9)
        x.endpoint = EXACT["POST", "/v1/messages"]
        x.body = x.body.replace(b'"messages"', b'"system": "%b", "messages"' % LONG.encode())
        return x

    written = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour}
    told = {"input_tokens": 600, "output_tokens": 5, "cache_creation_input_tokens": short + hour}
    one.usage = told | {"cache_creation": written, "cache_read_input_tokens": 0}
    assert await one.ask(request("Hi")) == "a"
    one.usage = {"input_tokens": 600, "output_tokens": 5, "cache_read_input_tokens": 900}
    await one.ask(request("Hi"))
    one.clock.late = 600
    (holder,) = one.prefixes.holders(_last(one, request("Hi"))) or (None,)
    assert (holder is not None) is whole
    assert one.node.explain(request("Ho")).why.startswith("returns to a/m") is beginning


def _last(pool: Pool, x: Exchange) -> bytes:
    """The digest of all of it."""
    prefix = pool.node._affinity.read(x) if pool.node._affinity is not None else None
    assert prefix is not None
    return prefix.marks[-1].digest


async def test_what_failed_is_not_warm(pool: Callable[..., Pool]) -> None:
    """The one that answered is; nobody else."""
    one = pool()
    one.failing = {"a"}
    x = one.request("Hi")
    assert await one.ask(x) == "b"
    one.failing = set()
    assert await one.ask(one.request("Hi", "1")) == "b"
    one.failing = {"b"}
    x = one.request("Hi", "1", "2")
    assert await one.ask(x) in "ac"
    assert x.notes["affinity"] == "leaves b/m, which cannot take it"
    assert one.results() == ["new", "returned", "returned"], "once for a request"


async def test_what_is_too_short_is_not_warm(pool: Callable[..., Pool]) -> None:
    """By the tokens that the provider counted, or by its length alone."""
    one = pool()
    one.usage = {"prompt_tokens": 1000, "completion_tokens": 5}
    await one.ask(one.request("Hi"))
    assert await one.ask(one.request("Hi", "1")) == "b"
    short = one.request("Hi", system="Be brief.")
    await one.ask(short)
    assert "affinity" not in short.notes
    assert one.results() == ["new", "new"]


@pytest.mark.parametrize(
    ("scope", "key", "team"), [("key", True, True), ("team", False, True), ("organisation", False, False)]
)
async def test_whose_prompts_are_known(scope: str, key: bool, team: bool, pool: Callable[..., Pool]) -> None:
    """Another key or another team finds what is warm only where the file says so; nobody never."""
    one = pool(scope=scope)
    await one.ask(one.request("Hi"))
    others = [one.request("Hi", "1", key="app"), one.request("Hi", "1", team="ads")]
    nobody = one.request("Hi", "1")
    nobody.identity = None
    found = [one.node.explain(x).why.startswith("no account is warm") for x in (*others, nobody)]
    assert found == [key, team, True]


async def test_another_model_is_another_prompt(pool: Callable[..., Pool]) -> None:
    """As the caller names it."""
    one = pool()
    await one.ask(one.request("Hi"))
    other = one.request("Hi", "1")
    other.model = "gpt-4o-mini"
    assert await one.ask(other) == "b"


@pytest.mark.parametrize(("own", "others", "spill", "stays"), [
    (3, 0, 1.5, True),  # so few are no load
    (4, 0, 1.5, False),
    (9, 4, 1.5, False),  # 10 of 18, where 9 would be 1.5 times the mean
    (8, 5, 1.5, True),  # 9 of 19
    (9, 0, 3, True),
])  # fmt: skip
async def test_a_busy_account_is_left(
    own: int, others: int, spill: float, stays: bool, pool: Callable[..., Pool]
) -> None:
    """The load of each is bounded by the mean of all, and what moves is known where it went."""
    one = pool(spill=spill)
    assert await one.ask(one.request("Hi")) == "a"
    for name, count in zip("abc", (own, others, others), strict=True):
        one.leaves[name].health.in_flight = count
    x = one.request("Hi", "1")
    target = await one.ask(x)
    assert (target == "a") is stays
    assert one.results() == ["new", "returned" if stays else "busy"]
    if not stays:
        assert x.notes["affinity"] == f"leaves a/m, which is busy with {own} requests"
        for leaf in one.leaves.values():
            leaf.health.in_flight = 0
        assert await one.ask(one.request("Hi", "1", "2")) == target


async def test_who_has_the_beginning_comes_next(pool: Callable[..., Pool]) -> None:
    """Where the account with the whole conversation is out, one that has its system prompt is asked."""
    one = pool()
    one.leaves["a"].health.drain(time.monotonic() + 60)
    await one.ask(one.request("Other"))  # b
    one.leaves["a"].health.restore(time.monotonic())
    one.leaves["b"].health.drain(time.monotonic() + 60)
    await one.ask(one.request("Hi"))  # c
    one.leaves["b"].health.restore(time.monotonic())
    one.leaves["c"].health.drain(time.monotonic() + 60)
    x = one.request("Hi", "1")
    assert await one.ask(x) == "b"
    assert x.notes["affinity"] == "leaves c/m, which is drained; b/m has its beginning"


async def test_it_is_explained(pool: Callable[..., Pool]) -> None:
    """Before anything is sent, and changing nothing."""
    one = pool()
    assert one.node.explain(one.request("Hi")).why.startswith("no account is warm for this prompt; by round_robin")
    await one.ask(one.request("Hi"))
    choice = one.node.explain(one.request("Hi", "1"))
    assert choice.why == "returns to a/m, warm for 60 min more; else by round_robin: each in its turn"
    assert [child.chosen for child in choice.children] == [True, False, False]
    assert "another is warm for this prompt" in choice.children[1].why
    assert one.results() == ["new"]


async def test_a_long_request_is_read_aside(pool: Callable[..., Pool]) -> None:
    """And found again all the same."""
    one = pool()
    assert await one.ask(one.request("Hi", system=LONG * 20)) == "a"
    assert await one.ask(one.request("Hi", "1", system=LONG * 20)) == "a"


async def test_a_node_is_as_warm_as_what_is_below(pool: Callable[..., Pool]) -> None:
    """An equal may be a node of several targets: what one of them has read is found there."""
    one = pool()
    both = Fallback((one.leaves["a"], one.leaves["b"]), frozenset({"overloaded"}), one.context.needs)
    one.context.targets = {"both": both, "c": one.leaves["c"]}
    node = Balance.compile(BalanceConfig(of=("c", "both"), by="round_robin", affinity="prefix"), one.context)
    assert isinstance(node, Balance)
    one.node = node
    one.failing = {"a"}
    assert await one.ask(one.request("Ho", system=LONG + "!")) == "c"
    assert await one.ask(one.request("Hi")) == "b"
    x = one.request("Hi", "1")
    assert await one.ask(x) == "b"
    assert x.notes["affinity"].startswith("returns to a/m, b/m, warm for")
