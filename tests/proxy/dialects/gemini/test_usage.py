"""Tokens are counted once each, and reasons to stop keep their meaning."""

from __future__ import annotations

import random

import msgspec
import pytest
from google.genai import types

from proxy.chat import Finish, Usage
from proxy.dialects.dialect import MAX_COUNT
from proxy.dialects.gemini.usage import read_stop, read_tier, read_usage, write_stop, write_usage
from proxy.dialects.gemini.wire import Modality, UsageWire


def test_classes_are_disjoint() -> None:
    told = UsageWire(
        prompt_token_count=100,
        cached_content_token_count=40,
        candidates_token_count=20,
        thoughts_token_count=30,
        tool_use_prompt_token_count=7,
        prompt_tokens_details=[Modality("TEXT", 70), Modality("AUDIO", 30)],
        cache_tokens_details=[Modality("AUDIO", 10)],
        candidates_tokens_details=[Modality("AUDIO", 5)],
    )
    usage = read_usage(told)
    assert usage == Usage(input=47, cached_read=40, input_audio=20, output=15, reasoning=30, output_audio=5)
    assert usage.input_total == 107
    assert usage.output_total == 50


def test_what_is_written_is_read_again_and_adds_up() -> None:
    chance = random.Random(3)
    for _ in range(300):
        numbers = {name: chance.choice([0, 1, 17, 4000]) for name in Usage.__struct_fields__ if "write" not in name}
        usage = Usage(**numbers)
        told = types.GenerateContentResponseUsageMetadata.model_validate(write_usage(usage))
        assert told.total_token_count == usage.input_total + usage.output_total
        assert told.total_token_count == (told.prompt_token_count or 0) + (told.candidates_token_count or 0) + (
            told.thoughts_token_count or 0
        )
        assert read_usage(msgspec.convert(write_usage(usage), UsageWire)) == usage


@pytest.mark.parametrize("number", [-5, 10**15])
def test_mad_numbers_are_cut(number: int) -> None:
    usage = read_usage(UsageWire(prompt_token_count=number, cached_content_token_count=number))
    assert usage is not None
    assert 0 <= usage.input_total <= MAX_COUNT


def test_no_usage_is_none() -> None:
    assert read_usage(None) is None


@pytest.mark.parametrize("word", [reason.value for reason in types.FinishReason])
def test_every_reason_is_read_and_told_again_if_others_have_no_word_for_it(word: str) -> None:
    end = read_stop(word, calls=False)
    assert end.stop in ("stop", "length", "content_filter", "other", "pause")
    if end.reason is not None and word not in ("FINISH_REASON_UNSPECIFIED", "CONTINUATION"):
        assert write_stop(end) == word


@pytest.mark.parametrize(
    ("end", "word"),
    [
        (Finish(stop="stop"), "STOP"),
        (Finish(stop="tool_calls"), "STOP"),
        (Finish(stop="stop_sequence"), "STOP"),
        (Finish(stop="length"), "MAX_TOKENS"),
        (Finish(stop="content_filter"), "SAFETY"),
        (Finish(stop="refusal"), "SAFETY"),
        (Finish(stop="other", reason="eos_weird"), "OTHER"),
        (Finish(stop="pause"), "OTHER"),
    ],
)
def test_every_neutral_reason_is_one_that_the_official_client_knows(end: Finish, word: str) -> None:
    assert write_stop(end) == word
    assert word in types.FinishReason.__members__


def test_calls_and_refusals_decide_where_the_word_does_not() -> None:
    assert read_stop("STOP", calls=True).stop == "tool_calls"
    assert read_stop(None, calls=False).stop == "other"
    assert write_stop(Finish(stop="stop"), refused=True) == "SAFETY"


def test_the_tier_is_told_where_it_is_known() -> None:
    assert read_tier(UsageWire(traffic_type="ON_DEMAND_PRIORITY")) == "priority"
    assert read_tier(UsageWire(traffic_type="PROVISIONED_THROUGHPUT")) is None
    assert read_tier(None) is None
