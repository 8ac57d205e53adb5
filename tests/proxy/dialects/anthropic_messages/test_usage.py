"""Tokens are counted once, and reasons to stop keep their meaning."""

from __future__ import annotations

import msgspec
import pytest
from anthropic.types import Usage as Official
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import Finish, Refusal, Stop, Text, ToolCall, Usage
from proxy.dialects.anthropic_messages.usage import (
    has_calls,
    has_refusal,
    merge,
    read_stop,
    read_tier,
    read_usage,
    write_stop,
    write_tier,
    write_usage,
)
from proxy.dialects.anthropic_messages.wire import UsageWire

COUNTS = st.integers(0, 10**9)


def _wire(**told: object) -> UsageWire:
    return msgspec.convert(told, UsageWire)


@given(st.builds(Usage, **dict.fromkeys(
    ("input", "cached_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"), COUNTS)))  # fmt: skip
def test_usage_comes_back_as_it_was(usage: Usage) -> None:
    told = write_usage(usage)
    Official.model_validate(told)
    assert read_usage(msgspec.convert(told, UsageWire)) == usage


def test_no_class_is_counted_twice() -> None:
    usage = read_usage(
        _wire(
            input_tokens=10,
            output_tokens=50,
            cache_read_input_tokens=100,
            cache_creation_input_tokens=7,
            cache_creation={"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            output_tokens_details={"thinking_tokens": 20},
        )
    )
    assert usage == Usage(input=10, cached_read=100, cache_write_5m=3, cache_write_1h=4, output=30, reasoning=20)


def test_writes_without_a_lifetime_have_the_usual_one() -> None:
    assert read_usage(_wire(cache_creation_input_tokens=7)) == Usage(cache_write_5m=7)


@pytest.mark.parametrize(("total", "five", "hour"), [(10, 6, 4), (3, 0, 3), (0, 0, 0)])
def test_the_total_of_writes_is_believed_before_its_parts(total: int, five: int, hour: int) -> None:
    told = _wire(cache_creation_input_tokens=total, cache_creation={"ephemeral_1h_input_tokens": 4})
    assert read_usage(told) == Usage(cache_write_5m=five, cache_write_1h=hour)


def test_absurd_numbers_are_clamped() -> None:
    told = _wire(input_tokens=-5, output_tokens=10**18, output_tokens_details={"thinking_tokens": 10**18})
    assert read_usage(told) == Usage(reasoning=10**12)


def test_later_numbers_replace_and_missing_ones_do_not() -> None:
    known = _wire(input_tokens=10, output_tokens=1, cache_read_input_tokens=5, service_tier="priority")
    merged = merge(known, _wire(output_tokens=0, cache_read_input_tokens=None))
    assert read_usage(merged) == Usage(input=10, cached_read=5)
    assert read_tier(merged) == "priority"
    assert merge(None, known) is known
    assert merge(known, None) is known
    assert read_usage(merge(None, None)) is None


def test_an_answer_without_usage_counts_nothing() -> None:
    told = Official.model_validate(write_usage(None))
    assert (told.input_tokens, told.output_tokens, told.cache_read_input_tokens) == (0, 0, 0)


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("stop_sequence", "stop_sequence"),
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("model_context_window_exceeded", "length"),
        ("compaction", "other"),
        ("something_new", "other"),
    ],
)
def test_reasons_to_stop_map_both_ways(word: str, stop: Stop) -> None:
    end = read_stop(word, "X" if word == "stop_sequence" else None, calls=False)
    assert end.stop == stop
    back, sequence = write_stop(end)
    assert back == ("end_turn" if stop == "other" else word)
    assert sequence == ("X" if word == "stop_sequence" else None)


def test_an_answer_that_calls_tools_stops_for_them() -> None:
    assert read_stop("end_turn", None, calls=True).stop == "tool_calls"
    assert read_stop("tool_use", None, calls=True).stop == "tool_calls"
    assert read_stop("tool_use", None, calls=False).stop == "stop"
    assert read_stop(None, None, calls=False).stop == "other"


def test_a_refusal_in_words_is_a_refusal() -> None:
    assert write_stop(Finish(stop="stop"), refused=True) == ("refusal", None)
    assert write_stop(Finish(stop="content_filter")) == ("refusal", None)
    assert has_refusal([Text("a"), Refusal("no")])
    assert not has_refusal([Text("a")])


def test_calls_are_noticed() -> None:
    assert has_calls([Text("a"), ToolCall(id="1", name="f", arguments="")])
    assert not has_calls([])


def test_tiers_are_told_in_each_ones_words() -> None:
    assert read_tier(_wire(service_tier="standard")) == "default"
    assert [write_tier(tier) for tier in ("default", "priority", "flex", None)] == ["standard", "priority", None, None]
