"""What a running gateway remembers of its requests, as operators see it."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from proxy.cli import main
from tests.support import books
from tests.support.gateway import Gateway
from tests.support.jobs import Caller
from tests.support.scale import PATIENCE
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

WEB, SMALL = "key-of-the-web-team-0123456789", "key-of-a-small-one-0123456789"
OWNER, LEAD = "key-of-the-owner-0123456789", "key-of-the-lead-0123456789"
PROVIDER, HEADER = "secret-of-the-provider-0123", "secret-header-of-the-file-0123"
SECRETS = (WEB, SMALL, OWNER, LEAD, PROVIDER, HEADER)
POLL = 0.02


def config(url: str) -> str:
    """Two keys; a route that works, and one whose first target fails."""
    return f"""
receipts: {{keep: 1h, bodies: redacted, timings: true}}
providers:
  up:
    kind: openai
    base_url: "{url}"
    api_key: {PROVIDER}
    headers: {{x-more: {HEADER}}}
    models: {{"*": {{price: {{input: $1, output: $10}}}}}}
admin:
  keys:
    owner: {{hash: "{books.hashed(OWNER)}"}}
    lead: {{hash: "{books.hashed(LEAD)}", role: team_lead, organisation: acme, team: ads}}
tenants:
  acme:
    budget: $10/month
    teams:
      search: {{keys: {{web: {{hash: "{books.hashed(WEB)}"}}}}}}
      ads: {{keys: {{small: {{hash: "{books.hashed(SMALL)}", limits: ["1/h"]}}}}}}
policies:
  all: [authenticate, tags: {{accept: [user]}}, quota]
routes:
  chat: {{models: [seen], policies: [{{use: all}}], target: up/seen}}
  careful: {{models: [careful], policies: [{{use: all}}], target: {{fallback: [up/unwell, up/seen]}}}}
"""


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for all of them."""
    upstream_process.tell("unwell", status=503)
    return module_gateway(config(upstream_process.url))


def _ask(running: Gateway, key: str = WEB, model: str = "seen", **more: Any) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 9} | more
    headers = {"authorization": f"Bearer {key}", "x-sluicegate-tags": "user=ada"}
    return httpx2.post(f"{running.url}/chat/completions", json=body, headers=headers, timeout=20)


def _admin(running: Gateway, path: str, key: str = OWNER) -> Any:
    status, body = running.get(path, {"authorization": f"Bearer {key}"})
    return json.loads(body) if status == 200 else status


async def _receipt(running: Gateway, found: Callable[[Any], bool], timeout: float = PATIENCE) -> Any:
    """The newest that is meant, as soon as it is there and settled: both come a moment after the answer."""
    end = time.monotonic() + timeout
    while True:
        listed = await asyncio.to_thread(_admin, running, "/admin/requests?limit=20")
        for one in listed["requests"]:
            if found(one) and one["settled"]:
                return one
        assert time.monotonic() < end, listed["requests"][:2]
        await asyncio.sleep(POLL)


async def test_a_stream(running: Gateway) -> None:
    """Route, policies with their time, attempt, tokens, price, limits, generation; and the texts by its id."""
    answer = _ask(running, stream=True)
    id = answer.headers["x-request-id"]
    one = await _receipt(running, lambda one: one["id"] == id)
    assert (one["route"], one["model"], one["target"]) == ("chat", "seen", "up/seen")
    assert (one["status"], one["end"], one["stream"], one["generation"]) == (200, "complete", True, 1)
    assert (one["organisation"], one["team"], one["key"], one["tags"]) == ("acme", "search", "web", {"user": "ada"})
    assert [(policy["name"], policy["verdict"]) for policy in one["policies"]] == [
        ("authenticate", "passed"),
        ("tags", "passed"),
        ("quota", "passed"),
    ]
    assert all(policy["microseconds"] > 0 for policy in one["policies"])
    (attempt,) = one["attempts"]
    assert (attempt["target"], attempt["outcome"], attempt["status"]) == ("up/seen", "ok", 200)
    assert attempt["price"]
    nanos = one["tokens"]["input"] * 1000 + one["tokens"]["output"] * 10_000
    assert one["cost_usd"] == attempt["cost_usd"] == f"0.{nanos:09d}"
    (limit,) = one["limits"]
    assert (limit["level"], limit["scope"], limit["limit"]) == ("organisation", "acme", "$10/month")
    assert 9.9 < float(limit["left"]) < 10
    shown = _admin(running, f"/admin/requests/{id}")
    assert '"Hello"' in shown["request"]["text"]
    assert shown["response"]["text"].startswith("data: ")


async def test_a_refusal(running: Gateway) -> None:
    """Who refused, and why; nobody was asked."""
    assert _ask(running, SMALL).status_code == 200
    assert _ask(running, SMALL).status_code == 429
    one = await _receipt(running, lambda one: one["status"] == 429)
    assert (one["code"], one["attempts"], one["cost_usd"]) == ("rate_limited", [], "0.000000000")
    refusing = one["policies"][-1]
    assert (refusing["name"], refusing["verdict"]) == ("quota", "refused")
    assert refusing["note"].startswith("over 1/h of key acme/ads/small")
    assert one["headers"]["x-ratelimit-remaining-requests"] == "0"


