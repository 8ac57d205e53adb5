"""The loops: who is asked, in which order, and who hears how it ended."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from proxy.choosing.capability import Reach
from proxy.choosing.health import Health
from proxy.dialects.paths import EXACT
from proxy.errors import BadRequest, Rejected, UpstreamError
from proxy.exchange import Exchange, Reply
from proxy.pipeline import Pipeline
from proxy.policy import Answer, Choice, Policy, Target, Timeouts


class Spy(Policy):
    """Writes down each phase; refuses, replaces or fails as told."""

    def __init__(self, name: str, trace: list[str], reply: Reply | None = None, replace: Reply | None = None) -> None:
        self.name, self.trace, self.reply, self.replace = name, trace, reply, replace

    def on_request(self, x: Exchange) -> Reply | None:
        self.trace.append(f"{self.name} request")
        return self.reply

    def on_response(self, x: Exchange, answer: Answer) -> Reply | None:
        self.trace.append(f"{self.name} response {answer.status}")
        return self.replace

    def on_close(self, x: Exchange) -> None:
        self.trace.append(f"{self.name} close")


class AsyncSpy(Spy):
    """The same, awaited."""

    async def on_request(self, x: Exchange) -> Reply | None:  # type: ignore[override]
        return super().on_request(x)


class Failing(Policy):
    """Finds the request wrong."""

    def on_request(self, x: Exchange) -> None:
        raise BadRequest("odd", param="user")


class Fixed(Target):
    """Answers or fails as told."""

    def __init__(self, failure: UpstreamError | None = None) -> None:
        self.failure = failure
        self.closed = 0

    async def send(self, x: Exchange) -> Answer:
        if self.failure is not None:
            raise self.failure
        return Answer(
            200, [(b"content-type", b"application/json")], body=b'{"ok":1}', target="sim/x", close=self._close
        )

    def _close(self) -> None:
        self.closed += 1

    def explain(self, x: Exchange) -> Choice:
        return Choice("sim/x", True, "fixed")

    def leaves(self) -> tuple[str, ...]:
        return ("sim/x",)

    def healths(self) -> tuple[Health, ...]:
        return (Health("sim/x"),)

    def reaches(self) -> frozenset[Reach]:
        return frozenset({Reach()})


class Client:
    """The client's end of one request."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    async def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        found: int = self.messages[0]["status"]
        return found

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])


def make_exchange() -> Exchange:
    x = Exchange("req_1", "POST", "/v1/chat/completions", b"", [], time.monotonic(), 0)
    x.endpoint, x.route, x.generation = EXACT["POST", "/v1/chat/completions"], "chat", 3
    return x


async def run(policies: list[Policy], target: Target) -> Client:
    client = Client()
    named = [(f"p{at}", policy) for at, policy in enumerate(policies)]
    await Pipeline("chat", named, target, slots=0, timeouts=Timeouts()).run(make_exchange(), client.send)
    return client


async def test_phases_run_in_order_and_unwind_backwards() -> None:
    """Requests first to last, responses and closings last to first; async and sync alike."""
    trace: list[str] = []
    client = await run([Spy("a", trace), AsyncSpy("b", trace)], Fixed())
    assert trace == ["a request", "b request", "b response 200", "a response 200", "b close", "a close"]
    assert (client.status, client.body) == (200, b'{"ok":1}')
    assert client.headers[b"x-sluicegate-route"] == b"chat"
    assert client.headers[b"x-sluicegate-target"] == b"sim/x"
    assert client.headers[b"x-sluicegate-generation"] == b"3"
    assert client.headers[b"x-request-id"] == b"req_1"


async def test_an_early_reply_is_seen_by_those_who_let_the_request_pass() -> None:
    """And by nobody who was not entered."""
    trace: list[str] = []
    policies = [Spy("a", trace), Spy("b", trace, Reply(429, b"{}", code="rate_limited")), Spy("c", trace)]
    client = await run([*policies], Fixed())
    assert trace == ["a request", "b request", "a response 429", "a close"]
    assert client.status == 429
    assert b"x-sluicegate-target" not in client.headers


async def test_a_failure_is_rendered_once_and_seen_by_all() -> None:
    """Upstream failures have a status of ours, unless the provider's own answer is passed on."""
    trace: list[str] = []
    raw = (409, ((b"content-type", b"application/json"),), b'{"error":{"message":"theirs"}}')
    client = await run([Spy("a", trace)], Fixed(Rejected("no", raw=raw)))
    assert (client.status, client.body) == (409, raw[2])
    client = await run([Spy("a", trace)], Fixed(Rejected("no")))
    assert (client.status, json.loads(client.body)["error"]["code"]) == (400, "upstream_rejected")
    assert trace == ["a request", "a response 409", "a close", "a request", "a response 400", "a close"]


async def test_a_policy_may_find_the_request_wrong() -> None:
    """The error names the parameter; policies before it are closed."""
    trace: list[str] = []
    client = await run([Spy("a", trace), Failing(), Spy("c", trace)], Fixed())
    assert client.status == 400
    assert json.loads(client.body)["error"]["param"] == "user"
    assert trace == ["a request", "a response 400", "a close"]


