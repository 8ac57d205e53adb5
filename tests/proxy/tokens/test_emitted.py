"""What passes is read as the dialects' own readers would read it, whatever pieces it comes in."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from msgspec.structs import replace

from proxy.chat import Delta, Open, Reasoning, Refusal, Text, ToolCall, Usage
from proxy.dialects.table import DIALECTS
from proxy.gather import Gather
from proxy.tokens.emitted import Emitted, absurd, service_tier, whole_usage
from proxy.tokens.encodings import count
from proxy.tokens.told import read_told
from tests.support.sayings import saying
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked, Part, Say

PASSING = ["openai_chat", "openai_responses", "anthropic_messages", "gemini"]
ANSWERS = 200
STREAMED = Asked(model="m-1", stream=True)


def heard(dialect: str, frames: list[bytes]) -> tuple[str, Usage | None]:
    """What the dialect's own reader finds: the text in the order in which it came, and the usage."""
    reader, gather, texts = DIALECTS[dialect].reader(), Gather(), []
    cutter = DIALECTS[dialect].frames()
    whole = [frame for chunk in frames for frame in cutter.feed(chunk)] + list(cutter.finish())
    events = [event for frame in whole for event in reader.feed(frame)] + reader.finish()
    gather.feed(events)
    for event in events:
        if isinstance(event, Delta) and event.kind != "signature":
            texts.append(event.text)
        elif isinstance(event, Open) and isinstance(event.part, (Text, Refusal, Reasoning)):
            texts.append(event.part.text)
        elif isinstance(event, Open) and isinstance(event.part, ToolCall):
            texts.append(event.part.arguments)
    return "".join(texts), gather.completion().usage


def passed(dialect: str, frames: list[bytes], chance: random.Random, fold_at: int = 1 << 16) -> Emitted:
    """The same, as it passes: several events at a time."""
    emitted, at = Emitted(dialect, fold_at), 0
    while at < len(frames):
        size = chance.randint(1, 4)
        emitted.feed(b"".join(frames[at : at + size]))
        at += size
    return emitted


