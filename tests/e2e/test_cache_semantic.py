"""Questions that mean the same, over the wire: who gets whose answer, and who never does."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from typing import Any

import httpx2
import pytest
from redis import Redis

from proxy.cli import main
from proxy.semantic.log import FILE
from tests.support import books
from tests.support.gateway import Gateway
from tests.support.traffic import CHAT
from tests.support.upstream import FakeUpstream
from tests.support.valkey import Valkey

WEB, APP, OTHER = (f"sk-{name}-0123456789-0123456789-abcdef" for name in ("web", "app", "other"))
PATIENCE = 20.0  # seconds for what is done when the caller has its answer
PIXEL = "data:image/png;base64,iVBORw0KGgo="
_topics = count()
_CLIENT = httpx2.Client(timeout=60)  # one for all: making one takes longer than a test
Ask = Callable[..., httpx2.Response]


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """Routes with semantic caches of several kinds; keys of two teams."""
    return module_gateway(_config(upstream_process.url))


def _config(url: str, more: str = "") -> str:
    return f"""{more}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up, models: {{"*": {{price: {{input: $1, output: $10}}}}}}}}
  gone: {{kind: openai, base_url: "http://127.0.0.1:9/v1", api_key: sk-gone}}
  sim: {{kind: simulated}}
tenants:
  acme: {{teams: {{search: {{keys: {{web: {{hash: "{books.hashed(WEB)}"}}, app: {{hash: "{books.hashed(APP)}"}}}}}}}}}}
  other: {{teams: {{ads: {{keys: {{shop: {{hash: "{books.hashed(OTHER)}"}}}}}}}}}}
policies:
  faq: [authenticate, cache_semantic: {{embedder: sim/vectors, threshold: 0.8, temperature: any, timeout: 10s}}]
routes:
  faq: {{models: [faq], policies: [use: faq], target: up/faq}}
  second: {{models: [second], policies: [use: faq], target: up/faq}}
  team:
    models: [team]
    policies: [authenticate, cache_semantic: {{embedder: sim/v, threshold: 0.8, temperature: any, scope: team}}]
    target: up/faq
  both:
    models: [both]
    policies:
      - authenticate
      - cache: {{temperature: any}}
      - cache_semantic: {{embedder: sim/v, threshold: 0.8, temperature: any}}
    target: up/faq
  zero:
    models: [zero]
    policies: [authenticate, cache_semantic: {{embedder: sim/v, threshold: 0.8}}]
    target: up/faq
  gone:
    models: [gone]
    policies: [authenticate, cache_semantic: {{embedder: gone/v, threshold: 0.8, temperature: any}}]
    target: up/faq
  slow:
    models: [slow]
    policies: [authenticate, cache_semantic: {{embedder: up/vectors, temperature: any, timeout: 1s}}]
    target: up/faq
  verified:
    models: [verified]
    policies:
      - authenticate
      - cache_semantic:
          {{embedder: sim/v, threshold: 0.8, temperature: any, verify: {{target: up/judge, timeout: 10s}}}}
    target: up/faq
  shadow:
    models: [shadow]
    policies: [authenticate, cache_semantic: {{embedder: sim/v, temperature: any, shadow: true, timeout: 10s}}]
    target: up/faq
"""


@pytest.fixture
def ask(running: Gateway, upstream: FakeUpstream) -> Ask:
    """``ask(text, model=…, key=…, headers=…, **members)``: a question, of which ``X`` becomes a word of this test's."""
    upstream.tell("faq")
    upstream.journal().mark()
    topic = f"topic{'abcdefghijklmnopqrstuvwxyz'[next(_topics) % 26]}{'x' * (next(_topics) // 26)}"

    def send(
        text: str, *, model: str = "faq", key: str = WEB, headers: dict[str, str] | None = None, **members: Any
    ) -> httpx2.Response:
        words = text.replace("X", topic)
        body = {"model": model, "messages": [{"role": "user", "content": words}], **members}
        given = {"authorization": f"Bearer {key}", **(headers or {})}
        response = _CLIENT.post(running.origin + CHAT, json=body, headers=given)
        assert response.status_code == 200, response.text
        return response

    return send


def _cached(response: httpx2.Response) -> str:
    return response.headers["x-sluicegate-cache"]