async def test_a_response_may_be_replaced_and_the_upstream_is_let_go() -> None:
    """The replaced answer's connection is released at once."""
    trace: list[str] = []
    target = Fixed()
    client = await run([Spy("a", trace), Spy("b", trace, replace=Reply(451, b"{}"))], target)
    assert (client.status, target.closed) == (451, 1)
    assert trace[2:4] == ["b response 200", "a response 451"]


class Broken(Policy):
    """Fails in one of its late phases."""

    def __init__(self, phase: str) -> None:
        self.phase = phase

    def on_response(self, x: Exchange, answer: Answer) -> None:
        if self.phase == "response":
            raise ZeroDivisionError

    def on_close(self, x: Exchange) -> None:
        if self.phase == "close":
            raise ZeroDivisionError


@pytest.mark.parametrize("phase", ["response", "close"])
async def test_a_policy_that_fails_leaves_nothing_open(phase: str) -> None:
    """The upstream is let go, and the other policies hear of the end."""
    trace: list[str] = []
    target = Fixed()
    with pytest.raises(ZeroDivisionError):
        await run([Spy("a", trace), Broken(phase)], target)
    assert trace[-1] == "a close"
    assert target.closed == (phase == "response")


async def test_closings_run_when_the_client_cannot_be_written_to() -> None:
    """Whatever happens after entering, the end is heard."""
    trace: list[str] = []

    async def broken(message: dict[str, Any]) -> None:
        raise ConnectionResetError

    pipeline = Pipeline("chat", [("a", Spy("a", trace))], Fixed(), slots=0, timeouts=Timeouts())
    with pytest.raises(ConnectionResetError):
        await pipeline.run(make_exchange(), broken)
    assert trace[-1] == "a close"


async def test_closings_run_when_the_client_leaves_before_the_answer() -> None:
    """Cancelled in the midst of the target: those who let the request pass hear of it, once."""
    trace: list[str] = []
    asked = asyncio.Event()

    class Hanging(Fixed):
        async def send(self, x: Exchange) -> Answer:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

    running = asyncio.ensure_future(run([Spy("a", trace), AsyncSpy("b", trace)], Hanging()))
    await asked.wait()
    running.cancel("client_gone")
    with pytest.raises(asyncio.CancelledError):
        await running
    assert trace == ["a request", "b request", "b close", "a close"]


def test_phases_that_nobody_has_are_not_in_the_pipeline() -> None:
    """A policy without hooks costs nothing per request."""
    pipeline = Pipeline("chat", [("p", Policy())], Fixed(), slots=0, timeouts=Timeouts())
    assert (pipeline._request, pipeline._unwind, pipeline._close) == ((), ((), ()), ((), ()))


async def test_explain_runs_the_requests_and_sends_nothing() -> None:
    """A refusal ends the list; otherwise the target says what it would do."""
    trace: list[str] = []
    pipeline = Pipeline("chat", [("a", AsyncSpy("a", trace))], Fixed(), slots=0, timeouts=Timeouts())
    lines, refusal, choice = await pipeline.explain(make_exchange())
    assert (lines, refusal, choice) == ([("a", "passes")], None, Choice("sim/x", True, "fixed"))
    refusing = Spy("b", trace, Reply(403, b"{}", code="model_not_allowed"))
    lines, refusal, choice = await Pipeline("chat", [("b", refusing)], Fixed(), slots=0, timeouts=Timeouts()).explain(
        make_exchange()
    )
    assert (lines, refusal, choice) == ([("b", "refuses: 403 model_not_allowed")], refusing.reply, None)


async def test_policies_are_timed_only_if_asked_for() -> None:
    """Every phase of each counts, at the door too; what they decide is the same."""
    for timed in (False, True):
        trace: list[str] = []
        policies = [("a", Spy("a", trace)), ("b", AsyncSpy("b", trace))]
        pipeline = Pipeline("chat", policies, Fixed(), slots=0, timeouts=Timeouts(), timed=timed)
        x = Exchange("req_1", "POST", "/v1/chat/completions", b"", [], time.monotonic(), 0)
        await pipeline.run(x, _nowhere)
        assert trace == ["a request", "b request", "b response 200", "a response 200", "b close", "a close"]
        assert (x.timings is not None) is timed
        if x.timings is not None:
            assert set(x.timings) == {"a", "b"}
            assert all(nanoseconds > 0 for nanoseconds in x.timings.values())
        assert pipeline.names == ("a", "b")


async def _nowhere(message: dict[str, Any]) -> None:
    """Whatever is sent is lost."""


async def test_who_replaces_an_answer_is_noted() -> None:
    """For the receipt."""
    trace: list[str] = []
    policies = [("a", Spy("a", trace, replace=Reply(451, b"{}"))), ("b", Spy("b", trace))]
    pipeline = Pipeline("chat", policies, Fixed(), slots=0, timeouts=Timeouts())
    x = Exchange("req_1", "POST", "/v1/chat/completions", b"", [], time.monotonic(), 0)
    outcome = await pipeline.run(x, _nowhere)
    assert (outcome.status, x.notes["replaced_by"]) == (451, "a")
    assert (b"x-request-id", b"req_1") in x.sent
