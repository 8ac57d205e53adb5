"""MON-09: whatever a provider tells of its usage, the answer passes untouched, and what is charged makes sense."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from proxy.ledger.row import Row
from tests.support import billing
from tests.support.billing import question, row_of, text_of, tokens
from tests.support.gateway import Gateway
from tests.support.pairs import spoken
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked, Part, Say, Tokens

DIALECTS = ["openai_chat", "openai_responses", "anthropic_messages", "gemini"]
NATIVE = [(name, name) for name in DIALECTS]
PAIRS = [
    *NATIVE,
    ("anthropic_messages", "openai_chat"),
    ("openai_chat", "anthropic_messages"),
    ("gemini", "openai_responses"),
    ("openai_responses", "gemini"),
]
WORDS = [f"Line {number}: the river's «naïve» bed, 北京 and 🙂.\n" for number in range(30)]
TEXT = "".join(WORDS)
_TRUE = Tokens(input=9, output=400)
SAY = Say(parts=[Part(kind="text", pieces=WORDS)], usage=_TRUE)
KEYS = {  # what is read, and what is written
    "openai_chat": ("prompt_tokens", "completion_tokens"),
    "openai_responses": ("input_tokens", "output_tokens"),
    "anthropic_messages": ("input_tokens", "output_tokens"),
    "gemini": ("promptTokenCount", "candidatesTokenCount"),
}
SAID = tokens(TEXT)


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for all."""
    return billing.start(module_gateway, upstream_process)


