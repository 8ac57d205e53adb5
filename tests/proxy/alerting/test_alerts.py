"""Alerts: each is taken once by a receiver that fails at first, in order, and whatever happens to the process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.alerting.alerts import Alerts, Settings, alert, delay
from proxy.jobs.signature import read_secret
from proxy.ledger.export import Source, open_source
from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink
from proxy.telemetry.log import make_logger
from tests.support.jobs import Receiver, verified

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
HOUR = 3600
MakeAlerts = Callable[..., Alerts]


def limit(scope: str = "acme/search/web", **more: Any) -> dict[str, Any]:
    """What is reported of a limit."""
    told: dict[str, Any] = {"level": "key", "scope": scope, "limit": "$5/month", "window": "month", "models": ""}
    return told | {"share": 0.8, "used": "$4"} | more


class Running:
    """Alerts whose tasks run, and what they tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.waiting = 0
        self.reported: list[tuple[str, dict[str, Any]]] = []
        self.clock = time.time
        self._tasks: dict[Alerts, asyncio.Task[None]] = {}

    def start(self, url: str, *, secret: str = SECRET, factor: float = 0.0, **more: Any) -> Alerts:
        """One more process, as it were."""
        made = Alerts(
            self.folder,
            Settings(url, read_secret(secret) if secret else b"", factor),
            report=lambda kind, fields: self.reported.append((kind, fields)),
            undelivered=lambda count: setattr(self, "waiting", count),
            log=lambda: make_logger("error", "json"),
            now=lambda: self.clock(),
            draw=lambda: 0.0,
            **more,
        )
        self._tasks[made] = asyncio.create_task(made.run())
        return made

    async def stop(self, one: Alerts) -> None:
        """As a process that ends well."""
        task = self._tasks.pop(one)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await one.aclose()

    async def aclose(self) -> None:
        """All of them."""
        for one in list(self._tasks):
            await self.stop(one)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """Alerts of one state directory."""
    made = Running(tmp_path)
    yield made
    await made.aclose()


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """``receive(503, 200)`` starts a receiver that answers so."""
    made: list[Receiver] = []

    def start(*statuses: int, **more: Any) -> Receiver:
        made.append(Receiver(*statuses, **more))
        return made[-1]

    yield start
    for one in made:
        one.close()


async def until(look: Callable[[], object], timeout: float = 15.0) -> None:
    """Wait for it."""
    end = time.monotonic() + timeout
    while not look():
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.01)


def scopes(receiver: Receiver) -> list[str]:
    """Of what came, in order."""
    return [json.loads(body)["data"]["scope"] for _, body in receiver.got]


