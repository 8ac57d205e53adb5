"""Jobs as their callers see them: made, asked for, fetched, listed, cancelled, told."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.jobs import Caller, Receiver, ask, request_of, starts, verified
from tests.support.journal import header_of
from tests.support.upstream import FakeUpstream

WEB, BOT = "key-of-the-web-team-0123456789", "key-of-the-bots-0123456789"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def _hash(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def config(url: str, *, jobs: str = "{}", bot: bool = True) -> str:
    """Two keys on one route with a key, and a route for anybody."""
    other = f'\n          bot: {{hash: "{_hash(BOT)}"}}' if bot else ""
    return f"""
listen: 127.0.0.1:8080
server: {{shutdown: {{drain: 200ms}}}}
jobs: {jobs}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-of-the-provider}}
tenants:
  acme:
    teams:
      search:
        keys:
          web: {{hash: "{_hash(WEB)}"}}{other}
routes:
  chat: {{models: [fast, slow], policies: [authenticate], target: "up/*"}}
  open: {{models: [anybody], target: up/fast}}
"""


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    """``receiver(500, 200)``: a server for webhooks."""
    made: list[Receiver] = []

    def make(*statuses: int, **more: Any) -> Receiver:
        made.append(Receiver(*statuses, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """A gateway for all tests that leave its file alone."""
    return module_gateway(config(upstream_process.url))


@pytest.fixture
def web(running: Gateway) -> Caller:
    """A caller with the first key."""
    return Caller(running.port, WEB)


def test_a_job_has_the_answer_that_the_request_would_have_had(web: Caller, upstream: FakeUpstream) -> None:
    """202 with an id and a place, then the answer embedded, and as it would have been."""
    identity = web.submit(ask("hello", script={"text": "Good day."}), x_sluicegate_tags="user=ada")
    job = web.over(identity)
    assert (job["status"], job["attempts"], job["response"]["status"]) == ("succeeded", 1, 200)
    assert job["response"]["body"]["choices"][0]["message"]["content"] == "Good day."
    assert job["response"]["headers"]["x-sluicegate-target"] == "up/fast"
    assert job["created_at"] <= job["started_at"] <= job["finished_at"] < job["expires_at"]
    result = web.call("GET", job["result_url"])
    assert (result.status, result.json) == (200, job["response"]["body"])
    assert result.headers["content-type"] == "application/json"
    assert starts(upstream.journal()) == {identity: 1}
    (request,) = upstream.journal().requests()
    assert header_of(request, "authorization") == "Bearer sk-of-the-provider"


def test_other_bodies_other_dialects_and_streams(web: Caller, upstream: FakeUpstream) -> None:
    """Messages, Gemini's paths, forms and whole streams; a refusal speaks the dialect that was meant."""
    message = {"model": "fast", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    gemini = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    form = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nfast\r\n--b\r\nContent-Disposition: form-data;'
    form += b' name="file"; filename="a.wav"\r\n\r\n\x00\xff\r\n--b--\r\n'
    spoken = web.submit(message, "/v1/messages")
    asked = web.submit(gemini, "/v1beta/models/fast:generateContent")
    heard = web.submit(form, "/v1/audio/transcriptions", content_type="multipart/form-data; boundary=b")
    streamed = web.submit(ask("hi", stream=True, script={"tokens": 5}))
    assert web.over(spoken)["response"]["body"]["type"] == "message"
    assert "candidates" in web.over(asked)["response"]["body"]
    assert web.over(heard)["status"] == "succeeded"
    assert request_of(upstream.journal(), heard)["size"] == len(form)
    job = web.over(streamed)
    assert (job["status"], job["response"]["encoding"]) == ("succeeded", "text")
    result = web.call("GET", job["result_url"])
    assert result.headers["content-type"].startswith("text/event-stream")
    assert result.body.rstrip().endswith(b"data: [DONE]")
    refused = web.call("POST", "/v1/jobs?path=/v1/messages", {"model": "unknown", "messages": []})
    assert (refused.status, refused.json["type"], refused.code) == (404, "error", "model_not_found")


def test_what_cannot_be_a_job_is_refused_at_once(web: Caller, running: Gateway) -> None:
    """By the rules of the path that is meant."""
    assert web.call("POST", "/v1/jobs", b"{").code == "invalid_json"
    assert web.call("POST", "/v1/jobs?path=/v1/jobs", ask("x")).code == "invalid_path"
    assert web.call("POST", "/v1/jobs?path=/v1/files", b"x").code == "invalid_path"
    assert web.call("POST", "/v1/jobs?pth=/v1/messages", ask("x")).code == "invalid_request"
    assert web.call("PUT", "/v1/jobs", b"x").status == 405
    assert web.call("POST", "/v1/jobs/job_" + "0" * 32, b"x").status == 405
    for key in (None, "no"):
        answer = Caller(running.port, key).call("POST", "/v1/jobs", ask("x"))
        assert (answer.status, answer.code) == (401, "invalid_api_key")
    hooked = web.call("POST", "/v1/jobs", ask("x"), x_sluicegate_webhook="http://169.254.169.254/latest")
    assert (hooked.status, hooked.code) == (400, "webhook_not_allowed")


def test_a_job_belongs_to_its_key(web: Caller, running: Gateway) -> None:
    """For another key, and for nobody's, it does not exist; it can be neither read nor cancelled, nor is it listed."""
    web.over(web.submit(ask("another")))
    identity = web.submit(ask("mine"))
    web.over(identity)
    for other in (Caller(running.port, BOT), Caller(running.port)):
        for method, path in (("GET", ""), ("GET", "/result"), ("DELETE", "")):
            answer = other.call(method, f"/v1/jobs/{identity}{path}")
            assert (answer.status, answer.code) == (404, "job_not_found")
    assert web.call("GET", f"/v1/queue/{identity}").status == 404
    assert Caller(running.port, BOT).call("GET", "/v1/jobs").json["data"] == []
    assert Caller(running.port).call("GET", "/v1/jobs").code == "key_required"
    listed = web.call("GET", "/v1/jobs?limit=1").json
    assert ([job["id"] for job in listed["data"]], listed["has_more"]) == ([identity], True)
    older = web.call("GET", f"/v1/jobs?limit=100&after={identity}").json["data"]
    assert identity not in [job["id"] for job in older]
    assert older


def test_without_a_key_the_id_is_the_key(running: Gateway) -> None:
    """On a route that is open to anybody; also to one who has a key."""
    identity = Caller(running.port).submit(ask("hi", model="anybody"))
    assert Caller(running.port).over(identity)["status"] == "succeeded"
    assert Caller(running.port, WEB).job(identity)["status"] == "succeeded"


def test_one_effect_for_one_idempotency_key(web: Caller, running: Gateway, upstream: FakeUpstream) -> None:
    """The same request makes no second job, another request none at all, and another caller has its own."""
    first = web.submit(ask("once"), idempotency_key="order-7")
    assert web.submit(ask("once"), idempotency_key="order-7") == first
    clash = web.call("POST", "/v1/jobs", ask("twice"), idempotency_key="order-7")
    assert (clash.status, clash.code) == (409, "idempotency_key_reused")
    other = Caller(running.port, BOT)
    second = other.submit(ask("once"), idempotency_key="order-7")
    assert second != first
    web.over(first)
    other.over(second)
    assert starts(upstream.journal()) == {"order-7": 2}


def test_a_job_is_cancelled(gateway: Any, upstream: FakeUpstream) -> None:
    """One that runs is broken off upstream within a second, one that waits is never sent."""
    caller = Caller(gateway(config(upstream.url, jobs="{max_in_flight: 1}")).port, WEB)
    running = caller.submit(ask("a", script={"ttft_ms": 60_000}))
    waiting = caller.submit(ask("b"))
    number = request_of(upstream.journal(), running)["id"]
    assert caller.job(running)["status"] == "running"
    assert caller.call("DELETE", f"/v1/jobs/{waiting}").json["status"] == "cancelled"
    assert caller.call("DELETE", f"/v1/jobs/{running}").json["status"] == "cancelled"
    upstream.journal().wait_blocking("closed", id=number)
    assert caller.call("GET", f"/v1/jobs/{running}/result").code == "cancelled"
    last = caller.submit(ask("c"))
    assert caller.over(last)["status"] == "succeeded"
    assert caller.call("DELETE", f"/v1/jobs/{last}").json["status"] == "succeeded"
    assert starts(upstream.journal()) == {running: 1, last: 1}


def test_a_key_that_is_gone_stops_its_jobs(gateway: Any, upstream: FakeUpstream) -> None:
    """Those that wait are not sent, and have failed as a request with that key would."""
    running = gateway(config(upstream.url, jobs="{max_in_flight: 1}"))
    web, bot = Caller(running.port, WEB), Caller(running.port, BOT)
    first = web.submit(ask("a", script={"ttft_ms": 60_000}))
    request_of(upstream.journal(), first)
    waiting = bot.submit(ask("b"))
    running.write(config(upstream.url, jobs="{max_in_flight: 1}", bot=False))
    end = time.monotonic() + 10
    while running.generation() < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert bot.call("GET", f"/v1/jobs/{waiting}").status == 404
    web.call("DELETE", f"/v1/jobs/{first}")
    entry = wait_log(running, "job.finished", job=waiting)
    assert (entry["status"], entry["code"]) == ("failed", "invalid_api_key")
    assert starts(upstream.journal()) == {first: 1}


def wait_log(running: Gateway, event: str, **fields: Any) -> Any:
    """The first such line of the log."""
    end = time.monotonic() + 10
    while not (found := running.log(event, **fields)):
        assert time.monotonic() < end, running.output()[-2000:]
        time.sleep(0.02)
    return found[0]


def test_limits(gateway: Any, upstream: FakeUpstream) -> None:
    """Too many, too large, too much: each refused with its code; an answer that is too large is a failure."""
    jobs = "{max_in_flight: 1, max_per_key: 2, max_jobs: 4, max_size: 64KiB, max_result: 2KiB}"
    caller = Caller(gateway(config(upstream.url, jobs=jobs)).port, WEB)
    large = caller.call("POST", "/v1/jobs", ask("x" * 70_000))
    assert (large.status, large.code) == (413, "job_too_large")
    first = caller.submit(ask("a", script={"pad": 4000}))
    failed = caller.over(first)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "result_too_large")
    held = caller.submit(ask("a", script={"ttft_ms": 60_000}))
    much = caller.call("POST", "/v1/jobs", ask("x" * 65_300))
    assert (much.status, much.code) == (429, "job_store_full")
    waiting = caller.submit(ask("b"))
    third = caller.call("POST", "/v1/jobs", ask("c"))
    assert (third.status, third.code, third.headers["retry-after"]) == (429, "too_many_jobs_of_key", "10")
    caller.call("DELETE", f"/v1/jobs/{waiting}")
    caller.submit(ask("d"))
    caller.call("DELETE", f"/v1/jobs/{held}")
    fifth = caller.call("POST", "/v1/jobs", ask("e"))
    assert (fifth.status, fifth.code) == (429, "too_many_jobs")


