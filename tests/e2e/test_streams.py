"""STR-01, STR-04, STR-05, STR-06: a stream arrives as it was sent, or says that it did not."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import openai
import pytest

from tests.support.gateway import Gateway
from tests.support.sse import SseReader, read_events
from tests.support.traffic import CHAT, HEADERS, answer_of, ask, at_once, code_of, config, open_sockets, settled, told
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

SEED = 20260102
LIMIT = 0.4  # seconds: `first_token` and `gap` of the gateway in this file
SPLITS: tuple[int | None, ...] = (1, 2, 3, 7, None)  # None: random
_DONE = b"data: [DONE]\n\n"


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file, every policy on, short timers."""
    timeouts = f"first_token: {LIMIT * 1000:.0f}ms, gap: {LIMIT * 1000:.0f}ms, total: 8s"
    return module_gateway(config(upstream_process.url, timeouts=timeouts))


class Got(NamedTuple):
    """What a client saw of one answer."""

    status: int
    body: bytes
    how: str


async def stream(wire: Wire, script: dict[str, Any]) -> Got:
    """One streamed answer that follows ``script``."""
    await wire.request("POST", CHAT, ask(stream=True, **script), HEADERS)
    return Got(*await told(wire))


def failure_in(got: Got) -> str | None:
    """The code of the failure that the client is told, None if it is told that all is well."""
    if got.status != 200:
        return code_of(got.body)
    if got.how != "whole":
        return got.how
    reader = SseReader()
    reader.feed(got.body)
    reader.finish()
    last = reader.events[-1].data if reader.events else None
    if last == "[DONE]" and not reader.rest:
        return None
    return code_of(last.encode()) if last is not None and '"error"' in last else "no end marker"


# STR-01

_TEXTS = [
    "\u2028",
    "\u2029",
    "\x85",
    "\U0001f600\U0001f468\u200d\U0001f469",
    "世界",
    "é",
    "",
    " ",
    "\x0b\x0c\x1c",
    ": x",
    "a\ufeffb",
]
_LINES = [
    b": comment",
    b":",
    b"retry: 3000",
    b"id: 1",
    b"event: delta",
    b"unknown: field",
    b"no colon",
    b"data",
    b"data:",
]


def _event(chance: random.Random) -> bytes:
    """One event as some server might write it; lines end in `\\0`."""
    lines = [chance.choice(_LINES) for _ in range(chance.choice([0, 0, 0, 1, 2]))]
    text = json.dumps({"c": "".join(chance.choices(_TEXTS, k=3))}, ensure_ascii=False).encode()
    lines.insert(chance.randint(0, len(lines)), chance.choice([b"data: ", b"data:", b"data:  "]) + text)
    if chance.random() < 0.1:
        lines.append(b"data: \xff\xfe\xc3")  # not UTF-8: somebody else's mistake, passed on as it is
    return b"\0".join(lines) + b"\0\0"


def _stream(chance: random.Random) -> bytes:
    """A whole stream with its end marker."""
    found = b"".join(_event(chance) for _ in range(chance.randint(1, 5)))
    found += chance.choice(
        [b"data: [DONE]\0\0", b"data:[DONE]\0\0", b"data: [DONE]\0", b"data: [DONE]", b"data: [DONE]\0\0: bye\0\0"]
    )
    ends = chance.choice([[b"\n"], [b"\r\n"], [b"\r"], [b"\n", b"\r\n"]])
    while b"\0" in found:
        found = found.replace(b"\0", chance.choice(ends), 1)
    return chance.choice([b"", b"", b"", b"\xef\xbb\xbf", b"\n\n", b": hello\n\n"]) + found


async def test_streams_pass_untouched_at_every_split(running: Gateway) -> None:
    """500 seeded streams, each in writes of 1, 2, 3, 7 and random sizes: the client gets the same bytes."""
    chance = random.Random(SEED)
    jobs = []
    for number in range(500):
        body = _stream(chance)
        for split in SPLITS:
            sizes = [chance.randint(1, 20) for _ in range(7)] if split is None else split
            jobs.append((body, {"split": sizes, "framing": "close" if number % 5 == 0 else "chunked"}))
    sockets = open_sockets(running)

    async def one(wire: Wire, job: tuple[bytes, dict[str, Any]]) -> None:
        got = await stream(wire, answer_of(job[0], **job[1]))
        assert got == (200, job[0], "whole"), job
        assert wire.header("content-type") == "text/event-stream"

    await at_once(running.port, jobs, one)
    await settled(running, sockets + 20)  # connections that rest in the pool