def _entries(gateway: Gateway, route: str) -> int:
    found = _CLIENT.get(f"{gateway.origin}/admin/cache").json()["caches"]
    return sum(cache["entries"] for cache in found if cache["route"] == route)


def _learn(gateway: Gateway, ask: Ask, text: str, **more: Any) -> httpx2.Response:
    """Ask, and wait until the answer is kept."""
    route = more.get("model", "faq")
    before = _entries(gateway, route)
    response = ask(text, **more)
    _until(lambda: _entries(gateway, route) > before)
    return response


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def _metric(gateway: Gateway, name: str, **labels: str) -> float:
    pairs = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    text = _CLIENT.get(f"{gateway.origin}/metrics").text
    found = re.search(rf"^{name}{{{re.escape(pairs)}}} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_other_words_get_the_answer(running: Gateway, ask: Ask, upstream: FakeUpstream) -> None:
    """Whole or as a stream, with an id of its own, at no cost, and nobody is asked."""
    upstream.tell("faq", text="Like this.")
    served = _metric(running, "sluicegate_cache_semantic_requests_total", route="faq", result="semantic")
    first = _learn(running, ask, "How do I reset the X?")
    assert _cached(first) == "miss"
    second = ask("Hi! Could you please tell me how I can reset the X? Thanks!")
    assert _cached(second) == "semantic"
    assert int(second.headers["age"]) >= 0
    assert second.headers["x-sluicegate-target"] == "up/faq"
    assert second.json()["choices"][0]["message"]["content"] == "Like this."
    assert second.json()["id"] != first.json()["id"]
    streamed = ask("Please, how do I reset the X?", stream=True)
    assert _cached(streamed) == "semantic"
    assert streamed.text.endswith("data: [DONE]\n\n")
    assert len(upstream.journal().requests()) == 1
    now = _metric(running, "sluicegate_cache_semantic_requests_total", route="faq", result="semantic")
    assert now == served + 2


def test_another_question_is_asked(running: Gateway, ask: Ask) -> None:
    """However near it is."""
    _learn(running, ask, "How do I reset the X?")
    for other in (
        "How do I reset the X 2?",
        "How do I not reset the X?",
        "How do I reset my X?",
        "Why do I reset the X?",
        "How do I reset the X in Paris?",
        "How did I reset the X?",
        "How do I set the X?",
    ):
        assert _cached(ask(other)) == "miss", other


def test_everything_else_must_be_equal(running: Gateway, ask: Ask) -> None:
    """Whose it is, of which route, and every parameter."""
    _learn(running, ask, "How do I reset the X?")
    differences: list[dict[str, Any]] = [
        {"key": APP},
        {"key": OTHER},
        {"model": "second"},
        {"temperature": 0.5},
        {"max_tokens": 7},
        {"response_format": {"type": "json_object"}},
        {"user": "somebody"},
    ]
    for difference in differences:
        assert _cached(ask("How can I reset the X?", **difference)) == "miss", difference
    assert _cached(ask("How can I reset the X?")) == "semantic"


def test_what_was_said_before_must_be_equal(running: Gateway, ask: Ask) -> None:
    """The system prompt, and earlier turns."""
    said = {"role": "user", "content": "Hello there"}

    def turns(text: str, system: str, reply: str) -> list[dict[str, str]]:
        roles = [{"role": "system", "content": system}, said, {"role": "assistant", "content": reply}]
        return [*roles, {"role": "user", "content": text}]

    _learn(running, ask, "", messages=turns("How do I reset the turn?", "Be kind.", "Hello"))
    for system, reply, cached in (
        ("Be rude.", "Hello", "miss"),
        ("Be kind.", "Good bye", "miss"),
        ("Be kind.", "Hello", "semantic"),
    ):
        assert _cached(ask("", messages=turns("How can I reset the turn?", system, reply))) == cached


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
        {"n": 2},
        {"headers": {"x-cache-control": "no-semantic"}},
        {"headers": {"x-cache-control": "no-cache"}},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image_url", "image_url": {"url": PIXEL}},
                    ],
                }
            ]
        },
        {"messages": [{"role": "user", "content": "x" * 2000}]},
    ],
    ids=["tools", "several", "no-semantic", "no-cache", "image", "long"],
)
def test_what_is_never_looked_up(more: dict[str, Any], ask: Ask, upstream: FakeUpstream) -> None:
    """It goes to the provider each time."""
    for _ in range(2):
        assert _cached(ask("What is the X?", **more)) == "bypass"
    assert len(upstream.journal().requests()) == 2


