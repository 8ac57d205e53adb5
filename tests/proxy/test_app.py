"""One request from its first line to its accounts, in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.app import App, Current
from proxy.errors import BadAnswer
from proxy.exchange import Exchange
from proxy.policy import Answer
from proxy.telemetry.metrics import Metrics
from tests.support.compiled import Call, Canned, make_rule, make_runtime

ASK = {"model": "fast"}


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        """Keep."""
        self.lines.append(("info", event, fields))

    def exception(self, event: str, **fields: Any) -> None:
        """Keep."""
        self.lines.append(("exception", event, fields))


def make_app(provider: Canned, **rule: Any) -> tuple[App, Lines, Metrics]:
    lines, metrics = Lines(), Metrics()
    return App(Current(make_runtime(make_rule(provider, **rule), generation=7)), metrics, lines), lines, metrics


async def test_an_answer_and_its_line() -> None:
    """What the log says of a request that went well."""
    app, lines, metrics = make_app(Canned())
    call = await Call("/v1/chat/completions", ASK).run(app)
    assert (call.status, call.answer) == (200, b"{}")
    ((level, event, fields),) = lines.lines
    assert (level, event) == ("info", "request")
    assert fields["request_id"].encode() == call.headers[b"x-request-id"]
    assert (fields["status"], fields["bytes"], fields["generation"]) == (200, 2, 7)
    assert [attempt[:2] for attempt in fields["attempts"]] == [["up/gpt-4o", "ok"]]
    assert (
        b'sluicegate_requests_total{operation="chat",outcome="complete",route="chat",status="200"} 1.0'
        in metrics.render()
    )
    assert app.current.runtime.in_flight == 0


async def test_a_refusal_before_any_route() -> None:
    """In the dialect, with the standard headers, with its code in the log."""
    app, lines, _ = make_app(Canned())
    call = await Call("/v1/chat/completions", {"model": "unknown"}).run(app)
    assert (call.status, call.json["error"]["code"]) == (404, "model_not_found")
    assert call.headers[b"x-sluicegate-generation"] == b"7"
    assert lines.lines[0][2]["code"] == "model_not_found"
    assert (await Call("/v1/chat/completions", b"{").run(app)).status == 400


async def test_a_crash_is_a_500_without_its_words() -> None:
    """The traceback goes to the log, not to the caller."""

    def crash(x: Exchange, model: str | None) -> Answer:
        raise RuntimeError("secret details")

    app, lines, _ = make_app(Canned(crash))
    call = await Call("/v1/chat/completions", ASK).run(app)
    assert (call.status, call.json["error"]["code"]) == (500, "internal_error")
    assert b"secret" not in call.answer
    assert [line[1] for line in lines.lines] == ["request.crashed", "request"]
    assert app.current.runtime.in_flight == 0


@pytest.mark.parametrize(("reason", "answered"), [("draining", True), ("client_gone", False)])
async def test_a_cancelled_request(reason: str, answered: bool) -> None:
    """A shutdown is told to the caller; a caller that left is told nothing. Both are accounted for."""
    waiting = asyncio.Event()

    class Hanging(Canned):
        async def send(self, x: Exchange, model: str | None, timeouts: Any) -> Answer:
            waiting.set()
            await asyncio.Event().wait()
            raise AssertionError

    app, lines, _ = make_app(Hanging())
    call = Call("/v1/chat/completions", ASK)
    task = asyncio.ensure_future(call.run(app))
    await waiting.wait()
    task.cancel(reason)
    if answered:
        assert (await task).json["error"]["code"] == "server_shutting_down"
    else:
        with pytest.raises(asyncio.CancelledError):
            await task
        assert call.sent == []
    fields = lines.lines[-1][2]
    assert (fields["status"], fields.get("end")) == (503 if answered else 499, reason)
    assert app.current.runtime.in_flight == 0


async def test_a_crash_in_the_midst_of_an_answer_ends_it() -> None:
    """Nothing can be said any more: the log has the traceback, the server breaks the line."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        raise ZeroDivisionError

    app, lines, _ = make_app(Canned(lambda x, model: Answer(200, [], chunks=chunks(), is_sse=True)))
    call = Call("/v1/chat/completions", ASK)

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and call.sent:
            raise RuntimeError("the answer has begun already")
        call.sent.append(message)

    await app(call.scope, call.receive, send)
    assert call.answer == b"data: 1\n\n"
    assert [line[1] for line in lines.lines] == ["request.crashed", "request"]
    assert lines.lines[1][2]["end"] == "crashed"


async def test_a_body_that_is_cut_is_told_to_the_server() -> None:
    """Bytes that are no event stream have no place for an error: the connection has to break."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"half"
        raise BadAnswer("too short")

    app, lines, _ = make_app(Canned(lambda x, model: Answer(200, [], chunks=chunks())))
    call = await Call("/v1/chat/completions", ASK).run(app)
    assert [message.get("more_body") for message in call.sent[1:]] == [True]  # no end: the server breaks the line
    fields = lines.lines[0][2]
    assert (fields["end"], fields["code"]) == ("cut", "bad_upstream_answer")
    assert [attempt[:2] for attempt in fields["attempts"]] == [["up/gpt-4o", "bad_upstream_answer"]]


async def test_operations() -> None:
    """Alive; ready, with what is wrong with the file; draining; metrics."""
    app, lines, _ = make_app(Canned())
    assert (await Call("/healthz", method="GET").run(app)).json == {"status": "ok"}
    ready = await Call("/readyz", method="GET").run(app)
    assert (ready.status, ready.json) == (200, {"status": "ready", "generation": 7, "digest": "digest"})
    app.current.problems = ("gateway.yaml:1:1 routes: missing",)
    stale = await Call("/readyz", method="GET").run(app)
    assert (stale.status, stale.json["problems"]) == (200, ["gateway.yaml:1:1 routes: missing"])
    app.current.draining.begin(0.0)
    assert (await Call("/readyz", method="GET").run(app)).status == 503
    metrics = await Call("/metrics", method="GET").run(app)
    assert metrics.headers[b"content-type"].startswith(b"text/plain")
    assert lines.lines == []


async def test_a_request_keeps_the_generation_that_it_began_with() -> None:
    """One reference per request: a swap in its midst changes nothing for it."""
    app, lines, _ = make_app(Canned())
    old = app.current.runtime

    def swap(x: Exchange, model: str | None) -> Answer:
        app.current.runtime = make_runtime(make_rule(Canned()), generation=8)
        return Answer(200, [], body=json.dumps(old.in_flight).encode())

    old.router.entries[0].pipeline.target.provider.answer = swap  # type: ignore[attr-defined]
    call = await Call("/v1/chat/completions", ASK).run(app)
    assert (call.headers[b"x-sluicegate-generation"], call.answer) == (b"7", b"1")
    assert (await Call("/v1/chat/completions", ASK).run(app)).headers[b"x-sluicegate-generation"] == b"8"
    assert [line[2]["generation"] for line in lines.lines] == [7, 8]
    assert (old.in_flight, app.current.runtime.in_flight) == (0, 0)