def test_results_are_forgotten_when_their_time_is_over(gateway: Any, upstream: FakeUpstream) -> None:
    """And make room."""
    caller = Caller(gateway(config(upstream.url, jobs="{lifetime: 1s, max_jobs: 1}")).port, WEB)
    first = caller.submit(ask("a"))
    caller.over(first)
    end = time.monotonic() + 10
    while caller.call("GET", f"/v1/jobs/{first}").status != 404:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert caller.over(caller.submit(ask("b")))["status"] == "succeeded"


def test_a_limited_job_is_put_off(gateway: Any, upstream: FakeUpstream) -> None:
    """As long as its patience lasts; then what the provider said is its result."""
    script: dict[str, Any] = {
        "id": "limited",
        "steps": [{"status": 429, "headers": {"retry-after": "1"}}, {"text": "At last."}],
    }
    caller = Caller(gateway(config(upstream.url)).port, WEB)
    job = caller.over(caller.submit(ask("a", script=script)))
    assert (job["status"], job["attempts"], job["interruptions"]) == ("succeeded", 2, 0)
    impatient = Caller(gateway(config(upstream.url, jobs="{patience: 0s}")).port, WEB)
    script = {"status": 429, "headers": {"retry-after": "1"}}
    job = impatient.over(impatient.submit(ask("a", script=script)))
    assert (job["status"], job["error"]["code"], job["response"]["status"]) == ("failed", "rate_limited", 429)