async def test_two_attempts(running: Gateway) -> None:
    """The first with its reason."""
    id = _ask(running, model="careful").headers["x-request-id"]
    one = await _receipt(running, lambda one: one["id"] == id)
    assert [(each["target"], each["outcome"], each["reason"]) for each in one["attempts"]] == [
        ("up/unwell", "error", "overloaded"),
        ("up/seen", "ok", None),
    ]
    assert (one["target"], one["degraded"]) == ("up/seen", "overloaded")
    assert "up/unwell" in one["notes"]["fallback"]


async def test_a_client_that_leaves(running: Gateway) -> None:
    """It pays for what was emitted, which is known a moment later."""
    wire = await Wire.open(running.port)
    ask = {"model": "seen", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    body = json.dumps(ask | {"script": {"tokens": 500, "gap_ms": 20}}).encode()
    headers = {"authorization": f"Bearer {WEB}", "content-type": "application/json"}
    await wire.request("POST", "/v1/chat/completions", body, headers)
    assert await wire.head() == 200
    async for _ in wire.body():
        break
    wire.close()
    one = await _receipt(running, lambda one: one["end"] == "client_gone")
    (attempt,) = one["attempts"]
    assert (one["status"], attempt["outcome"], attempt["source"]) == (499, "cancelled", "counted")


async def test_a_job(running: Gateway) -> None:
    """Two receipts: of the request that made it, and of the one that it is."""
    caller = Caller(running.port, WEB)
    job = caller.submit({"model": "seen", "messages": [{"role": "user", "content": "later"}]})
    await asyncio.to_thread(caller.over, job)
    made = await _receipt(running, lambda one: one["path"] == "/v1/jobs" and one["notes"].get("job") == job)
    run = await _receipt(running, lambda one: one["path"] != "/v1/jobs" and one["notes"].get("job") == job)
    assert (made["status"], made["attempts"], run["status"]) == (202, [], 200)
    assert run["attempts"][0]["target"] == "up/seen"
    assert (run["organisation"], run["key"]) == ("acme", "web")


async def test_each_operator_sees_their_own(running: Gateway) -> None:
    """The lead of another team finds neither; without a key nobody finds anything."""
    id = _ask(running).headers["x-request-id"]
    assert _admin(running, f"/admin/requests/{id}")["id"] == id
    assert _admin(running, f"/admin/requests/{id}", LEAD) == 404
    assert {one["team"] for one in _admin(running, "/admin/requests", LEAD)["requests"]} <= {"ads"}
    assert running.get("/admin/requests")[0] == 401


async def test_following(running: Gateway) -> None:
    """A line as soon as a request has ended; who leaves is forgotten."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    path = "/admin/requests?follow=true&limit=0&model=careful"
    connection.request("GET", path, headers={"authorization": f"Bearer {OWNER}"})
    answer = connection.getresponse()
    assert answer.getheader("content-type") == "application/x-ndjson"
    _ask(running)
    id = _ask(running, model="careful").headers["x-request-id"]
    assert json.loads(await asyncio.to_thread(answer.readline))["id"] == id
    connection.close()


def test_show(running: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """For people, as JSON, and of what is not known."""
    id = _ask(running, model="careful").headers["x-request-id"]
    words = ["--url", running.origin, "--key", OWNER]
    assert main(["show", id, *words]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{id}\n")
    assert "attempts  up/unwell error overloaded 503" in told
    assert "\x1b" not in told
    assert main(["show", id, "--json", *words]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == id
    assert main(["show", "req_of_nobody", *words]) == 1
    assert "There is no receipt" in capsys.readouterr().err
    assert main(["show", id, "--url", running.origin]) == 1
    assert "admin key" in capsys.readouterr().err


async def test_no_secret_is_in_any_of_it(running: Gateway) -> None:
    """Keys of callers in their own texts, and those of the file in what the provider says."""
    body: dict[str, Any] = {"script": {"text": f"You sent {PROVIDER} and {HEADER}."}, "user": WEB}
    answer = _ask(running, messages=[{"role": "user", "content": f"My key is {WEB}."}], **body)
    id = answer.headers["x-request-id"]
    await _receipt(running, lambda one: one["id"] == id)
    shown = _admin(running, f"/admin/requests/{id}")
    assert "My key is ***." in shown["request"]["text"]
    assert "You sent *** and ***." in shown["response"]["text"]
    everything = json.dumps(_admin(running, "/admin/requests?limit=1000"), ensure_ascii=False).encode()
    for one in json.loads(everything)["requests"]:
        everything += json.dumps(_admin(running, f"/admin/requests/{one['id']}"), ensure_ascii=False).encode()
    files = list(books.state(running).glob("receipts.sqlite*"))
    assert files
    everything += b"".join(path.read_bytes() for path in files)
    assert id.encode() in everything
    assert [secret for secret in SECRETS if secret.encode() in everything] == []


async def test_another_process_finds_what_was_kept(running: Gateway, module_gateway: Callable[..., Gateway]) -> None:
    """After a restart."""
    id = _ask(running).headers["x-request-id"]
    await _receipt(running, lambda one: one["id"] == id)
    state = {"SLUICEGATE_STATE_DIR": str(books.state(running))}
    running.stop()
    again = module_gateway(running.config.read_text(), env=state)
    assert _admin(again, f"/admin/requests/{id}")["request"] is not None
