"""MON-03: who leaves pays for what was emitted until then, no less than what came, no more than what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing

import msgspec
import pytest

from proxy.ledger.row import Row
from tests.support import billing
from tests.support.billing import question, row_of, text_of, tokens
from tests.support.gateway import Gateway
from tests.support.journal import Entry, body_of
from tests.support.pairs import spoken
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked, Part, Say, Tokens

PIECES = [f" word{number:02d}" for number in range(12)]  # none of them within another
SAY = Say(parts=[Part(kind="text", pieces=PIECES)], usage=Tokens(input=9, output=tokens("".join(PIECES))))
GAP = 80  # milliseconds
NATIVE = ["openai_chat", "openai_responses", "anthropic_messages", "gemini"]
CELLS = [(name, name) for name in NATIVE] + [
    ("openai_chat", "anthropic_messages"),
    ("openai_responses", "gemini"),
    ("anthropic_messages", "openai_chat"),
    ("gemini", "bedrock"),
]
Cell = Callable[[str, str, str], Awaitable[None]]


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for all."""
    return billing.start(module_gateway, upstream_process)


async def _each(cell: Cell) -> None:
    """All pairs at once, each with a model of its own."""

    async def one(inbound: str, outbound: str) -> None:
        try:
            await cell(inbound, outbound, billing.new_model())
        except Exception as error:
            error.add_note(f"{inbound} to {outbound}")
            raise

    await asyncio.gather(*(one(*pair) for pair in CELLS))


async def _asked(upstream: FakeUpstream, model: str) -> Entry:
    """The request for this model, as soon as the upstream has it."""

    def look() -> Entry | None:
        seen = upstream.journal().requests()
        return next((one for one in seen if f"/{model}" in one["path"] or f'"{model}"'.encode() in body_of(one)), None)

    found: Entry = await upstream.journal().until(look, f"request for {model}")
    return found


def _emitted(upstream: FakeUpstream, asked: Entry, dialect: str, model: str) -> str:
    """What the upstream says that it has sent, and one event more."""
    events = [entry["events"] for entry in upstream.journal().entries("emitted", id=asked["id"])]
    frames = RENDERERS[dialect].frames(SAY, Asked(model=model, stream=True))
    sent = b"".join(frames[: max(events, default=-1) + 1])
    return "".join(piece for piece in PIECES if piece.encode() in sent)


def _check(row: Row, least: str, most: str) -> None:
    output = row.output + row.reasoning
    assert tokens(least) <= output <= tokens(most)
    assert row.cost == (row.input * billing.INPUT_PRICE + output * billing.OUTPUT_PRICE)
    assert row.cost > 0 or not least
    assert not row.flags


@pytest.mark.parametrize("count", [1, 3, 7, len(PIECES)])
async def test_who_leaves_pays_for_what_was_emitted(running: Gateway, upstream: FakeUpstream, count: int) -> None:
    """Behind so many pieces."""

    async def cell(inbound: str, outbound: str, model: str) -> None:
        upstream.tell(model, say=msgspec.to_builtins(SAY), gap_ms=GAP)
        heard: list[str] = []
        with closing(await Wire.open(running.port)) as wire:
            await wire.request(*question(inbound, model, outbound, stream=True))
            assert await wire.head() == 200
            async for event in wire.events():
                heard += filter(None, [text_of(inbound, event.data)])
                if len(heard) >= count:
                    break
        assert "".join(heard) == "".join(PIECES[: len(heard)])
        row = await row_of(running, model)
        asked = await _asked(upstream, model)
        _check(row, "".join(heard), _emitted(upstream, asked, spoken(inbound, outbound), model))
        assert row.cost > 0
        if count < len(PIECES):
            assert (row.status, row.source) == ("cancelled", "counted")
            assert row.output < tokens("".join(PIECES))

    await _each(cell)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_who_leaves_before_a_word_was_said_pays_nothing(
    running: Gateway, upstream: FakeUpstream, stream: bool
) -> None:
    """The request had been sent, and nobody knows what the provider will charge for it; it has told nothing."""

    async def cell(inbound: str, outbound: str, model: str) -> None:
        upstream.tell(model, say=msgspec.to_builtins(SAY), ttft_ms=60_000)
        with closing(await Wire.open(running.port)) as wire:
            await wire.request(*question(inbound, model, outbound, stream=stream))
            await _asked(upstream, model)
        row = await row_of(running, model)
        assert (row.status, row.cost, row.input, row.output) == ("cancelled", 0, 0, 0)
        assert row.stream == stream

    await _each(cell)


async def test_who_stays_pays_what_is_told(running: Gateway, upstream: FakeUpstream) -> None:
    """So that the tests above could fail: the same questions, to their end."""

    async def cell(inbound: str, outbound: str, model: str) -> None:
        upstream.tell(model, say=msgspec.to_builtins(SAY))
        with closing(await Wire.open(running.port)) as wire:
            await wire.request(*question(inbound, model, outbound, stream=True))
            assert await wire.head() == 200
            heard = [text_of(inbound, event.data) async for event in wire.events()]
        assert "".join(heard) == "".join(PIECES)
        row = await row_of(running, model)
        assert (row.status, row.source, row.input) == ("ok", "reported", 9)
        _check(row, "".join(PIECES), "".join(PIECES))

    await _each(cell)
