"""BAD-07: an upstream that lies about anything gets a typed 502, and nothing of it sticks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.raw_upstream import Peer, RawUpstream
from tests.support.sse import read_events
from tests.support.traffic import CHAT, HEADERS, as_named, ask, code_of, config, open_sockets, settled, told
from tests.support.wire import Cut, Wire

TOTAL = 4.0
_GOOD = b'{"object": "chat.completion", "choices": [], "usage": {"prompt_tokens": 1}}'
_JSON = b"content-type: application/json\r\n"
_CHUNKED = b"transfer-encoding: chunked\r\n"
_SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def answer(body: bytes = _GOOD, *, status: bytes = b"200 OK", extra: bytes = b"", kind: bytes = _JSON) -> bytes:
    """A correct answer, or one that ``extra`` and the others make wrong."""
    return b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n%b\r\n%b" % (status, kind, len(body), extra, body)


def chunked(rest: bytes, kind: bytes = _JSON) -> bytes:
    """A chunked answer whose body is these bytes on the wire."""
    return b"HTTP/1.1 200 OK\r\n" + kind + _CHUNKED + b"\r\n" + rest


_HTML = b"<!doctype html><h1>It works!</h1>"
# Each is sent in answer to one request, then the connection ends.
LIES: dict[str, bytes] = {
    "html": answer(_HTML, kind=b"content-type: text/html\r\n"),
    "html that says json": answer(_HTML),
    "plain text": answer(b"hello", kind=b"content-type: text/plain\r\n"),
    "empty": answer(b""),
    "no content type": answer(_HTML, kind=b""),
    "half json": answer(_GOOD[:-5]),
    "two jsons": answer(_GOOD + _GOOD),
    "json too deep": answer(b"[" * 100_000 + b"]" * 100_000),
    "objects too deep": answer(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "redirect": answer(status=b"302 Found", extra=b"location: http://169.254.169.254/latest/meta-data\r\n"),
    "permanent redirect": answer(status=b"308 Permanent", extra=b"location: /v1/other\r\n"),
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "invalid gzip": answer(b"\x1f\x8b not gzip", extra=b"content-encoding: gzip\r\n"),
    "unasked brotli": answer(extra=b"content-encoding: br\r\n"),
    "length too long": answer(extra=b"").replace(b"content-length: ", b"content-length: 9"),
    "length too short": b"HTTP/1.1 200 OK\r\n" + _JSON + b"content-length: 10\r\n\r\n" + _GOOD,
    "length negative": b"HTTP/1.1 200 OK\r\n" + _JSON + b"content-length: -1\r\n\r\n" + _GOOD,
    "length of words": b"HTTP/1.1 200 OK\r\n" + _JSON + b"content-length: many\r\n\r\n" + _GOOD,
    "length of 5000 digits": b"HTTP/1.1 200 OK\r\n" + _JSON + b"content-length: " + b"9" * 5000 + b"\r\n\r\n" + _GOOD,
    "two lengths": answer(extra=b"content-length: 3\r\n"),
    "length and chunks": answer(extra=_CHUNKED),
    "bad chunk": chunked(b"zz\r\nhello\r\n0\r\n\r\n"),
    "negative chunk": chunked(b"-5\r\nhello\r\n0\r\n\r\n"),
    "huge chunk": chunked(b"ffffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    "chunk cut": chunked(b"50\r\nhello"),
    "no last chunk": chunked(b"5\r\nhello\r\n"),
    "nothing": b"",
    "half a status line": b"HTTP/1.1 20",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-ty",
    "no http": b"SSH-2.0-OpenSSH_9.9\r\n",
    "tls": b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03",
    "http/9.9": answer().replace(b"HTTP/1.1", b"HTTP/9.9"),
    "status 99": answer(status=b"99 Low"),
    "status 1000": answer(status=b"1000 High"),
    "status of words": answer(status=b"fine"),
    "unasked upgrade": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nhello",
    "10000 headers": answer(extra=b"x-h: v\r\n" * 10_000),
    "101 headers": answer(extra=b"x-h: v\r\n" * 101),
    "header of 1 MB": answer(extra=b"x-h: " + b"v" * (1 << 20) + b"\r\n"),
    "header name of 1 MB": answer(extra=b"x" * (1 << 20) + b": v\r\n"),
    "reason of 1 MB": answer(status=b"200 " + b"OK" * (1 << 19)),
    "header without colon": answer(extra=b"hello\r\n"),
    "header with NUL": answer(extra=b"openai-version: a\0b\r\n"),
    "header with CR": answer(extra=b"openai-version: a\rset-cookie: evil=1\r\n"),
    "folded header": answer(extra=b"openai-version: a\r\n set-cookie: evil=1\r\n"),
    "1xx flood": b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 20_000 + answer(),
    "17 x 100": b"HTTP/1.1 100 Continue\r\n\r\n" * 17 + answer(),
    "stream without end": _SSE + b"\r\ndata: {}\n\n",
    "stream of nothing": _SSE + b"content-length: 0\r\n\r\n",
    "stream of comments": _SSE + b"\r\n" + b": x\n\n" * 1000,
    "stream of html": _SSE + b"\r\n" + _HTML,
    "compressed stream": _SSE + b"content-encoding: gzip\r\n\r\n\x1f\x8b",
    "comments by the megabyte": _SSE + b"\r\n" + (b": " + b"x" * 60_000 + b"\n\n") * 40,
    "stream with a bad chunk": chunked(b"a\r\ndata: {}\n\n\r\nzz\r\n", _SSE[17:]),
    "error of html": answer(_HTML, status=b"400 Bad Request", kind=b"content-type: text/html\r\n"),
    "error cut": answer(_GOOD, status=b"400 Bad Request").replace(b"content-length: ", b"content-length: 9"),
    "error too deep": answer(b"[" * 100_000, status=b"400 Bad Request"),
    "failure of 3 MB": answer(b"x" * (3 << 20), status=b"500 Oops"),
    "refused key": answer(b"{}", status=b"401 Unauthorized", extra=b"www-authenticate: Basic realm=evil\r\n"),
}
_TYPED = {"bad_upstream_answer", "upstream_unavailable", "upstream_credential_refused"}
# A grammar that is loose, not a lie: these the parser reads as they are meant.
_FORGIVEN = {"http/9.9", "folded header"}


@pytest.fixture(scope="module")
def raw() -> RawUpstream:
    """The upstream of this file."""
    return RawUpstream()


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], raw: RawUpstream) -> Gateway:
    """One gateway for this file, every policy on."""
    return module_gateway(config(raw.url, timeouts=f"first_token: 2s, gap: 1s, total: {TOTAL:.0f}s"))


def once(data: bytes) -> Callable[[Peer], Awaitable[None]]:
    """Answer with these bytes, then FIN, then wait until the gateway has closed too."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(data)
        peer.end()
        await peer.gone()

    return script


