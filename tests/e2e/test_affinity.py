"""Conversations on three accounts, each with a cache of prompts: who answers, and what is read from the caches."""

from __future__ import annotations

import http.client
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from typing import Any, NamedTuple

import pytest

from tests.support.books import hashed, settled
from tests.support.gateway import Gateway
from tests.support.scale import often
from tests.support.upstream import FakeUpstream
from tests.upstream.remembering import Memory

ADA, BEN = "sk-ada", "sk-ben"
WORDS = ("quick", "brown", "fox", "jumps", "over", "lazy", "dog", "says", "nothing", "of", "what", "it", "has", "seen")
CLAUDE = "claude-sonnet-4-5"
PRICE = "price: {input: $3, output: $15, cached_read: $0.30}"
_numbers = count(1)


def _config(upstream: FakeUpstream, more: str = "") -> str:
    accounts = "\n".join(
        f'  {name}: {{kind: openai, base_url: "{upstream.url}", api_key: sk-{name}, models: {{"*": {{{PRICE}}}}}}}\n'
        f'  claude-{name}: {{kind: anthropic, base_url: "{upstream.origin}", api_key: sk-claude-{name}}}'
        for name in "abc"
    )
    keys = ", ".join(f'{key}: {{hash: "{hashed(f"sk-{key}")}"}}' for key in ("ada", "ben"))
    pools = {"warm": ("", "m"), "cold": ("", "n"), "claude": ("claude-", CLAUDE)}
    routes = "\n".join(
        f"  {name}:\n    models: [{name}]\n    policies: [authenticate]\n    target:\n      balance:\n"
        f"        by: round_robin\n        of: [{', '.join(f'{kind}{one}/{model}' for one in 'abc')}]"
        + ("" if name == "cold" else "\n        affinity: prefix")
        for name, (kind, model) in pools.items()
    )
    return f"""{more}
retries: {{max: 0}}
health: {{failures: 1, eject: 300s}}
providers:
{accounts}
tenants: {{acme: {{teams: {{search: {{keys: {{{keys}}}}}}}}}}}
routes:
{routes}
"""


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """Three accounts of one model; a pool with affinity, one without, and one of Anthropic's."""
    return module_gateway(_config(upstream_process))


@pytest.fixture
def accounts(upstream: FakeUpstream, running: Gateway) -> Iterator[FakeUpstream]:
    """They answer, and remember what they have read."""
    for model in ("m", "n", CLAUDE):
        upstream.tell(model, remembers=True)
    yield upstream
    for name in "abc":
        _post(running, f"/admin/targets/{name}/m", {"action": "restore"})


class Told(NamedTuple):
    """What a caller sees of one answer: who gave it, tokens of the prompt, and how many were read from a cache."""

    target: str
    tokens: int
    cached: int
    request_id: str


