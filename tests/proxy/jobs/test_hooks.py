"""Webhooks: which addresses are allowed, when they are tried again, and what they say."""

from __future__ import annotations

import json

import pytest

from proxy.errors import BadRequest
from proxy.jobs.hooks import MAX_TRIES, Sender, allowed, delay, message
from proxy.jobs.record import Job, Response, Webhooks
from tests.support.jobs import Receiver

ALLOW = ("https://hooks.example.com/sluicegate/", "http://10.0.0.7:9000", "https://exact.example.com/one")


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/sluicegate/",
        "https://hooks.example.com/sluicegate/a/b?x=1",
        "https://HOOKS.example.com:443/sluicegate/a",
        "http://10.0.0.7:9000/anything",
        "https://exact.example.com/one",
        "https://exact.example.com/one/more",
    ],
)
def test_addresses_below_one_of_the_file(url: str) -> None:
    """Are used as they are read."""
    assert allowed(url, ALLOW).lower() == url.lower().replace(":443", "")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks",
        "//hooks.example.com/sluicegate/",
        "http://hooks.example.com/sluicegate/",
        "https://hooks.example.com/",
        "https://hooks.example.com/sluicegate",
        "https://hooks.example.com/sluicegate/../admin",
        "https://hooks.example.com/sluicegate/%2e%2e/admin",
        "https://hooks.example.com/sluicegate/%2fadmin",
        "https://hooks.example.com:8443/sluicegate/",
        "https://hooks.example.com.evil.test/sluicegate/",
        "https://hooks.example.com@evil.test/sluicegate/",
        "https://evil.test\\@hooks.example.com/sluicegate/",
        "https://evil.test#@hooks.example.com/sluicegate/",
        "https://user:pass@hooks.example.com/sluicegate/",
        "https://exact.example.com/one-more",
        "https://hooks.example.com/sluicegate/ x",
        "https://hooks.example.com/sluicegate/\r\nx: y",
        "https://hooks.example.com/sluicegate/" + "a" * 2048,
        "http://127.0.0.1:9000/",
        "http://10.0.0.7:9000@169.254.169.254/",
        "file:///etc/passwd",
        "https://höoks.example.com/sluicegate/",
        "https://[::1/",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    """However it is written."""
    with pytest.raises(BadRequest) as caught:
        allowed(url, ALLOW)
    assert caught.value.error_code == "webhook_not_allowed"


def test_the_waits_between_tries() -> None:
    """Each four times the one before, some seven hours in all, and then no more."""
    waits = [delay(tries, 5.0, lambda: 0.5) for tries in range(1, MAX_TRIES + 1)]
    assert waits[:3] == [5.0, 20.0, 80.0]
    assert waits[-1] is None
    assert 6 * 3600 < sum(wait for wait in waits if wait) < 8 * 3600
    assert delay(1, 10.0, lambda: 0.0) == pytest.approx(8.0)
    assert delay(1, 10.0, lambda: 1.0) == pytest.approx(12.0)


def test_what_is_sent() -> None:
    """The job, with its answer unless that is large."""
    job = Job(id="job_1", status="succeeded", finished=0.0)
    small = json.loads(message(job, Response(200, [(b"content-type", b"application/json")], b"[1]")))
    assert (small["type"], small["timestamp"]) == ("job.succeeded", "1970-01-01T00:00:00Z")
    assert small["data"]["response"]["body"] == [1]
    large = json.loads(message(job, Response(200, [], b"x" * 300_000)))
    assert (large["data"]["response"]["body_omitted"], "body" in large["data"]["response"]) == (True, False)


async def test_a_try() -> None:
    """Its result is the receiver's status, or why there is none."""
    receiver, sender = Receiver(201), Sender()
    try:
        hooks = Webhooks(allow=(receiver.url,), secret=b"s" * 24)
        job = Job(id="job_1", status="failed", webhook=receiver.url)
        assert await sender.deliver(job, None, hooks, 1000.0) == 201
        assert receiver.got[0][0]["webhook-timestamp"] == "1000"
        assert await sender.deliver(job, None, Webhooks(), 1000.0) == "not_allowed"
        nobody = Webhooks(allow=("http://127.0.0.1:1",), secret=b"s" * 24)
        gone = Job(id="job_1", webhook="http://127.0.0.1:1/")
        assert await sender.deliver(gone, None, nobody, 1000.0) == "upstream_unavailable"
    finally:
        await sender.aclose()
        receiver.close()