def test_a_webhook_is_signed_and_tried_again(gateway: Any, upstream: FakeUpstream, receiver: Any) -> None:
    """Until it is taken, with the same id; its address is one that the file allows, and redirects lead nowhere."""
    hook, elsewhere = receiver(500, 503, 204), receiver(200)
    turns = receiver(302, location=elsewhere.url)
    allow = f'["{hook.url}", "{turns.url}/here"]'
    jobs = f'{{webhooks: {{allow: {allow}, secret: "{SECRET}", retry_after: 100ms}}}}'
    caller = Caller(gateway(config(upstream.url, jobs=jobs)).port, WEB)
    for wrong in (f"{hook.url}x", turns.url, hook.url.replace("127.0.0.1", "localhost"), f"{hook.url}/../a", "x"):
        assert caller.call("POST", "/v1/jobs", ask("a"), x_sluicegate_webhook=wrong).code == "webhook_not_allowed"
    identity = caller.submit(ask("a"), x_sluicegate_webhook=f"{hook.url}/done?order=7")
    turned = caller.submit(ask("b"), x_sluicegate_webhook=f"{turns.url}/here")
    hook.wait(3)
    job = caller.until(identity, lambda job: job["webhook"]["state"] == "delivered")
    assert (job["webhook"]["tries"], job["webhook"]["last_status"]) == (3, 204)
    assert all(verified(SECRET, headers, body) for headers, body in hook.got)
    assert not verified(SECRET, hook.got[0][0], hook.got[0][1] + b" ")
    assert {headers["webhook-id"] for headers, _ in hook.got} == {f"msg_{identity}"}
    told = json.loads(hook.got[0][1])
    assert (told["type"], told["data"]["id"], told["data"]["response"]) == ("job.succeeded", identity, job["response"])
    turns.wait(2)
    assert not elsewhere.got
    assert caller.job(turned)["webhook"]["state"] == "pending"


