"""The policy `idempotency`: whose key it is, what is the same request, and which answers are kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from policies.limits.idempotency import Idempotency, IdempotencyConfig
from proxy.errors import BadAnswer
from proxy.exchange import Attempt, Exchange, Identity, Reply
from proxy.idempotency import Found, MemoryStore, Unavailable
from proxy.idempotency import Idempotency as Known
from proxy.policy import Answer
from proxy.units import Duration, Size
from tests.policies.conftest import Context

MakeExchange = Callable[..., Exchange]
JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream")


class Knowing(Context):
    """A context that knows of requests."""

    def __init__(self, known: Known | None = None) -> None:
        super().__init__()
        self.known_requests = known or Known()

    def idempotency(self) -> Known:
        """The same each time."""
        return self.known_requests


class Away(MemoryStore):
    """A store that cannot be used, from when it is told so."""

    away = True

    async def claim(self, key: bytes, fingerprint: bytes, owner: str, lifetime: float) -> Found | None:
        """Not while it is away."""
        if self.away:
            raise Unavailable("it is away")
        return await super().claim(key, fingerprint, owner, lifetime)

    async def keep(self, key: bytes, owner: str, found: Found, lifetime: float) -> None:
        """Never."""
        raise Unavailable("it is away")


@pytest.fixture
def asked(exchange: MakeExchange) -> MakeExchange:
    """A request with a key, of somebody."""

    def make(key: bytes | None = b"order-7", *, who: str = "web", body: bytes = b"{}", query: bytes = b"") -> Exchange:
        x = exchange([] if key is None else [(b"idempotency-key", key)], body=body)
        x.identity = Identity("acme", "search", who) if who else None
        x.route, x.query, x.state = "chat", query, [None]
        return x

    return make


def made(context: Knowing | None = None, **settings: Any) -> Idempotency:
    """The policy."""
    return Idempotency.compile(IdempotencyConfig(**settings), context or Knowing())  # type: ignore[arg-type]


def answered(x: Exchange, status: int = 200, body: bytes = b'{"a": 1}') -> Answer:
    """By a provider."""
    x.attempts.append(Attempt("up/m"))
    headers = [JSON, (b"content-length", b"8"), (b"content-language", b"en"), (b"openai-version", b"1")]
    return Answer(status, headers, body=body, target="up/m")


def flowing(x: Exchange, *chunks: bytes, failure: Exception | None = None) -> Answer:
    """A stream of a provider."""

    async def flow() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        if failure is not None:
            raise failure

    x.attempts.append(Attempt("up/m"))
    return Answer(200, [EVENTS], chunks=flow(), is_sse=True)


async def first(policy: Idempotency, x: Exchange) -> None:
    """It passes."""
    assert await policy.on_request(x) is None


async def settle() -> None:
    """Let what is done in the background be done."""
    for _ in range(10):
        await asyncio.sleep(0)


async def replied(policy: Idempotency, x: Exchange) -> Reply:
    """It is answered."""
    reply = await policy.on_request(x)
    assert reply is not None
    return reply


def code(reply: Reply) -> str:
    """Of a refusal."""
    assert reply.code == json.loads(reply.body)["error"]["code"]
    return str(reply.code)


async def serve(policy: Idempotency, x: Exchange, answer: Answer) -> bytes:
    """As the pipeline does, to the end; what the caller has got."""
    body = answer.body or b""
    try:
        await policy.on_response(x, answer)
        if answer.chunks is not None:
            async for chunk in answer.chunks:
                body += chunk
    except BadAnswer:
        pass
    finally:
        policy.on_close(x)
        await settle()
    return body


async def test_content_headers_and_body_are_kept(asked: MakeExchange) -> None:
    policy = made()
    x = asked()
    await first(policy, x)
    await serve(policy, x, answered(x, status=201))
    reply = await replied(policy, asked())
    assert (reply.status, reply.body, reply.code) == (201, b'{"a": 1}', None)
    assert reply.headers == (JSON, (b"content-language", b"en"), (b"idempotent-replayed", b"true"))


@pytest.mark.parametrize("change", [{"body": b"[]"}, {"query": b"alt=sse"}], ids=["body", "query"])
async def test_another_request_under_the_key(asked: MakeExchange, change: dict[str, Any]) -> None:
    policy = made()
    await first(policy, asked())
    reply = await replied(policy, asked(**change))
    assert (reply.status, code(reply)) == (422, "idempotency_key_reused")


async def test_long_bodies_differ_too(asked: MakeExchange) -> None:
    """They are hashed elsewhere."""
    policy = made()
    await first(policy, asked(body=b"x" * (2 << 20)))
    reply = await replied(policy, asked(body=b"x" * (2 << 20) + b"y"))
    assert code(reply) == "idempotency_key_reused"


async def test_keys_are_their_callers_own(asked: MakeExchange) -> None:
    """Of a key of the file; where nobody is known, of the route; and of the path."""
    policy = made(wait=Duration(0))
    there, elsewhere, of_file = asked(who=""), asked(who=""), asked(who="")
    elsewhere.route, of_file.path = "other", "/v1/embeddings"
    for x in (asked(), asked(who="app"), there, elsewhere, of_file, asked(b"order-8")):
        await first(policy, x)
    for again in (asked(), asked(who="app"), asked(who=""), asked(b"order-8")):
        assert code(await replied(policy, again)) == "idempotency_in_progress"


@pytest.mark.parametrize("key", [b"", b"k" * 256, b"a\tb", b"caf\xc3\xa9", b"a\n"])
async def test_what_is_no_key(asked: MakeExchange, key: bytes) -> None:
    reply = await replied(made(), asked(key))
    assert (reply.status, code(reply)) == (400, "invalid_idempotency_key")


async def test_two_keys_are_none(asked: MakeExchange) -> None:
    x = asked()
    x.headers.append((b"idempotency-key", b"order-8"))
    assert code(await replied(made(), x)) == "invalid_idempotency_key"


@pytest.mark.parametrize("key", [b" ", b"~" * 255])
async def test_what_is_a_key(asked: MakeExchange, key: bytes) -> None:
    await first(made(), asked(key))


async def test_a_key_may_be_required_of_what_changes_something(asked: MakeExchange) -> None:
    policy = made(required=True)
    assert code(await replied(policy, asked(None))) == "invalid_idempotency_key"
    reading = asked(None)
    reading.method = "GET"
    await first(policy, reading)
    await first(made(), asked(None))


async def test_jobs_run_as_often_as_they_need(asked: MakeExchange) -> None:
    """Their caller was answered with 202 under this key."""
    policy = made()
    x = asked()
    await first(policy, x)
    await serve(policy, x, Answer(202, [JSON], body=b'{"id": "job_1"}'))
    job = asked()
    job.notes["job"] = "job_1"
    await first(policy, job)
    assert (await replied(policy, asked())).status == 202


@pytest.mark.parametrize(
    ("status", "attempts", "is_kept"),
    [
        (200, 1, True),
        (400, 1, True),
        (400, 0, False),
        (403, 0, False),
        (429, 1, False),
        (500, 1, False),
        (503, 1, False),
    ],
)
async def test_which_answers_are_kept(asked: MakeExchange, status: int, attempts: int, is_kept: bool) -> None:
    """Of refusals those of a provider; what the gateway refuses itself may be mended."""
    policy = made()
    x = asked()
    await first(policy, x)
    answer = answered(x, status=status)
    del x.attempts[attempts:]
    await serve(policy, x, answer)
    again = await policy.on_request(asked())
    assert (again is not None) is is_kept


async def test_a_stream_is_kept_when_its_end_mark_passes(asked: MakeExchange) -> None:
    """A client that reads no further has all of it. What comes after the mark is told again as well."""
    policy = made()
    x = asked()
    await first(policy, x)
    answer = flowing(x, b"data: 1\n\n", b"data: [DONE]\n\n", b": bye\n\n")
    await policy.on_response(x, answer)
    assert answer.chunks is not None
    assert [await anext(answer.chunks) for _ in range(2)] == [b"data: 1\n\n", b"data: [DONE]\n\n"]
    reply = await replied(policy, asked())
    assert reply.body == b"data: 1\n\ndata: [DONE]\n\n"
    assert reply.headers[0] == EVENTS
    assert [chunk async for chunk in answer.chunks] == [b": bye\n\n"]
    assert (await replied(policy, asked())).body == b"data: 1\n\ndata: [DONE]\n\n: bye\n\n"


async def test_a_stream_that_fails_is_not_kept(asked: MakeExchange) -> None:
    policy = made()
    x = asked()
    await first(policy, x)
    await serve(policy, x, flowing(x, b"data: 1\n\n", failure=BadAnswer("broken")))
    await first(policy, asked())


async def test_a_stream_that_tells_of_its_failure_is_not_kept(asked: MakeExchange) -> None:
    policy = made()
    x = asked()
    await first(policy, x)
    answer = flowing(x, b'data: {"error": {}}\n\n', b"data: [DONE]\n\n")
    answer.told_failure = lambda: True
    await serve(policy, x, answer)
    await first(policy, asked())


@pytest.mark.parametrize("chunks", [(b"12345",), (b"123", b"45"), (b"1234567", b"1")])
async def test_what_is_too_large_is_not_made_again(asked: MakeExchange, chunks: tuple[bytes, ...]) -> None:
    for is_stream in (False, True):
        policy = made(max_body=Size(4))
        x = asked()
        await first(policy, x)
        answer = flowing(x, *chunks) if is_stream else answered(x, body=b"".join(chunks))
        assert await serve(policy, x, answer) == b"".join(chunks)
        reply = await replied(policy, asked())
        assert (reply.status, code(reply)) == (409, "idempotency_answer_too_large")


async def test_what_just_fits_is_kept(asked: MakeExchange) -> None:
    policy = made(max_body=Size(4))
    x = asked()
    await first(policy, x)
    await serve(policy, x, flowing(x, b"12", b"34"))
    assert (await replied(policy, asked())).body == b"1234"


async def test_the_wait_ends_with_the_deadline(asked: MakeExchange) -> None:
    policy = made()
    await first(policy, asked())
    late = asked()
    late.deadline = late.received + 0.05
    reply = await replied(policy, late)
    assert (reply.status, code(reply)) == (409, "idempotency_in_progress")
    assert (b"retry-after", b"1") in reply.headers
    assert late.upstream_wait > 0.0


async def test_nothing_passes_without_a_store(asked: MakeExchange) -> None:
    reply = await replied(made(Knowing(Known(Away()))), asked())
    assert (reply.status, code(reply)) == (503, "idempotency_unavailable")


async def test_an_answer_is_given_out_also_when_it_cannot_be_kept(asked: MakeExchange) -> None:
    """It is paid for. The next one is told that nobody knows."""
    store = Away()
    store.away = False
    policy = made(Knowing(Known(store)))
    x = asked()
    await first(policy, x)
    assert await serve(policy, x, answered(x)) == b'{"a": 1}'
    assert x.notes["idempotency"].startswith("not kept")
    assert code(await replied(policy, asked())) == "idempotency_unknown"


def test_what_it_says(asked: MakeExchange) -> None:
    assert made().explain(asked()).endswith("kept for 24 h")
    assert made().explain(asked(None)).startswith("no key")