def test_the_waits_between_tries() -> None:
    """From one second to five minutes."""
    waits = [delay(tries, lambda: 0.5) for tries in range(1, 12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert delay(1, lambda: 0.0) == pytest.approx(0.8)
    assert delay(100, lambda: 1.0) == pytest.approx(360)


@pytest.mark.parametrize(
    ("changed", "later", "same"),
    [
        ({}, 0, True),
        ({"used": "$4.5"}, 86_400, True),
        ({}, 40 * 86_400, False),
        ({"share": 1.0}, 0, False),
        ({"limit": "$6/month"}, 0, False),
        ({"scope": "acme/search/app"}, 0, False),
        ({"level": "team"}, 0, False),
        ({"models": "fast"}, 0, False),
    ],
)
def test_the_same_limit_and_share_has_the_same_id_within_a_period(
    changed: dict[str, Any], later: float, same: bool
) -> None:
    first, second = (
        alert("limit.alert", limit(), 1e9, "UTC"),
        alert("limit.alert", limit(**changed), 1e9 + later, "UTC"),
    )
    assert (first.id == second.id) is same


def test_a_canary_that_goes_back_again_is_news() -> None:
    """Another run of it, within the same hour."""
    told = {"canary": "next", "run": 1, "step": 2, "reason": "4 of 4 failed"}
    first, same, again = (
        alert("canary.rolled_back", {**told, **changed}, 1e9, "UTC")
        for changed in ({}, {"reason": "5 of 5 failed"}, {"run": 2})
    )
    assert (first.scope, first.id == same.id, first.id == again.id) == ("next", True, False)


def test_days_are_those_of_the_limit() -> None:
    """In Tokyo a day begins at 15:00 UTC."""
    at = [alert("limit.alert", limit(window="day"), 15 * HOUR + off, "Asia/Tokyo").id for off in (-1, 0, 86_399)]
    assert at[0] != at[1] == at[2]


async def test_it_is_tried_again_until_it_is_taken(running: Running, receive: Callable[..., Receiver]) -> None:
    """Signed anew each time, with one id."""
    receiver = receive(500, 302, 200, location="http://127.0.0.1:1/elsewhere")
    alerts = running.start(receiver.url)
    alerts.told("limit.alert", limit())
    await until(lambda: running.waiting == 1)
    await until(lambda: len(receiver.got) == 3)
    await until(lambda: running.waiting == 0)
    assert all(verified(SECRET, headers, body) for headers, body in receiver.got)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    told = json.loads(receiver.got[0][1])
    assert (told["type"], told["data"]) == ("limit.alert", limit())
    assert abs(time.mktime(time.strptime(told["timestamp"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone - time.time()) < 60


async def test_the_same_is_sent_once(running: Running, receive: Callable[..., Receiver]) -> None:
    """Also if it is reported after it was delivered, by another process, or after a restart."""
    receiver = receive(200)
    first, second = running.start(receiver.url), running.start(receiver.url)
    first.told("limit.alert", limit())
    second.told("limit.alert", limit())
    await until(lambda: receiver.got)
    await running.stop(first)
    second.told("limit.alert", limit())
    second.told("limit.alert", limit("other"))
    await until(lambda: len(receiver.got) > 1)
    assert scopes(receiver) == ["acme/search/web", "other"]


async def test_they_come_in_order(running: Running, receive: Callable[..., Receiver]) -> None:
    receiver = receive(503, 200)
    alerts = running.start(receiver.url)
    names = [f"key{at}" for at in range(50)]
    for name in names:
        alerts.told("limit.alert", limit(name))
    await until(lambda: len(receiver.got) == 51)
    assert scopes(receiver) == [names[0], *names]


async def test_what_waits_survives_the_process(running: Running, receive: Callable[..., Receiver]) -> None:
    alerts = running.start("http://127.0.0.1:1/nobody")
    alerts.told("limit.alert", limit())
    await until(lambda: running.waiting == 1)
    await running.stop(alerts)
    receiver = receive(200)
    running.start(receiver.url)
    await until(lambda: receiver.got)
    assert scopes(receiver) == ["acme/search/web"]


async def test_what_is_told_while_a_process_ends_is_kept(running: Running, receive: Callable[..., Receiver]) -> None:
    receiver = receive(200)
    alerts = running.start("http://127.0.0.1:1/nobody")
    alerts.told("limit.alert", limit())
    await running.stop(alerts)
    running.start(receiver.url)
    await until(lambda: receiver.got)


async def test_a_reload_leads_elsewhere_at_once(running: Running, receive: Callable[..., Receiver]) -> None:
    receiver = receive(200)
    alerts = running.start("http://127.0.0.1:1/nobody", secret="")
    alerts.told("limit.alert", limit())
    await until(lambda: running.waiting == 1)
    alerts.follow(Settings(receiver.url))
    await until(lambda: receiver.got)
    assert "webhook-signature" not in receiver.got[0][0]
    assert "webhook-id" in receiver.got[0][0]


async def test_a_thousand_wait_at_most(running: Running) -> None:
    """The oldest of the same kind and scope goes first."""
    alerts = running.start("http://127.0.0.1:1/nobody")
    for at in range(999):
        alerts.told("limit.alert", limit(f"key{at}"))
    await until(lambda: running.waiting == 999)
    alerts.told("limit.alert", limit("key7", share=0.9))
    await until(lambda: running.waiting == 1000)
    alerts.told("limit.alert", limit("key7", share=1.0))
    alerts.told("limit.alert", limit("new"))
    await running.stop(alerts)
    database = sqlite3.connect(running.folder / "alerts.sqlite")
    try:
        kept = [json.loads(body)["data"] for (body,) in database.execute("SELECT body FROM alerts ORDER BY seq")]
    finally:
        database.close()
    assert len(kept) == 1000
    assert [one["share"] for one in kept if one["scope"] == "key7"] == [0.9, 1.0]
    assert kept[0]["scope"] == "key1"  # "new" took the place of the oldest of all
    assert kept[-1]["scope"] == "new"


async def test_after_a_day_it_is_given_up(running: Running, receive: Callable[..., Receiver]) -> None:
    alerts = running.start("http://127.0.0.1:1/nobody")
    alerts.told("limit.alert", limit("old"))
    await until(lambda: running.waiting == 1)
    await running.stop(alerts)
    running.clock = lambda: time.time() + 86_460
    receiver = receive(200)
    alerts = running.start(receiver.url)
    alerts.told("limit.alert", limit("new"))
    await until(lambda: receiver.got)
    assert scopes(receiver) == ["new"]


async def test_without_a_file_it_is_sent_all_the_same(running: Running, receive: Callable[..., Receiver]) -> None:
    """That the disk fails is what operators must hear of."""
    (running.folder / "alerts.sqlite").mkdir()
    receiver = receive(500, 200)
    alerts = running.start(receiver.url)
    alerts.told("ledger.problem", {"problem": "disk full"})
    alerts.told("limit.alert", limit())
    await until(lambda: len(receiver.got) == 3)
    assert [json.loads(body)["type"] for _, body in receiver.got] == ["ledger.problem"] * 2 + ["limit.alert"]
    await until(lambda: running.waiting == 0)


async def test_nobody_is_told_of_what_is_no_alert(running: Running, receive: Callable[..., Receiver]) -> None:
    receiver = receive(200)
    alerts = running.start(receiver.url)
    alerts.told("limit.over", {"action": "warn"})
    alerts.told("limit.alert", limit())
    await until(lambda: receiver.got)
    assert scopes(receiver) == ["acme/search/web"]


async def test_problems_of_the_ledger_are_reported_once(running: Running) -> None:
    problems = [""]
    running.start("", problem=lambda: problems[0])
    problems[0] = "disk full"
    await until(lambda: running.reported)
    assert running.reported == [("ledger.problem", {"problem": "disk full"})]


async def test_spending_unlike_its_past_is_reported(running: Running) -> None:
    now = 500_000 * HOUR + 60
    path = running.folder / "ledger.sqlite"
    sink = SqliteSink(path)
    costs = dict.fromkeys(range(2, 30), 20_000_000) | {1: 200_000_000}
    opened = {back: (500_000 - back) * HOUR * 1_000_000 for back in costs}
    rows = [
        Row(f"att_{back}", "req_1", 1, opened[back], status="ok", organisation="acme", cost=cost)
        for back, cost in costs.items()
    ]
    sink.write(rows, ())
    sink.close()
    running.clock = lambda: now

    def source() -> Source:
        return open_source(path)

    running.start("", factor=20.0, source=source)
    running.start("", factor=5.0, source=source)
    await until(lambda: running.reported)
    told = {"organisation": "acme", "hour": "2027-01-15T07:00:00Z", "cost_usd": 0.2, "usual_usd": 0.02}
    assert running.reported == [("spending.anomaly", told)]
    made = alert("spending.anomaly", told, now, "UTC")
    assert (made.kind, made.scope) == ("spending.anomaly", "acme")
