"""The fake upstream itself: what the other tests trust."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from openai import AsyncOpenAI, InternalServerError

from tests.support.journal import body_of
from tests.support.sse import read_events
from tests.support.upstream import FakeUpstream
from tests.support.wire import Cut

Client = Callable[..., AsyncOpenAI]
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
STREAM = ASK | {"stream": True}


async def test_the_official_client_understands_every_answer(upstream: FakeUpstream, client: Client) -> None:
    """Chat, tools, completions, embeddings, responses, images, audio, moderation, files, batches, models."""
    ai = client(upstream.url)
    chat = await ai.chat.completions.create(**ASK)
    assert chat.choices[0].message.content == "tok0 tok1 tok2 tok3 tok4 "
    call = {"name": "f", "arguments": {"a": 1}}
    tools = await ai.chat.completions.create(**ASK, extra_body={"script": {"tool_calls": [call]}})
    assert tools.choices[0].finish_reason == "tool_calls"
    assert (await ai.completions.create(model="m", prompt="p")).choices[0].finish_reason == "stop"
    embedded = await ai.embeddings.create(model="m", input=["a", "b"])
    assert embedded.data[1].embedding == [0.5, -0.25, 1.0]
    assert (await ai.responses.create(model="m", input="p")).output_text.startswith("tok0")
    assert (await ai.images.generate(model="m", prompt="p")).data
    said = await ai.audio.transcriptions.create(model="m", file=("a.wav", b"RIFF"))
    assert said.text == "the words"
    assert (await ai.audio.speech.create(model="m", input="p", voice="alloy")).content[:4] == b"RIFF"
    assert not (await ai.moderations.create(model="m", input="p")).results[0].flagged
    file = await ai.files.create(file=("a.jsonl", b"{}"), purpose="batch")
    batch = await ai.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert batch.status == "validating"
    assert (await ai.models.list()).data[0].id == "fake-1"


async def test_streams_are_whole_and_typed(upstream: FakeUpstream, client: Client) -> None:
    """Text, usage, and the Responses API's events, through the official client."""
    ai = client(upstream.url)
    text, usage = "", None
    stream = await ai.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
    async for chunk in stream:
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        usage = chunk.usage or usage
    assert text == "tok0 tok1 tok2 tok3 tok4 "
    assert usage is not None
    assert usage.completion_tokens == 5
    kinds = [event.type async for event in await ai.responses.create(model="m", input="p", stream=True)]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


async def test_errors_and_scripts_by_base_url(upstream: FakeUpstream, client: Client) -> None:
    """A base URL can carry a script, and a status makes the client raise its class."""
    with pytest.raises(InternalServerError):
        await client(upstream.scripted(status=503)).chat.completions.create(**ASK)
    steps = [{"status": 500}, {"status": 200}]
    ai = client(upstream.scripted(id="two-steps", steps=steps))
    with pytest.raises(InternalServerError):
        await ai.chat.completions.create(**ASK)
    assert (await ai.chat.completions.create(**ASK)).id == "chatcmpl-fake"


@pytest.mark.parametrize(("how", "seen"), [("fin", "fin"), ("reset", "reset")])
async def test_it_dies_at_the_byte(upstream: FakeUpstream, wire: Callable[..., Any], how: str, seen: str) -> None:
    """A stream ends after exactly so many bytes, by FIN or RST."""
    connection = await wire(upstream.port)
    await connection.request("POST", "/v1/chat/completions", STREAM | {"script": {"die_at": 100, "how": how}})
    await connection.head()
    with pytest.raises(Cut) as cut:
        await connection.whole()
    assert cut.value.how == seen
    if how == "fin":
        assert len(cut.value.body) == 100
    assert (await upstream.journal().wait("finished"))["bytes"] == 100


async def test_every_split_gives_the_same_events(upstream: FakeUpstream, wire: Callable[..., Any]) -> None:
    """Writes of one byte, odd sizes and whole ones carry the same stream."""
    seen = set()
    for split in (None, 1, 7, [2, 3, 50]):
        connection = await wire(upstream.port)
        await connection.request(
            "POST", "/v1/chat/completions", STREAM | {"script": {"split": split, "text": "héllo wörld \u2028 x"}}
        )
        await connection.head()
        seen.add(tuple(read_events(await connection.whole())))
    assert len(seen) == 1
    assert next(iter(seen))[-1].data == "[DONE]"


async def test_the_journal_has_the_bytes_and_the_leaving(upstream: FakeUpstream, wire: Callable[..., Any]) -> None:
    """Request body as sent, events as they leave, and when the client went."""
    connection = await wire(upstream.port)
    sent = json.dumps(STREAM | {"script": {"gap_ms": 30, "tokens": 1000, "id": "left"}}).encode()
    await connection.request("POST", "/v1/chat/completions", sent, {"content-type": "application/json"})
    await connection.head()
    request = await upstream.journal().wait("request")
    assert body_of(request) == sent
    await upstream.journal().wait("emitted", id=request["id"], events=2)
    left = time.monotonic()
    connection.reset()
    closed = await upstream.journal().wait("closed", id=request["id"])
    assert closed["how"] == "reset"
    assert closed["at"] > left
    assert not upstream.journal().entries("finished", id=request["id"])


@pytest.mark.parametrize(
    "toxic",
    [
        {"latency": 30},
        {"down": True},
        {"bandwidth": 5000},
        {"slow_close": 30},
        {"timeout": 30},
        {"reset_peer": 30, "gap_ms": 20},
        {"slicer": 20},
        {"limit_data": 300},
    ],
    ids=lambda toxic: next(iter(toxic)),
)
async def test_the_eight_toxics(upstream: FakeUpstream, wire: Callable[..., Any], toxic: dict[str, Any]) -> None:
    """Each does what its name says, and the process lives on."""
    connection = await wire(upstream.port)
    await connection.request("POST", "/v1/chat/completions", STREAM | {"script": toxic})
    healthy = next(iter(toxic)) in ("latency", "bandwidth", "slow_close", "slicer")
    if healthy:
        await connection.head()
        assert read_events(await connection.whole())[-1].data == "[DONE]"
    else:
        with pytest.raises(Cut):
            await connection.answer()
        assert connection.ended == ("reset" if next(iter(toxic)) in ("down", "reset_peer") else "fin")


async def test_websocket_echoes(upstream: FakeUpstream, client: Client) -> None:
    """A greeting, then every message comes back."""
    pytest.importorskip("websockets")
    from websockets.asyncio.client import connect

    url = f"ws://127.0.0.1:{upstream.port}/v1/realtime?model=m"
    async with connect(url, subprotocols=["realtime"], proxy=None) as socket:  # type: ignore[list-item]
        assert json.loads(await socket.recv())["type"] == "session.created"
        await socket.send("x" * 70_000)
        assert await socket.recv() == "x" * 70_000
        await socket.send(b"\x00\xff")
        assert await socket.recv() == b"\x00\xff"