def data(*events: Any) -> list[bytes]:
    """Events with this JSON."""
    return [b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n" for event in events]


def chunk(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A chunk of a chat."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}], **more}


@pytest.mark.parametrize("fold_at", [0, 300, 1 << 16])
@pytest.mark.parametrize("dialect", PASSING)
def test_it_finds_what_the_reader_finds(dialect: str, fold_at: int) -> None:
    for seed in range(ANSWERS):
        frames = RENDERERS[dialect].frames(saying(seed), STREAMED)
        emitted = passed(dialect, frames, random.Random(seed), fold_at)
        text, usage = heard(dialect, frames)
        assert emitted.text() == text, seed
        assert emitted.usage() == usage, seed
        assert emitted.has_begun == bool(text)
        assert emitted.size >= len(text.encode())
        assert emitted.tokens("gpt-4o") == count(text, "gpt-4o")


@pytest.mark.parametrize("dialect", PASSING)
def test_every_beginning_of_a_stream_is_known(dialect: str) -> None:
    """What has been emitted so far is a beginning of the whole, and never more than what stands in the events."""
    say = Say(parts=[Part(kind="text", pieces=['a "b"', "\\n", "\n🙂", "é"]), Part(kind="text", pieces=["end"])])
    frames = RENDERERS[dialect].frames(say, STREAMED)
    texts = []
    for last in range(len(frames) + 1):
        emitted = Emitted(dialect)
        for frame in frames[:last]:
            emitted.feed(frame)
        texts.append(emitted.text())
    assert texts == sorted(texts, key=len)
    assert texts[-1] == say.text("text")
    assert all(say.text("text").startswith(text) for text in texts)
    assert not Emitted(dialect).has_begun


@pytest.mark.parametrize("dialect", PASSING)
def test_no_usage_is_none(dialect: str) -> None:
    frames = RENDERERS[dialect].frames(replace(saying(3), usage=None), STREAMED)
    if dialect == "anthropic_messages":  # which always tells some; another maker's may not
        frames = [frame for frame in frames if b'"usage"' not in frame]
        assert frames
    assert passed(dialect, frames, random.Random(0)).usage() is None


@pytest.mark.parametrize("dialect", PASSING)
def test_the_usage_of_whole_answers(dialect: str) -> None:
    for seed in range(ANSWERS):
        body = RENDERERS[dialect].body(saying(seed), Asked(model="m-1"))
        usage, tier = whole_usage(dialect, read_told(body))
        assert usage == DIALECTS[dialect].read_answer(body).usage, seed
        assert usage is not None
        assert tier == ""
    assert whole_usage(dialect, read_told(b"{}")) == (None, "")
    assert whole_usage(dialect, None) == (None, "")


def test_a_character_that_is_cut_between_pieces() -> None:
    """Half of a surrogate pair in each: JSON's escapes allow that, and no piece can be read alone."""
    halves = ['{"choices":[{"delta":{"content":"a\\ud83d"}}]}', '{"choices":[{"delta":{"content":"\\ude42b"}}]}']
    for fold_at in (0, 1 << 16):
        emitted = Emitted("openai_chat", fold_at)
        for half in halves:
            emitted.feed(f"data: {half}\n\n".encode())
        assert emitted.text() == "a🙂b"
    alone = Emitted("openai_chat")
    alone.feed(f"data: {halves[0]}\n\n".encode())
    alone.feed(data(chunk({"content": "whole"}))[0])
    assert alone.text() == "whole"


def test_usage_that_is_null_until_it_is_told() -> None:
    told = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    frames = data(*(chunk({"content": "x"}, usage=None) for _ in range(9)), {"choices": [], "usage": told})
    assert passed("openai_chat", frames[:-1], random.Random(0)).usage() is None
    assert Emitted("openai_chat").usage() is None
    for seed in range(20):
        assert passed("openai_chat", frames, random.Random(seed)).usage() == Usage(input=11, output=7)


def test_the_last_usage_counts() -> None:
    """Services that tell it in every chunk tell totals."""
    frames = data(*(chunk({"content": "x"}, usage={"prompt_tokens": 3, "completion_tokens": at}) for at in range(9)))
    assert passed("openai_chat", frames, random.Random(1)).usage() == Usage(input=3, output=8)


@pytest.mark.parametrize("usage", ["many", -4, [], {"prompt_tokens": "x"}, {"prompt_tokens": []}, True])
def test_usage_that_is_none_is_none(usage: Any) -> None:
    emitted = Emitted("openai_chat")
    for frame in data(chunk({"content": "x"}), {"choices": [], "usage": usage}):
        emitted.feed(frame)
    assert emitted.usage() is None
    assert whole_usage("openai_chat", read_told(json.dumps({"usage": usage}).encode())) == (None, "")


def test_what_is_no_json_is_not_read() -> None:
    for dialect in PASSING:
        emitted = Emitted(dialect, 0)
        for frame in (b'data: {"usage": \n\n', b'data: \xff"usageMetadata"\n\n', b": usage\n\n", b"data: [DONE]\n\n"):
            emitted.feed(frame)
        assert (emitted.usage(), emitted.text(), emitted.has_begun) == (None, "", False)


def test_what_is_too_long_is_estimated() -> None:
    """Nothing grows without a bound: what is not kept counts as a token for each four bytes."""
    emitted = Emitted("openai_responses", 0)
    piece = data({"type": "response.output_text.delta", "delta": "a" * (1 << 20)})[0]
    for _ in range(8):
        emitted.feed(piece)
    assert len(emitted.text()) == 4 << 20
    assert emitted.size == 4 << 20
    assert emitted.tokens("gpt-4o") > (4 << 20) // 4


def test_what_only_passes() -> None:
    """Embeddings tell their usage like chats, images like responses."""
    embedded = b'{"object":"list","data":[],"usage":{"prompt_tokens":6,"total_tokens":6}}'
    assert whole_usage(None, read_told(embedded)) == (Usage(input=6), "")
    drawn = b'{"created":1,"data":[],"usage":{"input_tokens":50,"output_tokens":4160,"total_tokens":4210}}'
    assert whole_usage(None, read_told(drawn)) == (Usage(input=50, output=4160), "")
    heard = b'{"text":"heard","usage":{"type":"duration","seconds":9}}'
    assert whole_usage(None, read_told(heard)) == (Usage(), "")
    assert whole_usage(None, read_told(b'{"text":"heard"}')) == (None, "")


@pytest.mark.parametrize(
    ("dialect", "told", "tier"),
    [
        ("openai_chat", {"service_tier": "flex", "usage": {}}, "flex"),
        ("openai_chat", {"service_tier": "default", "usage": {}}, ""),
        ("openai_chat", {"service_tier": 7, "usage": {}}, ""),
        ("openai_responses", {"response": {"service_tier": "priority", "usage": {}}}, "priority"),
        ("anthropic_messages", {"message": {"usage": {"service_tier": "priority"}}}, "priority"),
        ("anthropic_messages", {"message": {"usage": {"service_tier": "standard"}}}, ""),
        ("anthropic_messages", {"usage": {"service_tier": "batch"}}, "batch"),
    ],
)
def test_service_tiers(dialect: str, told: dict[str, Any], tier: str) -> None:
    emitted = Emitted(dialect)
    emitted.feed(data(told)[0])
    assert emitted.tier() == tier
    assert whole_usage(dialect, read_told(json.dumps(told).encode()))[1] == tier


def test_words_for_tiers() -> None:
    assert [service_tier(told) for told in (None, "", "auto", "default", "standard")] == [""] * 5
    assert [service_tier(told) for told in ("flex", "on_demand-1")] == ["flex", "on_demand-1"]
    assert [service_tier(told) for told in ("a b", "x" * 33, "Flex", "a\n")] == [""] * 4


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (Usage(input=10, output=5), None),
        (Usage(), None),
        (Usage(input=201_000, output=200_100), None),  # just within the slack
        (Usage(input=201_001, output=5), Usage(input=100, output=5)),
        (Usage(input=7, output=200_101), Usage(input=7, output=10)),
        (Usage(cached_read=10**18, input_audio=3), Usage(input=100)),
        (Usage(input=10**18, output=10**18, reasoning=9), Usage(input=100, output=10)),
        (Usage(input=-4, output=5), Usage(output=5)),
        (Usage(input=9, reasoning=-1), Usage(input=9)),
    ],
)
def test_what_cannot_be_is_replaced_by_the_bounds(told: Usage, left: Usage | None) -> None:
    assert absurd(told, 100, 10) == left


def test_no_bound_allows_everything() -> None:
    assert absurd(Usage(input=100_000_001), 10**12, 1) == Usage(input=10**12)
    assert absurd(Usage(input=100_000_000), 10**12, 1) is None
