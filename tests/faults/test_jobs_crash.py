"""Jobs across `kill -9`, restarts, several workers and a broken disk: none is lost, none is doubled.

The upstream's journal is the truth: each job is known there by its idempotency key.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.jobs import Caller, Receiver, ask, completed, request_of, starts, verified
from tests.support.upstream import FakeUpstream

KEY = "key-of-the-web-team-0123456789"
SECRET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
HELD = {"ttft_ms": 60_000}


def config(url: str, jobs: str = "{}") -> str:
    """One key, one route, a short drain."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    return f"""
listen: 127.0.0.1:8080
server: {{shutdown: {{drain: 300ms}}}}
jobs: {jobs}
providers:
  up: {{kind: openai, base_url: "{url}"}}
tenants: {{acme: {{teams: {{search: {{keys: {{web: {{hash: "sha256:{digest}"}}}}}}}}}}}}
routes:
  chat: {{models: ["*"], policies: [authenticate], target: "up/*"}}
"""


class House:
    """Gateways one after another on the same state directory."""

    def __init__(self, make: Any, url: str, state: Path) -> None:
        self.url = url
        self._make = make
        self.state = state
        self.running: Gateway | None = None

    def start(self, jobs: str = "{}", tail: str = "", **more: Any) -> Caller:
        """Start one; a caller of it."""
        self.running = self._make(config(self.url, jobs) + tail, env={"SLUICEGATE_STATE_DIR": str(self.state)}, **more)
        return Caller(self.running.port, KEY)

    def kill(self) -> None:
        """`kill -9`."""
        assert self.running is not None
        self.running.signal(signal.SIGKILL)
        self.running.wait()

    def term(self) -> int:
        """SIGTERM, and wait; the exit code."""
        assert self.running is not None
        self.running.signal(signal.SIGTERM)
        return self.running.wait()


@pytest.fixture
def house(gateway: Any, upstream: FakeUpstream, tmp_path: Path) -> House:
    """A state directory with gateways to come."""
    return House(gateway, upstream.url, tmp_path / "state")


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """A receiver that is not well at first."""
    made = Receiver(500, 200)
    yield made
    made.close()


def test_what_waits_is_done_after_a_kill(house: House, upstream: FakeUpstream) -> None:
    """A job that was accepted is done, once, by the process after."""
    caller = house.start("{max_in_flight: 1}")
    first = caller.submit(ask("held", script={"id": "held", "steps": [HELD, {}]}))
    waiting = [caller.submit(ask(str(number))) for number in range(5)]
    request_of(upstream.journal(), first)
    house.kill()
    caller = house.start("{max_in_flight: 1}")
    jobs = [caller.over(identity) for identity in (first, *waiting)]
    assert {job["status"] for job in jobs} == {"succeeded"}
    assert [(job["attempts"], job["interruptions"]) for job in jobs] == [(2, 1), *[(1, 0)] * 5]
    assert completed(upstream.journal()) == dict.fromkeys((first, *waiting), 1)
    assert starts(upstream.journal()) == {first: 2} | dict.fromkeys(waiting, 1)


def test_what_ran_is_run_again_once(house: House, upstream: FakeUpstream) -> None:
    """After the second kill it has failed, and says why; nobody was asked a third time."""
    caller = house.start()
    identity = caller.submit(ask("held", script=HELD))
    request_of(upstream.journal(), identity)
    house.kill()
    upstream.journal().mark()
    house.start()
    request_of(upstream.journal(), identity)
    house.kill()
    caller = house.start()
    job = caller.over(identity)
    assert (job["status"], job["error"]["code"], job["interruptions"]) == ("failed", "interrupted", 2)
    refused = caller.call("GET", f"/v1/jobs/{identity}/result")
    assert (refused.status, refused.code) == (503, "interrupted")
    assert starts(upstream.journal()) == {identity: 1}


def test_nobody_is_asked_twice_where_the_file_says_so(house: House, upstream: FakeUpstream) -> None:
    """`interrupted: fail`."""
    caller = house.start("{interrupted: fail}")
    identity = caller.submit(ask("held", script=HELD))
    request_of(upstream.journal(), identity)
    house.kill()
    job = house.start("{interrupted: fail}").over(identity)
    assert (job["status"], job["error"]["code"]) == ("failed", "interrupted")
    assert starts(upstream.journal()) == {identity: 1}


def test_what_is_over_stays_over(house: House, upstream: FakeUpstream) -> None:
    """Killed as soon as the answer is known, it is not asked for again, and the same is told."""
    caller = house.start()
    identity = caller.submit(ask("done"))
    before = caller.over(identity)
    house.kill()
    caller = house.start()
    last = caller.submit(ask("next"))
    caller.over(last)
    assert caller.job(identity) == before
    assert starts(upstream.journal()) == {identity: 1, last: 1}


def test_kills_at_any_moment(house: House, upstream: FakeUpstream) -> None:
    """Three of them in a stream of jobs: every 202 becomes an answer, and nothing is asked more than twice."""
    draw = random.Random(7)
    upstream.tell("quick", ttft_ms=60)
    accepted: list[str] = []
    for _ in range(3):
        caller = house.start("{max_in_flight: 4}")
        end = time.monotonic() + draw.uniform(0.15, 0.5)
        while time.monotonic() < end:
            accepted.append(caller.submit(ask(f"job {len(accepted)}", model="quick")))
        house.kill()
    caller = house.start("{max_in_flight: 16}")
    jobs = [caller.over(identity) for identity in accepted]
    begun, whole = starts(upstream.journal()), completed(upstream.journal())
    assert len(jobs) > 20
    for job in jobs:
        name = job["id"]
        if job["status"] == "failed":
            assert (job["error"]["code"], job["interruptions"]) == ("interrupted", 2)
        else:
            assert whole[name] >= 1
        assert begun[name] <= 1 + job["interruptions"] <= 2 + (job["status"] == "failed")
        assert whole[name] <= 1 + job["interruptions"]
    assert set(begun) <= set(accepted)
    assert sum(job["interruptions"] for job in jobs) <= 3 * 4


def test_sigterm_gives_time_and_then_takes_back(house: House, upstream: FakeUpstream) -> None:
    """What ends within the drain is whole; the rest goes back, and is done by the process after."""
    caller = house.start()
    short = caller.submit(ask("short", script={"ttft_ms": 150}))
    long = caller.submit(ask("long", script={"id": "long", "steps": [HELD, {"text": "Later."}]}))
    for identity in (short, long):
        request_of(upstream.journal(), identity)
    assert house.term() == 0
    number = request_of(upstream.journal(), long)["id"]
    upstream.journal().wait_blocking("closed", id=number)
    database = sqlite3.connect(house.state / "jobs.sqlite")
    assert dict(database.execute("SELECT id, status FROM jobs")) == {short: "succeeded", long: "queued"}
    database.close()
    caller = house.start()
    job = caller.over(long)
    assert (job["status"], job["attempts"], job["interruptions"]) == ("succeeded", 2, 1)
    assert starts(upstream.journal()) == {short: 1, long: 2}
    assert not [line for line in house.running.log() if line["level"] == "error"] if house.running else False


def test_workers_share_the_jobs(house: House, upstream: FakeUpstream) -> None:
    """Each is run by one of them, all show it, and any cancels it."""
    caller = house.start("{max_in_flight: 3}", args=("--workers", "3"))
    upstream.tell("quick", ttft_ms=30)
    many = [caller.submit(ask(str(number), model="quick")) for number in range(30)]
    held = caller.submit(ask("held", script=HELD))
    assert {caller.over(identity)["status"] for identity in many} == {"succeeded"}
    number = request_of(upstream.journal(), held)["id"]
    assert caller.call("DELETE", f"/v1/jobs/{held}").json["status"] == "cancelled"
    upstream.journal().wait_blocking("closed", id=number)
    assert starts(upstream.journal()) == dict.fromkeys((*many, held), 1)


def test_a_worker_takes_over_from_one_that_is_killed(house: House, upstream: FakeUpstream) -> None:
    """As soon as the kernel says that it is gone, while the service goes on."""
    caller = house.start(args=("--workers", "2"))
    identity = caller.submit(ask("held", script={"id": "taken over", "steps": [HELD, {"text": "Mine."}]}))
    request_of(upstream.journal(), identity)
    assert house.running is not None
    for worker in _workers(house.running.pid):
        os.kill(worker, signal.SIGKILL)
        end = time.monotonic() + 2
        while len(upstream.journal().requests()) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        if len(upstream.journal().requests()) == 2:
            break
    job = caller.over(identity)
    assert (job["status"], job["interruptions"]) == ("succeeded", 1)
    assert starts(upstream.journal()) == {identity: 2}


def _workers(supervisor: int) -> list[int]:
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_a_webhook_is_delivered_after_a_restart(house: House, upstream: FakeUpstream, hook: Receiver) -> None:
    """The first try fails, the process is killed, the next one goes on."""
    jobs = f'{{webhooks: {{allow: ["{hook.url}"], secret: "{SECRET}", retry_after: 1s}}}}'
    caller = house.start(jobs)
    identity = caller.submit(ask("a"), x_sluicegate_webhook=hook.url)
    caller.until(identity, lambda job: job["webhook"]["state"] == "pending" and job["webhook"]["last_status"] == 500)
    house.kill()
    caller = house.start(jobs)
    hook.wait(2)
    job = caller.until(identity, lambda job: job["webhook"]["state"] == "delivered")
    assert job["webhook"]["tries"] == 2
    assert all(verified(SECRET, headers, body) for headers, body in hook.got)
    assert len({headers["webhook-id"] for headers, _ in hook.got}) == 1
    assert starts(upstream.journal()) == {identity: 1}


def test_what_a_queue_accepted_survives_a_kill(gateway: Any, upstream: FakeUpstream, tmp_path: Path) -> None:
    """Its 202 holds for the process after: the answer is at the place that it named, and was asked for once."""
    limited = config(upstream.url).replace("[authenticate]", "[authenticate, {queue: {patience: 1s}}]")
    limited += "health: {enabled: true}\n"
    state = {"SLUICEGATE_STATE_DIR": str(tmp_path / "state")}
    first = gateway(limited, env=state)
    steps = [{"status": 429, "headers": {"retry-after": "30"}}, {"text": "At last."}]
    answer = Caller(first.port, KEY).call("POST", "/v1/chat/completions", ask("a", script={"id": "q", "steps": steps}))
    assert (answer.status, 25 <= answer.json["estimated_wait_seconds"] <= 30) == (202, True)
    first.signal(signal.SIGKILL)
    first.wait()
    caller = Caller(gateway(limited, env=state).port, KEY)
    end = time.monotonic() + 10
    while (found := caller.call("GET", answer.json["poll_url"])).status == 202:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert found.json["choices"][0]["message"]["content"] == "At last."
    assert completed(upstream.journal())[answer.json["queue_id"]] == 1
    assert len(upstream.journal().requests()) == 2


def test_a_full_disk_is_told_and_mends(house: House, upstream: FakeUpstream) -> None:
    """A job that cannot be kept is refused, the rest is served, and what had been accepted loses nothing."""
    caller = house.start()
    assert house.running is not None
    held = caller.submit(ask("held", script={"ttft_ms": 700}))
    request_of(upstream.journal(), held)
    used = max(path.stat().st_size for path in house.state.iterdir())
    resource.prlimit(house.running.pid, resource.RLIMIT_FSIZE, (used, resource.RLIM_INFINITY))
    refused = caller.call("POST", "/v1/jobs", ask("x" * 300_000))
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "jobs_unavailable", "10")
    assert caller.call("POST", "/v1/chat/completions", ask("now")).status == 200
    resource.prlimit(house.running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert caller.over(held)["status"] == "succeeded"
    assert caller.over(caller.submit(ask("x" * 300_000)))["status"] == "succeeded"
    assert house.running.log("jobs.store_broken")


def test_a_locked_file_stops_nobody_else(house: House, upstream: FakeUpstream) -> None:
    """While another program holds it, jobs are refused in time, and other requests do not wait."""
    caller = house.start()
    first = caller.submit(ask("a"))
    caller.over(first)
    holder = sqlite3.connect(house.state / "jobs.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    refused = caller.call("POST", "/v1/jobs", ask("b"))
    assert (refused.status, refused.code) == (503, "jobs_unavailable")
    assert caller.call("POST", "/v1/chat/completions", ask("now")).status == 200
    assert caller.job(first)["status"] == "succeeded"
    holder.execute("ROLLBACK")
    holder.close()
    assert caller.over(caller.submit(ask("c")))["status"] == "succeeded"


def test_a_place_that_cannot_be_written(house: House, upstream: FakeUpstream) -> None:
    """A file stands where the folder should be: a typed refusal until it is gone. With a ledger nothing would start."""
    house.state.write_text("in the way")
    caller = house.start(tail="\nledger: {enabled: false}\n")
    refused = caller.call("POST", "/v1/jobs", ask("a"))
    assert (refused.status, refused.code) == (503, "jobs_unavailable")
    assert house.running is not None
    state = json.loads(house.running.get("/readyz")[1])
    assert (state["status"], len(state["reasons"])) == ("ready", 1)
    house.state.unlink()
    assert caller.over(caller.submit(ask("b")))["status"] == "succeeded"
    assert "reasons" not in json.loads(house.running.get("/readyz")[1])