async def test_a_pause_at_any_byte_changes_nothing(running: Gateway) -> None:
    """One nasty stream, cut in two at each of its bytes, with a pause between: inside CRLF, emoji, field names."""
    body = (
        b"\xef\xbb\xbf: hi\r\n\r\ndata: \xf0\x9f\x98\x80\xe2\x80\xa8\xc2\x85\r\n\r\nevent: x\ndata:a\ndata: b\n\n"
        b"\r\rdata: cr\r\rdata: {}\r\n\n: c\n\ndata: [DONE]\r\n\r\n"
    )

    async def one(wire: Wire, at: int) -> None:
        got = await stream(wire, answer_of(body, split=[at, 1 << 20], split_ms=4, framing="chunked"))
        assert got == (200, body, "whole"), at

    await at_once(running.port, range(1, len(body)), one)


@pytest.mark.parametrize("line_end", ["lf", "crlf", "cr"])
async def test_regular_events_arrive_with_their_line_ends(line_end: str, running: Gateway, wire: Any) -> None:
    """Events as a provider sends them, with comments before and between."""
    events = ["event: a\ndata: 1", "data: \u2028\x85", ": only a comment", "data: x\ndata: y"]
    got = await stream(
        await wire(running.port),
        {"events": events, "line_end": line_end, "comments": 2, "gap_ms": 30, "keepalive_ms": 10},
    )
    end = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}[line_end]
    assert failure_in(got) is None
    assert got.body.startswith(f": comment{end}{end}".encode() * 2)
    for event in events:
        assert (event.replace("\n", end) + end * 2).encode() in got.body
    assert [one.data for one in read_events(got.body) if one.data] == ["1", "\u2028\x85", "x\ny", "[DONE]"]


# STR-04


@pytest.mark.parametrize("keepalive", [0, 40])
@pytest.mark.parametrize("stall", ["head", "first", "gap"])
async def test_a_stall_ends_in_a_typed_error(stall: str, keepalive: int, running: Gateway, wire: Any) -> None:
    """Before the head, before the first event, between events; comments meanwhile do not count."""
    script: dict[str, Any] = {"keepalive_ms": keepalive, "tokens": 3}
    if stall == "gap":  # behind the first words: what comes before them is a first token that is late
        script = {"tokens": 6, "die_after": 3, "how": "hang"}
    else:
        script["head_ms" if stall == "head" else "ttft_ms"] = 3000
    found = await wire(running.port)
    got = await stream(found, script)
    assert failure_in(got) == "upstream_timeout"
    assert b"[DONE]" not in got.body
    assert (got.status, got.how) == (200 if stall == "gap" else 504, "whole")
    word = "gap" if stall == "gap" else "first_token"
    assert f"`{word}`".encode() in got.body
    if stall == "gap":
        assert read_events(got.body)[0].data is not None


async def test_events_that_come_in_time_are_never_late(running: Gateway, wire: Any) -> None:
    """Longer in all than either timer, but never silent for so long."""
    got = await stream(await wire(running.port), {"tokens": 8, "gap_ms": LIMIT * 1000 / 4, "ttft_ms": LIMIT * 1000 / 2})
    assert failure_in(got) is None


# STR-05


def _whole_stream() -> bytes:
    events = [f'data: {{"choices":[{{"index":0,"delta":{{"content":"tok{number} é"}}}}]}}' for number in range(8)]
    return "\n\n".join([": hello", *events, "data: [DONE]", ""]).encode()


async def test_a_stream_that_dies_is_seen_to_have_died(running: Gateway) -> None:
    """Every second byte of a stream × reset, FIN, an end of chunks that looks proper: a failure each, no `[DONE]`.

    What came in whole events before the cut is not lost, and half an event never reaches the client.
    """
    body = _whole_stream()
    end = body.index(b"[DONE]") + len(b"[DONE]") - 1  # with one byte more the stream has said that it is complete
    cuts = [(at, how, framing) for at in range(0, end, 2) for how, framing in _DEATHS]

    async def one(wire: Wire, cut: tuple[int, str, str]) -> Got:
        at, how, framing = cut
        return await stream(wire, answer_of(body, die_at=at, how=how, framing=framing))

    for cut, got in zip(cuts, await at_once(running.port, cuts, one), strict=True):
        assert failure_in(got) is not None, (cut, got)
        assert b"[DONE]" not in got.body
        if got.status == 200:
            assert got.how == "whole"  # the error event is there to say it
            before, _, _ = got.body.rpartition(b"data: ")
            whole_until = body[: cut[0]].rfind(b"\n\n") + 2
            assert body[: cut[0]].startswith(before)
            if cut[1] != "reset":  # a reset takes what the kernel still held
                assert before == body[:whole_until]
        else:
            assert got.status == 502