def _lie(value: Any, told: Any) -> Any:
    """``value`` with another usage wherever one stands; ``told`` is a function of the true one, None leaves it out."""
    if isinstance(value, list):
        return [_lie(one, told) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, one in value.items():
        if name not in ("usage", "usageMetadata") or one is None:
            found[name] = _lie(one, told)
        elif (lie := told(one)) is not None:
            found[name] = lie
    return found


def _event(frame: bytes, told: Any) -> bytes:
    head, mark, data = frame.partition(b"data: ")
    if not mark or data.startswith(b"[DONE]"):
        return frame
    return head + mark + json.dumps(_lie(json.loads(data), told), ensure_ascii=False).encode() + b"\n\n"


def _frames(dialect: str, model: str, told: Any) -> list[bytes]:
    frames = RENDERERS[dialect].frames(SAY, Asked(model=model, stream=True))
    return [_event(frame, told) for frame in frames]


def _script(dialect: str, model: str, told: Any, *, stream: bool) -> dict[str, Any]:
    if not stream:
        body = json.loads(RENDERERS[dialect].body(SAY, Asked(model=model)))
        return _sent(json.dumps(_lie(body, told), ensure_ascii=False).encode(), "application/json")
    return _sent(b"".join(_frames(dialect, model, told)), RENDERERS[dialect].content_type)


def _sent(body: bytes, kind: str) -> dict[str, Any]:
    return {"body64": base64.b64encode(body).decode(), "content_type": kind}


def _strings(value: Any) -> list[str]:
    """All strings within."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []


async def _ask(
    running: Gateway, upstream: FakeUpstream, pair: tuple[str, str], script: dict[str, Any], model: str, *, stream: bool
) -> Row:
    """Its row. What the client gets is all that was said, and the provider's own bytes where it speaks its dialect."""
    inbound, outbound = pair
    upstream.tell(model, **script)
    with closing(await Wire.open(running.port)) as wire:
        await wire.request(*question(inbound, model, outbound, stream=stream))
        assert await wire.head() == 200
        if spoken(inbound, outbound) == inbound:
            assert await wire.whole() == base64.b64decode(script["body64"])
        elif stream:
            assert "".join([text_of(inbound, event.data) async for event in wire.events()]) == TEXT
        else:
            assert TEXT in _strings(json.loads(await wire.whole()))
    return await row_of(running, model)


async def _each(
    running: Gateway,
    upstream: FakeUpstream,
    lie: Callable[[str], Any],
    check: Callable[[Row], None],
    pairs: list[tuple[str, str]] = PAIRS,
) -> None:
    """All pairs, whole and streamed, at once. ``lie``: by the provider's dialect, what it tells in place of a usage."""

    async def one(pair: tuple[str, str], stream: bool) -> None:
        model, dialect = billing.new_model(), spoken(*pair)
        try:
            script = _script(dialect, model, lie(dialect), stream=stream)
            row = await _ask(running, upstream, pair, script, model, stream=stream)
            _check_sums(row)
            check(row)
        except Exception as error:
            error.add_note(f"{pair}, {stream=}")
            raise

    await asyncio.gather(*(one(pair, stream) for pair in pairs for stream in (False, True)))


def _check_sums(row: Row) -> None:
    assert row.status == "ok"
    assert min(row.input, row.output, row.reasoning, row.cached_read) >= 0
    assert row.cost == row.input * billing.INPUT_PRICE + row.output * billing.OUTPUT_PRICE


def _numbers(dialect: str, read: Any, written: Any) -> Callable[[Any], dict[str, Any]]:
    """These in place of the true ones."""
    return lambda _: dict(zip(KEYS[dialect], (read, written), strict=True))


def _is_counted(row: Row) -> None:
    assert row.source == "counted"
    assert row.flags == ""
    assert abs(row.output - SAID) <= SAID * 0.02
    assert 0 < row.input <= 12


async def test_the_truth_is_charged(running: Gateway, upstream: FakeUpstream) -> None:
    """So that the tests below could fail."""

    def check(row: Row) -> None:
        assert (row.source, row.flags, row.input, row.output) == ("reported", "", 9, 400)

    await _each(running, upstream, lambda _: lambda true: true, check)


async def test_none_is_counted(running: Gateway, upstream: FakeUpstream) -> None:
    await _each(running, upstream, lambda _: lambda _: None, _is_counted)


@pytest.mark.parametrize("told", [0, -5])
async def test_nothing_is_a_value(running: Gateway, upstream: FakeUpstream, told: int) -> None:
    """A provider that says 0 means it; less than nothing is nothing, and nobody is paid for asking."""

    def check(row: Row) -> None:
        assert (row.source, row.flags, row.input, row.output, row.cost) == ("reported", "", 0, 0, 0)

    await _each(running, upstream, lambda dialect: _numbers(dialect, told, told), check)


async def test_what_cannot_be_is_clamped(running: Gateway, upstream: FakeUpstream) -> None:
    def check(row: Row) -> None:
        assert row.flags == "clamped"
        assert (row.input, row.output) == (row.bound_input, row.bound_output)

    await _each(running, upstream, lambda dialect: _numbers(dialect, 10**18, 10**18), check)


async def test_numbers_in_quotes(running: Gateway, upstream: FakeUpstream) -> None:
    def check(row: Row) -> None:
        assert (row.source, row.input, row.output) == ("reported", 9, 400)

    await _each(running, upstream, lambda dialect: _numbers(dialect, "9", "400"), check, NATIVE)


@pytest.mark.parametrize("how", ["word", "list", "text"])
async def test_what_is_no_usage_is_counted(running: Gateway, upstream: FakeUpstream, how: str) -> None:
    def lie(dialect: str) -> Any:
        return _numbers(dialect, "many", "more") if how == "word" else lambda _: ["x"] if how == "list" else "much"

    await _each(running, upstream, lie, _is_counted)


def _late(dialect: str, model: str) -> list[bytes]:
    """Usage in an event of its own, behind the one that says why it stopped; before it, another that is too small."""
    frames = _frames(dialect, model, lambda true: true)
    small = _frames(dialect, model, _numbers(dialect, 9, 3))
    if dialect == "openai_chat":  # its regular place; twice
        return [*frames[:-2], small[-2], *frames[-2:]]
    if dialect == "openai_responses":  # the last event is the only place, but others have room for it
        created = frames[0].replace(b'"usage": null', b'"usage": {"input_tokens": 9, "output_tokens": 3}')
        assert created != frames[0]
        return [created, *frames[1:]]
    if dialect == "anthropic_messages":
        return [*frames[:-2], small[-2], *frames[-2:]]
    alone = json.loads(frames[-1].partition(b"data: ")[2])
    del alone["candidates"]
    return [*small, b"data: " + json.dumps(alone).encode() + b"\n\n"]


async def test_told_late_and_twice(running: Gateway, upstream: FakeUpstream) -> None:
    """What is told last counts."""

    async def one(pair: tuple[str, str]) -> None:
        model, dialect = billing.new_model(), spoken(*pair)
        script = _sent(b"".join(_late(dialect, model)), RENDERERS[dialect].content_type)
        row = await _ask(running, upstream, pair, script, model, stream=True)
        assert (row.source, row.flags, row.input, row.output) == ("reported", "", 9, 400), pair

    await asyncio.gather(*map(one, PAIRS))
