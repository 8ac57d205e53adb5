"""Nothing is counted twice, and no number is believed that cannot be."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import ResponseUsage

from proxy.chat import Choice, Finish, Part, Refusal, Stop, Text, ToolCall, Usage
from proxy.dialects.dialect import MAX_COUNT
from proxy.dialects.openai_responses.usage import has_calls, has_refusal, read_stop, read_usage, write_stop, write_usage
from proxy.dialects.openai_responses.wire import Answer, Incomplete, UsageWire

_COUNT = st.integers(min_value=0, max_value=10**9)


def _wire(value: object) -> UsageWire:
    return msgspec.convert(value, UsageWire)


@settings(max_examples=150, deadline=None)
@given(st.builds(Usage, input=_COUNT, cached_read=_COUNT, cache_write_5m=_COUNT, output=_COUNT, reasoning=_COUNT))
def test_what_is_written_reads_the_same(usage: Usage) -> None:
    written = write_usage(usage)
    ResponseUsage.model_validate(written, strict=True)
    assert read_usage(_wire(written)) == usage


def test_writes_for_longer_are_told_apart() -> None:
    details = {"cached_tokens": 10, "cache_write_tokens": 30, "cache_write_tokens_details": {"ttl_12h_tokens": 20}}
    found = read_usage(_wire({"input_tokens": 100, "input_tokens_details": details, "output_tokens": 1}))
    assert found is not None
    assert (found.input, found.cached_read, found.cache_write_5m, found.cache_write_1h) == (60, 10, 10, 20)


@pytest.mark.parametrize(
    "told",
    [
        {"input_tokens": -5, "output_tokens": 10**18},
        {"input_tokens": 1e18, "output_tokens": -1e18},
        {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 10**18, "cache_write_tokens": 10**18}},
        {"output_tokens": 3, "output_tokens_details": {"reasoning_tokens": 99}},
    ],
)
def test_no_number_is_negative_or_absurd(told: object) -> None:
    found = read_usage(_wire(told))
    assert found is not None
    assert all(0 <= number <= MAX_COUNT for number in msgspec.structs.astuple(found))


@pytest.mark.parametrize("told", [None, {}, {"input_tokens": None}])
def test_missing_usage_is_none(told: object) -> None:
    assert read_usage(None if told is None else _wire(told)) is None
    assert write_usage(None) is None


@pytest.mark.parametrize(
    ("answer", "calls", "stop", "reason"),
    [
        (Answer(status="completed"), False, "stop", None),
        (Answer(), False, "stop", None),
        (Answer(status="completed"), True, "tool_calls", None),
        (Answer(status="incomplete", incomplete_details=Incomplete("max_output_tokens")), True, "length", None),
        (Answer(status="incomplete", incomplete_details=Incomplete("content_filter")), False, "content_filter", None),
        (Answer(status="incomplete", incomplete_details=Incomplete("steered")), False, "other", "steered"),
        (Answer(status="incomplete"), False, "other", "incomplete"),
        (Answer(status="cancelled"), False, "other", "cancelled"),
    ],
)
def test_every_end_has_a_neutral_word(answer: Answer, calls: bool, stop: Stop, reason: str | None) -> None:
    assert read_stop(answer, calls=calls) == Finish(stop=stop, reason=reason)


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        ("stop", "completed", None),
        ("stop_sequence", "completed", None),
        ("tool_calls", "completed", None),
        ("other", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("refusal", "incomplete", "content_filter"),
        ("pause", "incomplete", None),
    ],
)
def test_every_neutral_end_has_a_status(stop: Stop, status: str, reason: str | None) -> None:
    details = None if reason is None else {"reason": reason}
    assert write_stop(Finish(stop=stop), refused=False) == (status, details)
    assert write_stop(Choice(parts=[], stop=stop), refused=False) == (status, details)


def test_a_refusal_in_words_is_a_complete_answer() -> None:
    assert write_stop(Finish(stop="refusal"), refused=True) == ("completed", None)


def test_calls_and_refusals_are_seen() -> None:
    parts: list[Part] = [Text(""), ToolCall(id="1", name="f", arguments="")]
    assert (has_calls(parts), has_refusal(parts)) == (True, False)
    assert has_refusal([Refusal("no")])