async def ask_once(running: Gateway, *, stream: bool = False, name: str = "x") -> tuple[int, bytes, str, Wire]:
    """Status, body, how it ended; the connection, closed."""
    wire = await Wire.open(running.port)
    try:
        await wire.request("POST", CHAT, ask(stream=stream), as_named(name))
        return *await told(wire), wire
    finally:
        wire.close()


def failure_in(status: int, body: bytes, how: str) -> str | None:
    """The code of the failure that the client is told; None for a success."""
    if status != 200:
        return code_of(body)
    if how != "whole":
        return how
    events = read_events(body)
    if events and events[-1].data not in (None, "[DONE]"):
        return code_of(str(events[-1].data).encode())
    return None


async def test_every_lie_is_a_typed_502(running: Gateway, raw: RawUpstream) -> None:
    """Some sixty lies, to a plain and to a streaming request; no descriptor, no task and no traceback is left."""
    sockets = open_sockets(running)

    async def by_name(peer: Peer) -> None:
        await peer.request()
        name = peer.requests[-1][0].partition(b"idempotency-key: ")[2].partition(b"\r\n")[0].decode()
        await peer.send(LIES[name])
        peer.end()
        await peer.gone()

    wrong: list[Any] = []
    async with raw.running(by_name):
        for name in LIES:
            for stream in (False, True):
                began = time.monotonic()
                status, body, how, wire = await ask_once(running, stream=stream, name=name)
                assert time.monotonic() - began <= TOTAL + 1, name
                assert wire.header("set-cookie") is None
                if name in _FORGIVEN:
                    continue
                begun = status == 200 and b"data:" in body  # a stream had content before the lie came out
                told_by = failure_in(status, body, how)
                if not (begun or status == 502) or told_by not in _TYPED or b"<h1>" in body:
                    wrong.append((name, stream, status, body[:300], how))
        await settled(running, sockets)
    assert not wrong
    assert "Traceback" not in running.output()
    assert not running.log("request.crashed")
    assert not [line for line in running.log() if line["level"] in ("warning", "error", "critical")]