def test_what_is_drawn_by_chance_is_kept_only_if_the_file_says_so(ask: Ask) -> None:
    """As by `cache`."""
    assert _cached(ask("What is the X?", model="zero")) == "bypass"
    assert _cached(ask("What is the X?", model="zero", temperature=0)) == "miss"


def test_an_answer_that_was_cut_is_given_to_nobody(ask: Ask, upstream: FakeUpstream, running: Gateway) -> None:
    """Nor any other that is not whole."""
    upstream.tell("faq", finish="length")
    ask("How do I cut the X?")
    upstream.tell("faq")
    _learn(running, ask, "How do I cut an X now?")  # everything before it was looked into by then
    assert _cached(ask("How can I cut the X?")) == "miss"


def test_a_team_shares_if_the_file_says_so(running: Gateway, ask: Ask) -> None:
    """And nobody else."""
    _learn(running, ask, "How do I reset the X?", model="team")
    assert _cached(ask("How can I reset the X?", model="team", key=APP)) == "semantic"
    assert _cached(ask("How can I reset the X?", model="team", key=OTHER)) == "miss"


def test_the_exact_cache_knows_better(running: Gateway, ask: Ask) -> None:
    """It is asked first, and does not take over what was only alike."""
    _learn(running, ask, "How do I reset the X?", model="both")
    _until(lambda: _entries(running, "both") >= 2)
    assert _cached(ask("How do I reset the X?", model="both")) == "hit"
    for _ in range(2):
        assert _cached(ask("How can I reset the X?", model="both")) == "semantic"


def test_an_embedder_that_is_gone_is_a_miss(ask: Ask) -> None:
    """Every time, and the caller has its answer."""
    for text in ("How do I reset the X?", "How can I reset the X?"):
        assert _cached(ask(text, model="gone")) == "miss"


def test_an_embedder_that_is_slow_is_a_miss(running: Gateway, ask: Ask, upstream: FakeUpstream) -> None:
    """It is asked only where something says the same."""
    upstream.tell("vectors")
    _learn(running, ask, "How do I reset the X?", model="slow")
    assert _cached(ask("How can I reset the X?", model="slow")) == "semantic"
    upstream.tell("vectors", head_ms=30_000)
    assert _cached(ask("How can I undo the X?", model="slow")) == "miss"
    assert _cached(ask("Please, how do I reset the X?", model="slow")) == "miss"


def test_a_verifier_has_the_last_word(running: Gateway, ask: Ask, upstream: FakeUpstream) -> None:
    """Without a yes it is a miss."""
    upstream.tell("judge", text="No.")
    _learn(running, ask, "How do I reset the X?", model="verified")
    assert _cached(ask("How can I reset the X?", model="verified")) == "miss"
    upstream.tell("judge", text="Yes.")
    assert _cached(ask("Please, how do I reset the X?", model="verified")) == "semantic"


def test_what_is_said_to_be_wrong_is_served_no_more(running: Gateway, ask: Ask) -> None:
    """By those who got it, and nobody else."""
    _learn(running, ask, "How do I reset the X?")
    hit = ask("How can I reset the X?")
    said = {"request_id": hit.headers["x-request-id"], "name": "wrong_answer", "value": True}

    def tell(key: str) -> int:
        headers = {"authorization": f"Bearer {key}"}
        found = _CLIENT.post(f"{running.url}/feedback", json=said, headers=headers)
        return found.status_code

    assert tell(OTHER) == 404
    assert _cached(ask("Please, how do I reset the X?")) == "semantic"
    assert tell(WEB) == 200
    assert _cached(ask("Please, how do I reset the X?")) == "miss"
    judged = _metric(running, "sluicegate_cache_semantic_judged_total", route="faq", source="feedback", verdict="wrong")
    assert judged >= 1