def test_no_secret_is_stored(gateway: Any, upstream: FakeUpstream, tmp_path: Path) -> None:
    """Neither the caller's key nor the provider's, nor any header that is not on the list."""
    caller = Caller(gateway(config(upstream.url), env={"SLUICEGATE_STATE_DIR": str(tmp_path / "state")}).port, WEB)
    held = caller.submit(
        ask("find-me", script={"ttft_ms": 60_000}), cookie="session=stolen", x_api_key=WEB, x_odd="odd"
    )
    request_of(upstream.journal(), held)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert b"find-me" in kept
    assert not [secret for secret in (WEB, "sk-of-the-provider", "stolen", "x-odd") if secret.encode() in kept]
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "state").iterdir()} == {0}
    caller.call("DELETE", f"/v1/jobs/{held}")


def test_without_jobs_no_file_is_made(gateway: Any, upstream: FakeUpstream) -> None:
    """Nor by asking for one; where they are turned off, none is accepted, until a new file says otherwise."""
    running = gateway(config(upstream.url, jobs="{enabled: false}"))
    caller = Caller(running.port, WEB)
    assert caller.call("POST", "/v1/chat/completions", ask("a")).status == 200
    assert caller.call("GET", f"/v1/jobs/job_{'0' * 32}").status == 404
    assert caller.call("GET", "/v1/jobs").json["data"] == []
    assert caller.call("POST", "/v1/jobs", ask("a")).code == "jobs_disabled"
    assert not (running.folder / ".sluicegate" / "jobs.sqlite").exists()
    running.write(config(upstream.url))
    wait_log(running, "reload.applied")
    assert caller.over(caller.submit(ask("b")))["status"] == "succeeded"
    assert (running.folder / ".sluicegate" / "jobs.sqlite").is_file()
