"""The client to providers, against an upstream that cuts, stalls, resets and lies."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from yarl import URL

from proxy.errors import BadAnswer, BadRequest, Header, Unavailable, UpstreamError, UpstreamTimeout
from proxy.policy import Answer, Timeouts
from proxy.upstream import Upstream
from tests.proxy.scripted import SSE_CHUNKED, Scripted, Wire, always, chunked, json_answer, once

ENDS = ((b"data", b"[DONE]"),)
LONG = Timeouts(connect=5, first_token=5, gap=5, total=20)
OK = b'{"ok": true}'


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    client = Upstream()
    yield client
    await client.aclose()


async def ask(
    client: Upstream,
    url: URL,
    *,
    method: str = "POST",
    headers: list[Header] | None = None,
    body: bytes = b"{}",
    timeouts: Timeouts = LONG,
    expect_json: bool = True,
) -> Answer:
    return await client.request(
        method,
        url,
        headers or [],
        body if method == "POST" else b"",
        timeouts=timeouts,
        ends=ENDS,
        expect_json=expect_json,
        deadline=time.monotonic() + timeouts.total,
    )


async def read(answer: Answer) -> bytes:
    if answer.body is not None:
        return answer.body
    assert answer.chunks is not None
    return b"".join([chunk async for chunk in answer.chunks])


async def test_the_request_goes_out_as_given_with_framing_of_our_own(upstream: Upstream) -> None:
    given = [(b"authorization", b"Bearer k"), (b"Content-Type", b"application/json"), (b"content-length", b"999")]
    given += [(b"host", b"evil"), (b"transfer-encoding", b"chunked"), (b"accept-encoding", b"gzip")]
    async with Scripted(always(json_answer(OK))) as up:
        answer = await ask(upstream, up.url, headers=given, body=b'{"a":  1}')
        assert (answer.status, answer.body, answer.is_sse) == (200, OK, False)
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{up.url.port}\r\naccept-encoding: identity\r\n"
            "authorization: Bearer k\r\nContent-Type: application/json\r\ncontent-length: 9\r\n\r\n"
        )
        assert up.requests == [(head.encode(), b'{"a":  1}')]


@pytest.mark.parametrize(("name", "value"), [(b"x", b"a\r\nhost: b"), (b"x\ny", b"a"), (b"x", b"a\n"), (b"x", b"a\rb")])
async def test_no_header_can_add_a_line(upstream: Upstream, name: bytes, value: bytes) -> None:
    async with Scripted(always(json_answer(OK))) as up:
        with pytest.raises(BadRequest, match="line break"):
            await ask(upstream, up.url, headers=[(name, value)])
        assert up.requests == []


@pytest.mark.parametrize("path", ["/a HTTP/1.1", "/a\r\nx: y", "/\u00e9"])
async def test_no_path_can_add_a_line(upstream: Upstream, path: str) -> None:
    with pytest.raises(BadRequest, match="the path a space"):
        await ask(upstream, URL(f"http://127.0.0.1:1{path}", encoded=True))


async def test_a_large_body_goes_out_whole_while_the_upstream_reads_slowly(upstream: Upstream) -> None:
    body = b'{"x": "' + b"y" * (8 << 20) + b'"}'
    async with Scripted(always(json_answer(OK))) as up:
        await ask(upstream, up.url, body=body)
        assert up.requests[0][1] == body


async def test_only_headers_of_the_list_come_through(upstream: Upstream) -> None:
    extra = b"".join(
        name + b": 1\r\n"
        for name in (
            b"set-cookie",
            b"x-request-id",
            b"OpenAI-Processing-MS",
            b"openai-organization",
            b"x-ratelimit-remaining-tokens",
            b"server",
            b"connection",
            b"keep-alive",
            b"retry-after",
            b"proxy-authenticate",
            b"alt-svc",
            b"strict-transport-security",
        )
    )
    async with Scripted(always(json_answer(OK, extra=extra))) as up:
        answer = await ask(upstream, up.url)
    assert sorted(answer.headers) == [
        (b"content-type", b"application/json"),
        (b"openai-processing-ms", b"1"),
        (b"x-upstream-request-id", b"1"),
    ]


async def test_an_error_status_comes_back_with_its_body_and_retry_after(upstream: Upstream) -> None:
    body = b'{"error": {"message": "slow down"}}'
    async with Scripted(always(json_answer(body, "429 Too Many Requests", b"Retry-After: 7\r\n"))) as up:
        answer = await ask(upstream, up.url)
        assert (answer.status, answer.body) == (429, body)
        assert (b"retry-after", b"7") in answer.headers
        await ask(upstream, up.url)
        assert up.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"content-encoding: gzip\r\ncontent-length: 3\r\n\r\nxyz",
        b"connection: close\r\n\r\n" + b"x" * 2_000_000,
        b"content-length: 100\r\n\r\nxyz",
    ],
    ids=["compressed", "endless", "cut"],
)
async def test_an_error_whose_body_is_of_no_use_keeps_its_status(upstream: Upstream, answer: bytes) -> None:
    head = b"HTTP/1.1 503 No\r\ncontent-type: a/b\r\nretry-after: 3\r\n"

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(head + answer)
        wire.cut()
        await wire.gone()

    async with Scripted(script) as up:
        got = await ask(upstream, up.url)
    assert (got.status, got.body, got.headers) == (503, b"", [(b"retry-after", b"3")])


async def test_connections_are_used_again(upstream: Upstream) -> None:
    async with Scripted(always(json_answer(OK))) as up:
        for _ in range(5):
            await ask(upstream, up.url)
        assert up.connections == 1


async def test_a_connection_that_was_closed_while_idle_is_not_used(upstream: Upstream) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(json_answer(OK))
        wire.cut()
        await wire.gone()

    async with Scripted(script) as up:
        for _ in range(3):
            await ask(upstream, up.url)
            wire = await up.wires.get()
            await wire.closed.wait()
        assert len(up.requests) == 3


async def close_at_second_request(wire: Wire) -> None:
    await wire.request()
    await wire.send(json_answer(OK))
    await wire.request()
    wire.cut()


async def test_a_post_is_never_sent_twice(upstream: Upstream) -> None:
    async with Scripted(close_at_second_request) as up:
        await ask(upstream, up.url)
        with pytest.raises(Unavailable, match="closed the connection without an answer"):
            await ask(upstream, up.url)
        assert len(up.requests) == 2


async def test_a_get_is_sent_once_more(upstream: Upstream) -> None:
    async with Scripted(close_at_second_request) as up:
        await ask(upstream, up.url, method="GET")
        assert (await ask(upstream, up.url, method="GET")).body == OK
        assert len(up.requests) == 3


async def test_a_get_is_not_sent_for_ever(upstream: Upstream) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        wire.reset()

    async with Scripted(script) as up:
        with pytest.raises(Unavailable):
            await ask(upstream, up.url, method="GET")
        assert len(up.requests) == 2


async def test_a_chunked_json_answer_is_read_whole(upstream: Upstream) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send_sliced(head + chunked(b'{"a"', b": 1}"), 3)
        await wire.gone()

    async with Scripted(script) as up:
        answer = await ask(upstream, up.url)
    assert answer.body == b'{"a": 1}'


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_a_large_body_flows(upstream: Upstream, is_chunked: bool) -> None:
    body = b'["' + b"x" * 3_000_000 + b'"]'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    framed = (
        b"transfer-encoding: chunked\r\n\r\n" + chunked(body)
        if is_chunked
        else b"content-length: %d\r\n\r\n" % len(body) + body
    )
    async with Scripted(always(head + framed)) as up:
        answer = await ask(upstream, up.url)
        assert answer.body is None
        assert ((b"content-length", b"3000004") in answer.headers) != is_chunked
        assert await read(answer) == body
        await read(await ask(upstream, up.url))
        assert up.connections == 1


async def test_audio_flows_as_it_is_made(upstream: Upstream) -> None:
    more = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n")
        await wire.send(chunked(b"first", end=False))
        await more.wait()
        await wire.send(chunked(b"second"))

    async with Scripted(script) as up:
        answer = await ask(upstream, up.url, expect_json=False)
        assert answer.chunks is not None
        assert await anext(answer.chunks) == b"first"
        more.set()
        assert await read(answer) == b"second"


async def test_a_head_request_has_no_body_and_leaves_the_connection_clean(upstream: Upstream) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\n"
    async with Scripted(always(head)) as up:
        for _ in range(2):
            answer = await ask(upstream, up.url, method="HEAD", expect_json=False)
            assert (answer.status, answer.body) == (200, b"")
        assert up.connections == 1


HTML = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
REDIRECT = b"HTTP/1.1 %s\r\nlocation: http://169.254.169.254/latest/meta-data\r\ncontent-length: 0\r\n\r\n"
LIES = {
    "html": (HTML, "is HTML"),
    "html behind a lie": (json_answer(b"<!doctype html>"), "is HTML"),
    "broken json": (json_answer(b'{"a": '), "broken JSON"),
    "trailing rubbish": (json_answer(b'{"a": 1} x'), "broken JSON"),
    "empty": (json_answer(b""), "is empty"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", "is empty"),
    "large html": (HTML.replace(b"6\r\n", b"2000000\r\n", 1) + b"x" * 1_999_994, "should be JSON and is not"),
    "redirect": (REDIRECT % b"302 Found", "redirect"),
    "redirect 307": (REDIRECT % b"307 Temporary Redirect", "redirect"),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\n\r\n", "redirect"),
    "gzip": (json_answer(gzip.compress(OK), extra=b"content-encoding: gzip\r\n"), "compressed"),
    "invalid gzip": (json_answer(OK, extra=b"Content-Encoding: gzip\r\n"), "compressed"),
    "short body": (PLAIN + b"content-length: 100\r\n\r\n" + OK, "breaks off"),
    "long body": (PLAIN + b"content-length: 3\r\n\r\n" + OK, "not valid HTTP"),
    "two lengths": (PLAIN + b"content-length: 3\r\ncontent-length: 12\r\n\r\n" + OK, "not valid HTTP"),
    "both framings": (PLAIN + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "not valid HTTP"),
    "huge length": (PLAIN + b"content-length: 99999999999999999999999\r\n\r\n" + OK, "not valid HTTP"),
    "negative length": (PLAIN + b"content-length: -1\r\n\r\n" + OK, "not valid HTTP"),
    "length that is none": (PLAIN + b"content-length: 1e3\r\n\r\n" + OK, "not valid HTTP"),
    "bad chunk": (PLAIN + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", "not valid HTTP|breaks off"),
    "cut chunk": (PLAIN + b"transfer-encoding: chunked\r\n\r\n50\r\n{}", "breaks off"),
    "not http": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "not valid HTTP"),
    "status that is none": (b"HTTP/1.1 99999 Huh\r\n\r\n", "not valid HTTP"),
    "long header": (PLAIN + b"x: " + b"y" * 70_000 + b"\r\n\r\n", "too long"),
    "long status line": (b"HTTP/1.1 200 " + b"y" * 70_000 + b"\r\n\r\n", "too long"),
    "million headers": (PLAIN + b"x: y\r\n" * 1_000_000 + b"\r\n", "too many headers"),
    "control character": (PLAIN + b"x-request-id: a\x01b\r\ncontent-length: 2\r\n\r\n{}", "control character"),
    "flood of 1xx": (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000, "more than 16 interim"),
    "switch": (b"HTTP/1.1 101 Go\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n", "another protocol"),
}


@pytest.mark.parametrize(("answer", "why"), LIES.values(), ids=list(LIES))
async def test_an_answer_that_lies_is_a_bad_answer_and_ends_the_connection(
    upstream: Upstream, answer: bytes, why: str
) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        with contextlib.suppress(ConnectionError):
            await wire.send(answer)
        if why.endswith("breaks off"):
            wire.cut()
        await wire.gone()

    async with Scripted(script) as up:
        with pytest.raises(BadAnswer, match=why) as raised:
            await ask(upstream, up.url)
        assert "127.0.0.1" not in raised.value.message
        if "is HTML" not in why and "broken" not in why and "is empty" not in why:
            wire = await up.wires.get()
            await wire.closed.wait()


async def test_a_few_interim_answers_are_skipped(upstream: Upstream) -> None:
    async with Scripted(always(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + json_answer(OK))) as up:
        assert (await ask(upstream, up.url)).body == OK


async def test_an_answer_without_end_is_cut_at_the_bound(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.wire.flow.MAX_BODY", 8 << 20)

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\nconnection: close\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                await wire.send(b"x" * 65536)
        wire.closed.set()

    async with Scripted(script) as up:
        answer = await ask(upstream, up.url, expect_json=False)
        with pytest.raises(BadAnswer, match="larger than 8 MiB"):
            await read(answer)
        await (await up.wires.get()).closed.wait()


async def test_an_early_answer_to_a_request_half_sent_is_used_and_its_connection_is_not(upstream: Upstream) -> None:
    async def script(wire: Wire) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        await wire.send(json_answer(b'{"error": "too large"}', "413 Payload Too Large"))
        await wire.gone()

    async with Scripted(script) as up:
        answer = await ask(upstream, up.url, body=b"x" * (64 << 20))
        assert answer.status == 413
        await (await up.wires.get()).closed.wait()


async def test_nobody_listening_is_unavailable(upstream: Upstream) -> None:
    async with Scripted(always(b"")) as up:
        url = up.url
    with pytest.raises(Unavailable, match=r"cannot be reached") as raised:
        await ask(upstream, url)
    assert "127.0.0.1" not in raised.value.message
    assert raised.value.__cause__ is not None


async def test_no_tls_where_tls_is_expected_is_unavailable(upstream: Upstream) -> None:
    async def script(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await wire.gone()

    async with Scripted(script) as up:
        with pytest.raises(Unavailable, match="the TLS handshake with the provider failed"):
            await ask(upstream, up.url.with_scheme("https"))


async def test_a_full_pool_is_a_connect_timeout() -> None:
    client = Upstream(max_connections=1)
    async with Scripted(once(SSE_CHUNKED + chunked(b"data: a\n\n", end=False))) as up:
        answer = await ask(client, up.url)
        with pytest.raises(UpstreamTimeout, match=r"`connect` timeout of 0\.05 s"):
            await ask(client, up.url, timeouts=Timeouts(connect=0.05))
        assert answer.close is not None
        answer.close()
        again = await ask(client, up.url)
        assert again.close is not None
        again.close()
        await client.aclose()


async def test_a_client_that_is_closed_says_so() -> None:
    client = Upstream()
    await client.aclose()
    with pytest.raises(Unavailable, match="closed"):
        await ask(client, URL("http://127.0.0.1:1/"))


async def test_a_deadline_that_has_passed_sends_nothing(upstream: Upstream) -> None:
    async with Scripted(always(json_answer(OK))) as up:
        with pytest.raises(UpstreamTimeout, match="total time"):
            await ask(upstream, up.url, timeouts=Timeouts(total=-1))
        assert up.connections == 0


Fault = Callable[[Wire, bytes, int], Awaitable[None]]


async def latency(wire: Wire, answer: bytes, at: int) -> None:
    await wire.send(answer[:at])
    await asyncio.sleep(0.02)
    await wire.send(answer[at:])
    await wire.gone()


async def down(wire: Wire, answer: bytes, at: int) -> None:
    await wire.send(answer[:at])
    wire.cut()


async def bandwidth(wire: Wire, answer: bytes, at: int) -> None:
    await wire.send(answer[:at])
    await wire.send_sliced(answer[at:], 40)
    await wire.gone()


async def slow_close(wire: Wire, answer: bytes, at: int) -> None:
    await wire.send(answer[:at])
    await wire.send(answer[at:])
    await asyncio.sleep(0.02)
    wire.cut()


async def silence(wire: Wire, answer: bytes, at: int) -> None:
    await wire.send(answer[:at])
    await wire.gone()


async def reset_peer(wire: Wire, answer: bytes, at: int) -> None:
    await wire.send(answer[:at])
    wire.reset()


async def slicer(wire: Wire, answer: bytes, at: int) -> None:
    await wire.send_sliced(answer, 3)
    await wire.gone()


async def limit_data(wire: Wire, answer: bytes, at: int) -> None:
    await wire.send(answer[: at + 20])
    wire.cut()


STREAM = b"".join(b'data: {"n": %d}\n\n' % n for n in range(20)) + b"data: [DONE]\n\n"
ANSWERS = {"stream": SSE_CHUNKED + chunked(STREAM), "whole": json_answer(b'{"a": "' + b"x" * 300 + b'"}')}
FAULTS: dict[Fault, tuple[type[UpstreamError], ...]] = {
    latency: (),
    down: (Unavailable, BadAnswer),
    bandwidth: (),
    slow_close: (),
    silence: (UpstreamTimeout,),
    reset_peer: (Unavailable,),
    slicer: (),
    limit_data: (Unavailable, BadAnswer),
}


@pytest.mark.parametrize("at", [0, 30, 180], ids=["before", "in the head", "in the body"])
@pytest.mark.parametrize("kind", list(ANSWERS))
@pytest.mark.parametrize("fault", list(FAULTS), ids=lambda fault: fault.__name__)
async def test_each_fault_is_a_success_or_a_typed_error(upstream: Upstream, fault: Fault, kind: str, at: int) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await fault(wire, ANSWERS[kind], at)

    timeouts = Timeouts(first_token=0.25, gap=0.25, total=5)
    async with Scripted(script) as up:
        if FAULTS[fault]:
            with pytest.raises(FAULTS[fault]):
                await read(await ask(upstream, up.url, timeouts=timeouts))
            return
        got = await read(await ask(upstream, up.url, timeouts=timeouts))
        assert got == (STREAM if kind == "stream" else ANSWERS[kind][-len(got) :])