def test_what_is_forgotten_is_forgotten_here_too(running: Gateway, ask: Ask) -> None:
    """One command for all kept answers."""
    _learn(running, ask, "How do I reset the X?")
    found = _CLIENT.post(f"{running.origin}/admin/cache", json={"tag": "route:faq"})
    assert found.json()["entries"] >= 1
    assert _cached(ask("How can I reset the X?")) == "miss"


def test_shadow_mode_serves_nothing_and_learns(
    running: Gateway,
    ask: Ask,
    upstream: FakeUpstream,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it would have served is compared with what the provider says, and no text is kept."""
    upstream.tell("faq", text="Paris is 5 km away.")
    _learn(running, ask, "How far is the X?", model="shadow")
    assert _cached(ask("Hi, how far is the X?", model="shadow")) == "miss"
    _until(lambda: len([row for row in _rows(running) if row[1] is not None]) == 1)
    upstream.tell("faq", text="Paris is 7 km away.")
    assert _cached(ask("Hello, how far is the X?", model="shadow")) == "miss"
    _until(lambda: len([row for row in _rows(running) if row[1] is not None]) == 2)
    assert [row[1] for row in _rows(running) if row[0] is not None] == [1, 0]
    assert b"far" not in (running.folder / ".sluicegate" / FILE).read_bytes()
    monkeypatch.setenv("SLUICEGATE_STATE_DIR", str(running.folder / ".sluicegate"))
    assert main(["cache", "tune", "--route", "shadow", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["advice"]["threshold"] is None
    assert found["curve"][-1]["wrong"] == 1


def _rows(gateway: Gateway) -> list[tuple[float | None, int | None]]:
    path = gateway.folder / ".sluicegate" / FILE
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'samples'").fetchall():
            return []  # it is being made
        return database.execute(
            "SELECT similarity, is_right FROM samples WHERE route = 'shadow' ORDER BY seq"
        ).fetchall()


def test_replicas_share_and_forget_together(
    gateway: Callable[..., Gateway], upstream: FakeUpstream, valkey: Valkey
) -> None:
    """What one has learned the other answers; what is said to be wrong, or forgotten, is given by neither; poison and a
    store that hangs are a miss."""
    config = _config(upstream.url, f"store: {valkey.url}")
    one, two = gateway(config), gateway(config)
    upstream.tell("faq")

    def ask(at: Gateway, text: str = "Please, how can I reset the router?") -> httpx2.Response:
        body = {"model": "faq", "messages": [{"role": "user", "content": text}]}
        response = _CLIENT.post(at.origin + CHAT, json=body, headers={"authorization": f"Bearer {WEB}"})
        assert response.status_code == 200, response.text
        return response

    def becomes_served(at: Gateway) -> None:
        """On a crowded machine the store may be late, which is a miss."""
        _until(lambda: _cached(ask(at)) == "semantic")

    def is_refused(hit: httpx2.Response) -> bool:
        """Whether nothing was given; else the other replica hears that it was wrong."""
        said = {"request_id": hit.headers["x-request-id"], "name": "wrong_answer", "value": True}
        if _cached(hit) == "semantic":
            _CLIENT.post(f"{one.url}/feedback", json=said, headers={"authorization": f"Bearer {WEB}"})
        return _cached(hit) == "miss"

    def bad(at: Gateway) -> float:
        return _metric(at, "sluicegate_cache_damaged_total", reason="checksum")

    assert _cached(ask(one, "How do I reset the router?")) == "miss"
    becomes_served(two)
    _until(lambda: is_refused(ask(two)))
    assert _metric(one, "sluicegate_cache_semantic_judged_total", route="faq", source="feedback", verdict="wrong")
    becomes_served(one)
    assert _CLIENT.post(f"{two.origin}/admin/cache", json={"tag": "route:faq"}).status_code == 200
    assert _cached(ask(one)) == "miss"
    becomes_served(two)
    with Redis.from_url(valkey.url) as client:

        def is_told() -> bool:
            for place in client.keys("sluicegate:cache:alike:*"):
                for name, data in client.hgetall(place).items():
                    client.hset(place, name, data + b"poison")
            ask(one)
            return bad(one) > 0

        _until(is_told)
    valkey.freeze()
    try:
        assert [_cached(ask(one)) for _ in range(3)] == ["miss"] * 3
    finally:
        valkey.thaw()
