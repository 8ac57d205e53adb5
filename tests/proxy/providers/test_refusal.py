"""What bodies of refusals say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.providers.meaning import failure_in, failure_of
from proxy.providers.refusal import MAX_QUOTE, Refusal, read


def _read(body: Any) -> Refusal:
    found = read(msgspec.json.encode(body))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("body", "names", "quote"),
    [
        ({"error": {"code": "a", "type": "B", "message": "no"}}, {"a", "b"}, "no"),
        ({"object": "error", "message": "no", "code": 1500}, {"1500"}, "no"),
        ({"error": "no"}, {"no"}, "no"),
        ({"detail": "no"}, set(), "no"),
        ({"message": {"detail": [{"msg": "no"}]}}, set(), '{"detail":[{"msg":"no"}]}'),
        ([{"error": {"status": "X", "message": "no"}}], {"x"}, "no"),
        ({"__type": "com.amazon#Throttling", "Message": "no"}, {"throttling"}, "no"),
        ({"error": {"innererror": {"code": "Deep"}, "message": "no"}}, {"deep"}, "no"),
        ({"error": {"details": [{"reason": "API_KEY_INVALID"}]}}, {"api_key_invalid"}, ""),
        ({"error": None, "message": None}, set(), ""),
    ],
)
def test_names_and_words_are_found_wherever_they_stand(body: Any, names: set[str], quote: str) -> None:
    """Each provider nests them in its own way."""
    found = _read(body)
    assert (set(found.names), found.quote) == (names, quote)


def test_a_header_names_the_error_without_a_body() -> None:
    """AWS puts it there."""
    found = read(b"", [(b"x-amzn-errortype", b"ThrottlingException:http://x/"), (b"x-other", b"y")])
    assert found is not None
    assert found.names == {"throttlingexception"}


@pytest.mark.parametrize("body", [b"", b"<html>", b'"x"', b"3", b"[]", b"[1]", b"\xff\xfe", b"[" * 50_000])
def test_what_is_no_object_says_nothing(body: bytes) -> None:
    assert read(body) is None


@pytest.mark.parametrize(
    "ours",
    [
        "sk-proj-abcdefgh12345678",
        "sk-ant-api03-abcdefgh12345678",
        "gsk_abcdefgh12345678",
        "AIzaSyA1234567890abcdef",
        "AKIAIOSFODNN7EXAMPLE",
        "org-1a2b3c4d5e6f",
        "org_01hw8f0aa0ekmrn70ffm2zkdv1",
        "arn:aws:iam::123456789012:user/me",
    ],
)
def test_whose_account_it_is_stays_with_us(ours: str) -> None:
    """Also where nobody could look for the key itself: inside a stream."""
    assert _read({"error": {"message": f"because of {ours}, no"}}).quote == "because of ***, no"


def test_ordinary_words_are_quoted_as_they_are() -> None:
    text = "messages[0].tool_calls: `sk-learn` and organisation, project_id=5, task-queue_2024 are unknown"
    assert _read({"message": text}).quote == text


def test_a_quote_is_one_bounded_line() -> None:
    quote = _read({"message": "a\n\n b\tc" + "x" * 10_000}).quote
    assert quote.startswith("a b c")
    assert len(quote) == MAX_QUOTE


KEYS = [
    "error",
    "message",
    "code",
    "type",
    "status",
    "details",
    "violations",
    "retryDelay",
    "metadata",
    "raw",
    "response",
    "OriginalMessage",
    "OriginalStatusCode",
    "detail",
    "innererror",
    "flagged_input",
    "quotaId",
]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.integers(400, 599))
def test_whatever_a_provider_sends_is_an_error_of_ours(body: Any, status: int) -> None:
    """Never another exception, never a status that is no error."""
    encoded = msgspec.json.encode(body) if _encodes(body) else b"{}"
    for error in (failure_of(status, [], encoded, "acc"), failure_in(encoded)):
        assert 400 <= error.http_status <= 599
        assert len(error.message.splitlines()) == 1


def _encodes(body: Any) -> bool:
    try:
        msgspec.json.encode(body)
    except OverflowError:
        return False
    return True
