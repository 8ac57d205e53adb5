"""Headers of an upstream's answer: a short list passes."""

from __future__ import annotations

import pytest

from proxy.errors import BadAnswer
from proxy.wire.passing import passed_on


def test_the_first_of_two_counts_and_names_are_renamed() -> None:
    raw = [(b"X-Request-ID", b"1"), (b"request-id", b"2"), (b"Content-Type", b"text/event-stream; charset=utf-8")]
    headers, facts = passed_on(raw, is_error=False)
    assert headers == [(b"x-upstream-request-id", b"1"), (b"content-type", b"text/event-stream; charset=utf-8")]
    assert (facts.is_sse, facts.is_json, facts.length, facts.encoded) == (True, False, -1, False)


def test_retry_after_passes_on_errors_alone() -> None:
    raw = [(b"retry-after", b"1"), (b"retry-after-ms", b"900"), (b"x-should-retry", b"true")]
    assert passed_on(raw, is_error=True)[0] == raw
    assert passed_on(raw, is_error=False)[0] == []


@pytest.mark.parametrize(
    ("kind", "is_json"), [(b"application/JSON", True), (b"application/problem+json", True), (b"a/b", False)]
)
def test_json_is_known_by_its_type(kind: bytes, is_json: bool) -> None:
    assert passed_on([(b"content-type", kind)], is_error=False)[1].is_json is is_json


@pytest.mark.parametrize(
    ("value", "encoded"), [(b"gzip", True), (b" Identity", False), (b"", False), (b"br, gzip", True)]
)
def test_an_encoding_is_noticed(value: bytes, encoded: bool) -> None:
    assert passed_on([(b"Content-Encoding", value)], is_error=False)[1].encoded is encoded


@pytest.mark.parametrize("value", [b"a\x00b", b"a\x1bb", b"\x7f", b"a\nb"])
def test_control_characters_are_refused(value: bytes) -> None:
    with pytest.raises(BadAnswer):
        passed_on([(b"openai-version", value)], is_error=False)


def test_the_size_of_what_passes_is_bounded() -> None:
    with pytest.raises(BadAnswer):
        passed_on([(b"openai-version", b"x" * 33_000)], is_error=False)


def test_what_tells_of_our_limits_is_kept_but_does_not_pass() -> None:
    """When they are reset says when to try again; the numbers are the gateway's own."""
    told = [
        (b"x-amzn-errortype", b"ThrottlingException"),
        (b"anthropic-ratelimit-input-tokens-reset", b"2026-01-01T00:00:00Z"),
        (b"x-ratelimit-reset-tokens", b"6m0s"),
        (b"x-ratelimit-remaining-tokens", b"0"),
    ]
    raw = [*told, (b"openai-organization", b"org-1"), (b"x-ratelimit-reset-tokens-" + b"x" * 50, b"1s")]
    headers, facts = passed_on(raw, is_error=True)
    assert (headers, facts.told) == ([], told)
    assert passed_on(raw, is_error=False)[1].told == told[1:], "what is left is told by good answers too"
    assert len(passed_on(told * 100, is_error=True)[1].told) == 32
