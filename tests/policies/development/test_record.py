"""The policy `record`: what it keeps, what it does not, and how it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from policies.development.record import Played, Record, RecordConfig
from proxy.cassettes.cassette import load
from proxy.exchange import Attempt, Exchange, Reply
from proxy.policy import Answer
from tests.policies.conftest import Context

MakeExchange = Callable[[bytes], Exchange]
JSON = (b"content-type", b"application/json")


class Beside(Context):
    """A context whose file stands in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.told: list[dict[str, Any]] = []
        self.decks: list[Any] = []

    def file(self, name: str, at: str) -> Path:
        """Beside it."""
        return self.folder / name

    def secrets(self) -> list[bytes]:
        """One."""
        return [b"sk-of-the-file"]

    def tell(self, event: str, **fields: Any) -> None:
        """Collect."""
        self.told.append({"event": event, **fields})

    def shared(self, key: str, factory: Callable[[], Any]) -> Any:
        """Remember what was made."""
        made = factory()
        self.decks.append(made)
        return made


@pytest.fixture
def asked(exchange: Callable[..., Exchange]) -> MakeExchange:
    """``asked(body)``: as routed."""

    def make(body: bytes) -> Exchange:
        x = exchange(body=body)
        x.state = [None]
        return x

    return make


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path)


def made(beside: Any, **config: Any) -> Record:
    """The policy."""
    return Record.compile(RecordConfig(cassette="c.yaml", **config), beside)


async def passes(policy: Record, x: Exchange, answer: Answer, *, asked: bool = True) -> bytes:
    """A request and its answer, as the pipeline has them; what its caller got."""
    assert await policy.on_request(x) is None
    if asked:
        x.attempts.append(Attempt("up/m"))
    policy.on_response(x, answer)
    body = answer.body if answer.chunks is None else b"".join([chunk async for chunk in answer.chunks])
    policy.on_close(x)
    assert body is not None
    return body


def takes(beside: Beside) -> list[Any]:
    """What is on the cassette."""
    return [entry.take for entry in load(beside.folder / "c.yaml").entries]


async def test_what_was_recorded_is_played(beside: Beside, asked: MakeExchange) -> None:
    policy = made(beside, mode="new")

    async def chunks() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    events = (b"content-type", b"text/event-stream")
    x = asked(b'{"model":"m","stream":true}')
    assert await passes(policy, x, Answer(200, [events], chunks=chunks(), is_sse=True, target="up/m")) == b"data: 1\n\n"
    assert x.notes["record"] == "recorded: c.yaml"
    again = asked(b'{"model":"m","stream":true}')
    assert await policy.on_request(again) is None
    assert isinstance(again.detour, Played)
    answer = await again.detour.send(again)
    assert (answer.status, answer.headers, answer.is_sse, answer.target) == (200, [events], True, "up/m")
    assert answer.chunks is not None
    assert [chunk async for chunk in answer.chunks] == [b"data: 1\n\n"]
    policy.on_response(again, answer)  # and is not recorded again
    assert (b"x-sluicegate-cassette", b"replayed") in again.reply_headers
    await beside.decks[0].aclose()
    assert len(takes(beside)) == 1
    assert [told["result"] for told in beside.told] == ["recorded", "replayed"]


async def test_errors_are_recorded(beside: Beside, asked: MakeExchange) -> None:
    policy = made(beside, mode="new")
    x = asked(b'{"model":"m"}')
    await passes(policy, x, Answer(503, [JSON], body=b"{}", code="upstream_overloaded"))
    again = asked(b'{"model":"m"}')
    await policy.on_request(again)
    answer = await again.detour.send(again)
    assert (answer.status, answer.body, answer.code) == (503, b"{}", "upstream_overloaded")


@pytest.mark.parametrize(("status", "is_kept"), [(400, True), (429, False), (503, False)])
async def test_what_only_the_moment_explains_is_not_recorded(
    status: int, is_kept: bool, beside: Beside, asked: MakeExchange
) -> None:
    """Nobody was asked."""
    await passes(made(beside), asked(b"{}"), Answer(status, [JSON], body=b"{}"), asked=False)
    await beside.decks[0].aclose()
    assert bool(takes(beside)) is is_kept


async def test_what_another_policy_says_is_not_recorded(beside: Beside, asked: MakeExchange) -> None:
    x = asked(b"{}")
    x.notes["refused_by"] = "cache"
    await passes(made(beside), x, Answer(200, [JSON], body=b"{}"))
    await beside.decks[0].aclose()
    assert takes(beside) == []


async def test_a_miss_is_refused(beside: Beside, asked: MakeExchange) -> None:
    await passes(made(beside), asked(b'{"model":"m"}'), Answer(200, [JSON], body=b"{}"))
    await beside.decks[0].aclose()
    policy = made(beside, mode="none")
    x = asked(b'{"model":"n"}')
    reply = await policy.on_request(x)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.code) == (404, "cassette_miss")
    assert b"c.yaml holds no answer" in reply.body
    assert x.notes["record"] == "missed: c.yaml"
    socket = asked(b"")
    socket.method = "WEBSOCKET"
    reply = await policy.on_request(socket)
    assert reply is not None
    assert b"WebSocket" in reply.body


async def test_secrets_of_the_file_are_starred(beside: Beside, asked: MakeExchange) -> None:
    policy = made(beside, redact=("cus_[0-9]+",))
    await passes(policy, asked(b'{"a":"sk-of-the-file cus_1"}'), Answer(200, [JSON], body=b"{}"))
    await beside.decks[0].aclose()
    assert b'"*** ***"' in takes(beside)[0].request.content()


def test_what_is_wrong_is_told(beside: Beside) -> None:
    made(beside, mode="none", redact=("(",))
    assert [at for at, _ in beside.problems] == ["redact[0]", "cassette"]


async def test_explain(beside: Beside, asked: MakeExchange) -> None:
    policy = made(beside)
    assert policy.explain(asked(b"{}")) == "records to c.yaml (0 takes on it)"
    played = Played(None, 0)  # type: ignore[arg-type]
    assert (played.leaves(), played.healths()) == ((), ())
