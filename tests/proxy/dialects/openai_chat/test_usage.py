"""Tokens are counted once, whoever counts them how; reasons to stop are told both ways."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import Usage
from proxy.dialects.dialect import MAX_COUNT
from proxy.dialects.openai_chat.usage import read_stop, read_usage, write_stop, write_usage
from proxy.dialects.openai_chat.wire import UsageWire


def _read(told: dict[str, Any]) -> Usage:
    found = read_usage(msgspec.convert(told, UsageWire))
    assert found is not None
    return found


_COUNT = st.integers(0, 10**6)


@given(st.builds(Usage, **{name: _COUNT for name in Usage.__struct_fields__ if name != "cache_write_1h"}))
def test_what_is_written_is_read_back(usage: Usage) -> None:
    assert _read(write_usage(usage)) == usage


@given(st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens"]), st.integers()))
def test_absurd_numbers_are_bounded(told: dict[str, int]) -> None:
    found = _read(told)
    assert 0 <= found.input_total <= MAX_COUNT
    assert 0 <= found.output_total <= MAX_COUNT


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 4},
            Usage(input=6, cached_read=4, output=5),
        ),
        ({"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 4}, Usage(input=6, cached_read=4, output=5)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 35,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(input=10, output=5, reasoning=20),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 25,
                "total_tokens": 35,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(input=10, output=5, reasoning=20),
        ),
        ({"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}}, Usage(cached_read=1)),
        ({"prompt_tokens": None, "completion_tokens": -3}, Usage()),
    ],
    ids=["deepseek", "moonshot", "xai", "openai", "more than all", "nonsense"],
)
def test_every_service_counts_its_own_way(told: dict[str, Any], expected: Usage) -> None:
    assert _read(told) == expected


def test_no_usage_is_no_usage() -> None:
    assert read_usage(None) is None


@pytest.mark.parametrize(
    ("word", "calls", "refused", "expected"),
    [
        ("stop", False, False, ("stop", None)),
        ("stop", True, False, ("tool_calls", None)),
        ("stop", False, True, ("refusal", None)),
        ("length", True, False, ("length", None)),
        ("function_call", True, False, ("tool_calls", None)),
        ("model_length", False, False, ("length", None)),
        ("content_filter", False, False, ("content_filter", None)),
        ("gave_up", False, False, ("other", "gave_up")),
        (None, False, False, ("stop", None)),
    ],
)
def test_reasons_to_stop_are_read(word: str | None, calls: bool, refused: bool, expected: Any) -> None:
    assert read_stop(word, calls=calls, refused=refused) == expected


def test_reasons_to_stop_are_written_in_words_that_clients_know() -> None:
    assert write_stop("pause", refused=False) == "stop"
    assert write_stop("refusal", refused=False) == "content_filter"
    assert write_stop("refusal", refused=True) == "stop"
    assert write_stop("tool_calls", refused=False, older=True) == "function_call"
    assert write_stop("length", refused=False, older=True) == "length"