_DEATHS = [("reset", "chunked"), ("fin", "chunked"), ("truncate", "chunked"), ("fin", "close"), ("reset", "close")]


async def test_a_stream_that_had_ended_before_it_died_is_whole(running: Gateway, wire: Any) -> None:
    """After `[DONE]` nothing can be lost."""
    for how in ("reset", "fin", "truncate"):
        body = _whole_stream()
        got = await stream(
            await wire(running.port), answer_of(body + b": bye\n\n", die_at=len(body), how=how, framing="chunked")
        )
        assert failure_in(got) is None, (how, got)


@pytest.mark.parametrize("at", [1, 3, 8])
async def test_an_error_object_in_the_stream_arrives_and_is_no_success(at: int, running: Gateway, wire: Any) -> None:
    """A provider's 500 after its 200: the client gets those words and no `[DONE]`."""
    error = 'data: {"error": {"message": "scripted", "type": "server_error", "param": null, "code": "boom"}}'
    events = [f'data: {{"choices":[{{"index":0,"delta":{{"content":"tok{number}"}}}}]}}' for number in range(at)]
    got = await stream(await wire(running.port), {"events": [*events, error], "done": False})
    assert (got.status, got.how) == (200, "whole")
    assert "scripted" in [*map(str, read_events(got.body))][at]
    assert b"[DONE]" not in got.body
    assert failure_in(got) == "bad_upstream_answer"


@pytest.mark.parametrize("how", ["reset", "fin", "truncate", "hang"])
async def test_the_official_client_raises_when_a_stream_dies(
    how: str, running: Gateway, client: Callable[..., openai.AsyncOpenAI]
) -> None:
    """The text that came is there, then an error: no loop that simply ends."""
    made = client(running.url, key=HEADERS["authorization"].removeprefix("Bearer "))
    for after in (1, 3, 6):
        messages: Any = [{"role": "user", "content": "x"}]
        script = {"tokens": 10, "die_after": after, "how": how, "gap_ms": 1}
        count = 0
        with pytest.raises(openai.APIError):
            async for _ in await made.chat.completions.create(
                model="fast", messages=messages, stream=True, extra_body={"script": script}
            ):
                count += 1
        assert count <= after


@pytest.mark.parametrize("how", ["reset", "fin", "truncate"])
async def test_typed_streams_die_visibly_too(how: str, running: Gateway, wire: Any) -> None:
    """`/v1/responses` has no `[DONE]`: its end is `response.completed`."""
    found = await wire(running.port)
    body = json.loads(ask(stream=True, die_after=5, how=how))
    await found.request("POST", "/v1/responses", {**body, "input": "x"}, HEADERS)
    got = Got(*await told(found))
    assert b"response.completed" not in got.body
    assert failure_in(got) not in (None, "no end marker")


# STR-06


@pytest.mark.parametrize("size", [64 << 10, 256 << 10, (1 << 20) - 2048])
async def test_large_events_pass(size: int, running: Gateway, wire: Any) -> None:
    """Up to 1 MiB, in writes of any size."""
    event = b'data: {"pad": "' + b"x" * (size - 64) + b'"}\n\n'
    body = b"data: {}\n\n" + event + _DONE
    for split in (1 << 30, 65_521):
        found = await wire(running.port)
        url_script = {"pad": size, "split": split, "tokens": 1}
        got = await stream(found, url_script)
        assert failure_in(got) is None
        assert max(len(str(one.data)) for one in read_events(got.body)) > size
    assert len(body) < len(got.body) + 4096


@pytest.mark.parametrize("size", [(1 << 20) + 1, 2 << 20, 4 << 20])
async def test_larger_events_end_the_stream_with_an_error(size: int, running: Gateway, wire: Any) -> None:
    """Before any content that is a failed attempt; nothing of the event passes, and memory is not spent on it."""
    before = running.rss()
    for split in (1 << 30, 65_521):
        got = await stream(await wire(running.port), {"pad": size, "split": split, "tokens": 1})
        assert (got.status, failure_in(got), got.how) == (502, "bad_upstream_answer", "whole")
        assert len(got.body) < 4096
    assert running.rss() - before < 16 << 20
