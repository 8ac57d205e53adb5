"""Limits as they are written: every spelling means one limit, and what is wrong is said to whoever wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.limit import Kind, Limit, Window
from proxy.limits.rule import parse, shown

WINDOWS: tuple[Window, ...] = ("second", "minute", "hour", "day", "month", "total")


@pytest.mark.parametrize(
    ("text", "kind", "amount", "window"),
    [
        ("60/min", "requests", 60, "minute"),
        ("60 requests/min", "requests", 60, "minute"),
        ("1 request / m", "requests", 1, "minute"),
        ("100k tokens/min", "tokens", 100_000, "minute"),
        ("1M input tokens/day", "input_tokens", 1_000_000, "day"),
        ("50k output tokens/hour", "output_tokens", 50_000, "hour"),
        ("$50/month", "money", 50 * 10**9, "month"),
        ("$0.5/h", "money", 5 * 10**8, "hour"),
        ("$1.5k/mo", "money", 1500 * 10**9, "month"),
        ("$1,000.25/d", "money", 1_000_250_000_000, "day"),
        ("$100 total", "money", 100 * 10**9, "total"),
        ("5k tokens total", "tokens", 5_000, "total"),
        ("7 total", "requests", 7, "total"),
        ("5 concurrent", "concurrent", 5, ""),
        ("1,000/h", "requests", 1000, "hour"),
        ("  10/s ", "requests", 10, "second"),
        ("10/sec", "requests", 10, "second"),
        ("10/second", "requests", 10, "second"),
        ("2G tokens/month", "tokens", 2 * 10**9, "month"),
        ("1.001k/d", "requests", 1001, "day"),
    ],
)
def test_what_is_written_means(text: str, kind: Kind, amount: int, window: Window) -> None:
    assert parse(text) == Limit(kind, amount, window, text.strip())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not a limit; write it like 60/min, "),
        ("often", "'often' is not a limit; write it like 60/min, "),
        ("-5/min", "is not a limit"),
        ("1,00/min", "is not a limit"),
        ("9" * 5000, "is not a limit"),
        ("1 " + "a" * 5000, "is not a limit"),
        ("60", "does not say for how long; write it like 60/min, "),
        ("$5", "does not say for how long"),
        ("60/minutes", r"'minutes' is no time \(did you mean minute\?\): s min h day month"),
        ("60/fortnight", "'fortnight' is no time"),
        ("60 tokns/min", r"'tokns' cannot be limited \(did you mean tokens\?\); write it like 60/min, "),
        ("$5 tokens/min", r"is money and tokens at once; write it like \$50/month"),
        ("5 concurrent/min", "what is concurrent has no time; write it like 5 concurrent"),
        ("5 concurrent total", "what is concurrent has no time"),
        ("1.5/min", "is not a whole number; write it like 60/min, "),
        ("1.0005k/min", "is not a whole number"),
        ("0/min", "a limit is more than nothing"),
        ("$0/day", "a limit is more than nothing"),
        ("2000000G/day", "less than 1,000,000,000,000,000"),
        ("$1G/day", r"less than \$1G"),
    ],
)
def test_what_is_wrong_is_said_in_a_short_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as wrong:
        parse(text)
    assert len(str(wrong.value)) < 300


def _limits() -> st.SearchStrategy[Limit]:
    counted = st.builds(
        Limit,
        st.sampled_from(("requests", "tokens", "input_tokens", "output_tokens")),
        st.integers(1, 10**15),
        st.sampled_from(WINDOWS),
    )
    money = st.builds(Limit, st.just("money"), st.integers(1, 10**18 - 1), st.sampled_from(WINDOWS))
    return counted | money | st.builds(Limit, st.just("concurrent"), st.integers(1, 10**15), st.just(""))


@given(_limits())
def test_what_is_shown_is_read_as_the_same(limit: Limit) -> None:
    """And what is read from that is shown as that."""
    again = parse(shown(limit))
    assert (again.kind, again.amount, again.window) == (limit.kind, limit.amount, limit.window)
    assert again.text == shown(again) == shown(limit)