def _post(running: Gateway, path: str, body: Any, **headers: str) -> tuple[Any, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    try:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"} | headers)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        return json.loads(content), dict(answer.getheaders())
    finally:
        connection.close()


def _stream(running: Gateway, body: Any) -> str:
    """The target whose stream has come to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    try:
        headers = {"content-type": "application/json", "authorization": f"Bearer {ADA}"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        assert answer.read().endswith(b"data: [DONE]\n\n")
        return str(answer.getheader("x-sluicegate-target"))
    finally:
        connection.close()


def _words(chance: random.Random, tokens: int) -> str:
    """About so many of the fake upstream's tokens."""
    text = ""
    while len(text) < tokens * 4:
        text += chance.choice(WORDS) + " "
    return text


class Talk:
    """A conversation of one caller. Equal seeds say the same."""

    def __init__(self, running: Gateway, model: str = "warm", key: str = ADA, seed: int | None = None) -> None:
        self._running = running
        self._key = key
        self._chance = random.Random(next(_numbers) + 1000 if seed is None else seed)
        self.model = model
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": _words(self._chance, 1200)}]
        self.targets: list[str] = []

    def ask(self, tokens: int = 300) -> Told:
        """The next turn."""
        self.messages.append({"role": "user", "content": _words(self._chance, tokens)})
        body = {"model": self.model, "messages": self.messages}
        answer, headers = _post(self._running, "/v1/chat/completions", body, authorization=f"Bearer {self._key}")
        self.messages.append({"role": "assistant", "content": answer["choices"][0]["message"]["content"]})
        usage = answer["usage"]
        target, request_id = headers["x-sluicegate-target"], headers["x-request-id"]
        self.targets.append(target.partition("/")[0])
        return Told(target, usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"], request_id)


async def _why(running: Gateway, told: Told) -> str:
    """What its receipt says of the choice."""
    found: str = (await running.logged("request", request_id=told.request_id))["notes"]["affinity"]
    return found


class Outcome(NamedTuple):
    """Of many conversations: the share of the prompts' tokens that came from a cache, the share of later turns that
    were answered by who had answered the turn before, and requests by account."""

    rate: float
    returns: float
    by: Counter[str]


def _many(running: Gateway, model: str, talks: int, turns: int) -> tuple[Outcome, float]:
    """Interleaved by chance; and the rate that one account alone would have had."""
    chance = random.Random(7)
    found = [Talk(running, model, seed=at) for at in range(talks)]
    order = [talk for talk in found for _ in range(turns)]
    chance.shuffle(order)
    alone, tokens, cached, ideal = Memory(), 0, 0, 0
    for talk in order:
        told = talk.ask()
        tokens, cached = tokens + told.tokens, cached + told.cached
        ideal += alone.read("one", {"messages": talk.messages[:-1]}, by_marks=False).cached_read
    pairs = [pair for talk in found for pair in pairwise(talk.targets)]
    returns = sum(before == after for before, after in pairs) / len(pairs)
    by = Counter(target for talk in found for target in talk.targets)
    return Outcome(cached / tokens, returns, by), ideal / tokens


@pytest.mark.soak
def test_hits_are_those_of_one_account(running: Gateway, accounts: FakeUpstream) -> None:
    """With affinity nearly every token that could be read from a cache is; without it two turns of three go to an
    account that has not read the one before. No account is forgotten over it."""
    talks = often(8, 60)
    warm, ideal = _many(running, "warm", talks, 4)
    cold, _ = _many(running, "cold", talks, 4)
    assert warm.rate == pytest.approx(ideal, rel=0.01)
    assert warm.returns == 1.0
    assert 0.15 < cold.returns < 0.55
    assert cold.rate < 0.65 * ideal
    assert min(warm.by[name] for name in "abc") >= talks * 4 / 3 * 0.5, "new conversations go on being divided"


async def test_a_conversation_says_why_it_returns(running: Gateway, accounts: FakeUpstream) -> None:
    """In the receipt, in the metrics, and before it is sent."""
    talk = Talk(running)
    assert await _why(running, talk.ask()) == "no account is warm for this prompt"
    first = talk.targets[0]
    second = talk.ask()
    assert await _why(running, second) == f"returns to {first}/m, warm for 60 min more"
    metrics = running.get("/metrics")[1].decode()
    assert re.search(r'\nsluicegate_affinity_requests_total\{result="returned",route="warm"\} [1-9]', metrics)
    read = f'sluicegate_prompt_cache_tokens_total{{route="warm",target="{first}/m",type="read"}}'
    assert read in metrics


@pytest.mark.parametrize("action", ["eject", "drain"])
async def test_it_spills_and_returns(action: str, running: Gateway, accounts: FakeUpstream) -> None:
    """While its account is away another answers. One that had to move stays where the longest part of it is warm now;
    one that was silent meanwhile returns."""
    moving, silent = Talk(running), Talk(running)
    moving.ask()
    while silent.ask().target != f"{moving.targets[0]}/m":
        silent = Talk(running)
    home = moving.targets[0]
    _post(running, f"/admin/targets/{home}/m", {"action": action})
    away = moving.ask()
    assert away.target != f"{home}/m"
    state = {"eject": "ejected", "drain": "drained"}[action]
    assert await _why(running, away) == f"leaves {home}/m, which is {state}"
    _post(running, f"/admin/targets/{home}/m", {"action": "restore"})
    assert silent.ask().target == f"{home}/m"
    assert moving.ask().target == away.target
    assert moving.ask().cached > 1500


async def test_a_limited_account_is_left_without_an_error(running: Gateway, accounts: FakeUpstream) -> None:
    """The first to meet the limit is answered by another in the same request, and who comes later does not meet it."""
    one, two = Talk(running), Talk(running)
    one.ask()
    while two.ask().target != f"{one.targets[0]}/m":
        two = Talk(running)
    home = one.targets[0]
    limit = {"status": 429, "headers": {"retry-after": "300"}}
    accounts.tell("m", remembers=True, at={f"sk-{home}": limit})
    assert one.ask().target != f"{home}/m"
    told = two.ask()
    assert told.target != f"{home}/m"
    assert await _why(running, told) == f"leaves {home}/m, which is limited"
    assert len(running.log("request", request_id=told.request_id)[0]["attempts"]) == 1


@pytest.mark.parametrize("is_told", [True, False], ids=["usage told", "usage counted"])
def test_streams_return_too(is_told: bool, running: Gateway, accounts: FakeUpstream) -> None:
    """What was read is known with the end of the answer, whether its stream tells or it has to be counted."""
    others, talk, targets = Talk(running), Talk(running), []
    talk.messages[0]["content"] *= 2  # its words are longer than the tokens of the fake upstream
    for _ in range(3):
        others.ask()  # whose turns come between
        talk.messages.append({"role": "user", "content": "And then?"})
        options = {"stream_options": {"include_usage": True}} if is_told else {}
        body = {"model": "warm", "messages": talk.messages, "stream": True, **options}
        targets.append(_stream(running, body))
    assert len(set(targets)) == 1


async def test_nobody_learns_of_anothers_prompts(running: Gateway, accounts: FakeUpstream) -> None:
    """The same prompt of another key is as new as any: where it goes says nothing of who else has sent it."""
    Talk(running, key=ADA, seed=1).ask()
    mine = Talk(running, key=BEN, seed=1)
    assert await _why(running, mine.ask()) == "no account is warm for this prompt"
    assert "returns to" in await _why(running, mine.ask())


async def test_short_prompts_are_nobodys(running: Gateway, accounts: FakeUpstream) -> None:
    """What no provider caches goes by turn, as in any pool."""
    talk = Talk(running)
    talk.messages = [{"role": "system", "content": "Be brief."}]
    for _ in range(6):
        assert not talk.ask(20).cached
    assert Counter(talk.targets) == {"a": 2, "b": 2, "c": 2}


async def test_marks_that_move(running: Gateway, accounts: FakeUpstream) -> None:
    """A client of Anthropic marks its last message, and unmarks it in the next turn: that is the same prompt. The
    account told that it has written it, so it is known."""
    chance = random.Random(3)
    messages: list[dict[str, Any]] = []
    mark = {"cache_control": {"type": "ephemeral"}}
    targets, reads = [], []
    for _ in range(4):
        text = {"type": "text", "text": _words(chance, 600)}
        body = {
            "model": "claude",
            "max_tokens": 100,
            "system": [{"type": "text", "text": _words(random.Random(9), 700), **mark}],
            "messages": [*messages, {"role": "user", "content": [{**text, **mark}]}],
        }
        answer, headers = _post(running, "/v1/messages", body, authorization=f"Bearer {ADA}")
        messages += [{"role": "user", "content": text["text"]}, {"role": "assistant", "content": "Yes."}]
        targets.append(headers["x-sluicegate-target"])
        reads.append(answer["usage"]["cache_read_input_tokens"])
    assert len(set(targets)) == 1
    assert reads[0] == 0
    assert all(before < after for before, after in pairwise(reads))


async def test_what_is_warm_survives_a_reload(gateway: Callable[..., Gateway], upstream: FakeUpstream) -> None:
    """Known by the account's name, as its health is; and the report tells what came of it."""
    upstream.tell("m", remembers=True)
    running = gateway(_config(upstream))
    Talk(running).ask()
    talk = Talk(running)  # not with the first, who would be the first again
    talk.ask()
    running.write(_config(upstream, "timeouts: {connect: 4s}"))
    await running.reloaded(2)
    read = sum(talk.ask().cached for _ in range(3))
    assert len(set(talk.targets)) == 1
    rows = await settled(running, 5)
    assert [bool(row.cached_read) for row in rows] == [False, False, True, True, True]
    status, content = running.get("/admin/cache/prefixes?by=route&since=1h")
    (route,) = json.loads(content)["groups"]
    assert (status, route["route"], route["requests"], route["read"]) == (200, "warm", 5, read)
    assert route["saved"] == route["net"] == read * 2700, "nano-dollars: $2.70 for a million"