async def test_redirects_are_not_followed(running: Gateway, raw: RawUpstream) -> None:
    """Not even to the same upstream: it sees one request."""
    for status in (b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"):
        async with raw.running(once(answer(status=status, extra=b"location: " + raw.url.encode() + b"/other\r\n"))):
            assert (await ask_once(running))[0] == 502
            assert len([one for peer in raw.peers for one in peer.requests]) == 1


async def test_cookies_are_forgotten(running: Gateway, raw: RawUpstream) -> None:
    """Neither the client nor the next request gets them."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(answer(extra=b"set-cookie: a=1; Path=/\r\nset-cookie: b=2\r\n"))

    async with raw.running(script):
        for _ in range(3):
            status, body, _, wire = await ask_once(running)
            assert (status, body) == (200, _GOOD)
            assert wire.header("set-cookie") is None
        heads = [head for peer in raw.peers for head, _ in peer.requests]
        assert len(heads) == 3
        assert b"cookie" not in b"".join(heads).lower()


async def test_an_answer_that_nobody_asked_for_reaches_nobody(running: Gateway, raw: RawUpstream) -> None:
    """Two answers to one request: the second must not become the next caller's, in one write or a moment later."""
    poison = answer(b'{"poison": 1}')

    def two(pause: float) -> Callable[[Peer], Awaitable[None]]:
        async def script(peer: Peer) -> None:
            body = await peer.request()
            own = answer(json.dumps({"echo": len(body)}).encode())
            if pause:
                await peer.send(own)
                await asyncio.sleep(pause)
                await peer.send(poison)
            else:
                await peer.send(own + poison)
            while True:
                await peer.request()
                await peer.send(own)

        return script

    for pause in (0.0, 0.03):
        async with raw.running(two(pause)):
            for _ in range(4):
                status, body, _, _ = await ask_once(running)
                assert b"poison" not in body
                assert status in (200, 502)
                await asyncio.sleep(pause * 3)


async def test_absurd_usage_passes_as_it_is(running: Gateway, raw: RawUpstream) -> None:
    """The client gets the provider's bytes, whatever numbers they hold."""
    body = b'{"usage": {"prompt_tokens": -5, "completion_tokens": 1000000000000000000000, "total_tokens": 1e400}}'
    async with raw.running(once(answer(body))):
        assert (await ask_once(running))[:2] == (200, body)
    events = b"data: " + body + b"\n\ndata: [DONE]\n\n"
    async with raw.running(once(_SSE + b"\r\n" + events)):
        assert (await ask_once(running, stream=True))[:2] == (200, events)


async def _endless(peer: Peer, head: bytes, piece: bytes) -> None:
    await peer.request()
    await peer.send(head)
    while True:
        await peer.send(piece)
        await asyncio.sleep(0)


_FLOODS: dict[str, tuple[bytes, bytes]] = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"x-h: v\r\n" * 500),
    "one header": (b"HTTP/1.1 200 OK\r\nx-h: ", b"v" * 16384),
    "a status line": (b"HTTP/1.1 200 ", b"v" * 16384),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
    "empty lines": (b"", b"\r\n" * 8000),
    "a chunk's extension": (chunked(b"5;"), b"e" * 16384),
    "trailers": (chunked(b"5\r\nhello\r\n0\r\n"), b"x-t: v\r\n" * 500),
    "comments": (_SSE + b"\r\n", b": x\n\n" * 3000),
    "one event": (_SSE + b"\r\ndata: ", b"x" * 16384),
    "blank lines of a stream": (_SSE + b"\r\n", b"\n" * 16384),
    "a json body": (b"HTTP/1.1 200 OK\r\n" + _JSON + b"\r\n[", b"1," * 8192),
    "an error's body": (b"HTTP/1.1 400 No\r\n" + _JSON + b"\r\n[", b"1," * 8192),
}


@pytest.mark.parametrize("flood", _FLOODS)
async def test_a_flood_ends_within_the_total_time_and_little_memory(
    flood: str, running: Gateway, raw: RawUpstream
) -> None:
    """Without end, as fast as the gateway takes it."""
    sockets, memory, crashes = open_sockets(running), running.rss(), len(running.log("request.crashed"))
    head, piece = _FLOODS[flood]

    async with raw.running(lambda peer: _endless(peer, head, piece)):
        began = time.monotonic()
        asking = asyncio.create_task(_take(running, flood == "a json body"))
        peak = 0
        while not asking.done():
            peak = max(peak, running.rss())
            await asyncio.sleep(0.02)
        status, body, how = await asking
        assert time.monotonic() - began <= TOTAL + 3
        assert failure_in(status, body, how) is not None
        assert peak - memory <= 48 << 20
        await settled(running, sockets)
    assert len(running.log("request.crashed")) == crashes


async def _take(running: Gateway, large: bool) -> tuple[int, bytes, str]:
    """An answer; of a large body only that it broke off."""
    if not large:
        return (await ask_once(running, stream=True))[:3]
    wire = await Wire.open(running.port)
    try:
        await wire.request("POST", CHAT, ask(), HEADERS)
        assert await wire.head() == 200
        async for _ in wire.body():
            wire.log.clear()
        raise AssertionError("a body without end has ended well")
    except Cut as cut:
        return 200, b"", cut.how
    finally:
        wire.close()


async def test_a_gigabyte_passes_at_the_clients_pace_and_is_cut_at_the_limit(
    running: Gateway, raw: RawUpstream, wire: Any
) -> None:
    """What is announced as 1 GB ends at 256 MiB, visibly; a client that stops reading holds the upstream back."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 1000000000\r\n\r\n"
    memory = running.rss()

    async def script(peer: Peer) -> None:
        await _endless(peer, head, bytes(1 << 18))

    async with raw.running(script):
        found = await wire(running.port)
        await found.request("GET", "/v1/files/file-1/content", b"", HEADERS)
        assert await found.head() == 200
        size = 0
        with pytest.raises(Cut):
            async for piece in found.body():
                size += len(piece)
                found.log.clear()
        assert size <= 256 << 20
    assert running.rss() - memory <= 32 << 20
