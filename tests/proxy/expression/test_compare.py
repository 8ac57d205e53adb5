"""One comparison."""

from __future__ import annotations

import time

import pytest

from proxy.choosing.capability import Needs
from proxy.exchange import Exchange
from proxy.expression.parse import parse
from proxy.expression.tokens import ExpressionError
from proxy.expression.values import Sources

SOURCES = Sources(lambda x: x.needs or Needs(), time.time, (), None)


def _holds(text: str, model: str = "gpt-4o-mini", tokens: int = 100) -> bool:
    x = Exchange("req_test", "POST", "/v1/chat/completions", b"", [], 0.0, 0)
    x.model, x.needs = model, Needs(0, tokens)
    return parse(text, SOURCES).test(x)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("input_tokens < 100", False), ("input_tokens <= 100", True), ("input_tokens > 100", False),
        ("input_tokens >= 100", True), ("input_tokens == 100", True), ("input_tokens != 100", False),
        ("100 < input_tokens", False), ("100 <= input_tokens", True), ("100 > input_tokens", False),
        ("50 < input_tokens <= 0.1k", True), ("100 < input_tokens < 1M", False),
        ("input_tokens in [99, 100]", True), ("input_tokens not in [99, 100]", False),
        ("model == 'gpt-4o-mini'", True), ("'gpt-4o-mini' == model", True), ("model != 'gpt-4o-mini'", False),
        ("model == 'GPT-4O-MINI'", False), ("model in ['a', 'gpt-4o-mini']", True), ("model in ['gpt-4o']", False),
        ("model like 'gpt-4o*'", True), ("model like '*mini'", True), ("model like 'gpt-?o-*'", True),
        ("model like 'gpt-?'", False), ("model like 'GPT*'", False), ("model not like 'gpt-4o*'", False),
        ("model like ['claude*', 'gpt*']", True), ("model == 'gpt*'", False),
    ],
)  # fmt: skip
def test_comparisons(text: str, holds: bool) -> None:
    """As they are written; texts have a case, ``==`` knows no patterns."""
    assert _holds(text) is holds


def test_brackets_in_a_pattern_are_themselves() -> None:
    """Only ``*`` and ``?`` stand for others."""
    assert _holds("model like 'a[bc]*'", model="a[bc]d")
    assert not _holds("model like 'a[bc]*'", model="abd")


def test_a_pattern_does_not_go_back() -> None:
    """A hostile text of a hundred thousand characters against the worst pattern ends at once."""
    assert not _holds("model like '*a*a*a*a*a*a*a*a*b'", model="a" * 100_000)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model > 'a'", "it has `==`, `!=`, `in` and `like`"),
        ("stream < true", "it has `==` and `!=`"),
        ("model == 5", "compared with a text in quotes"),
        ("input_tokens == 'many'", "compared with a number such as 100k"),
        ("time > 5", "compared with a time such as 08:00"),
        ("model in ['a', 5]", "at character 16, `5]`: `model` is compared with a text in quotes"),
        ("input_tokens like '5*'", "compared with a number"),
        ("model like 'gpt'", "without `*` or `?` write `==`"),
        ("model like '***********'", "10 `*`"),
        ("tier == 'premum'", "never 'premum'; did you mean 'premium'?"),
        ("tier like 'gold*'", "never like this; it is one of: basic, enterprise, free, premium"),
        ("weekday in ['sat', 'sunday']", "did you mean 'sun'?"),
        ("endpoint == 'mesages'", "did you mean 'messages'?"),
        ("tenant == 'acme'", "`tenant` is never 'acme'"),
    ],
)
def test_what_cannot_be_compared(text: str, says: str) -> None:
    """Is said while compiling, with what can."""
    with pytest.raises(ExpressionError) as caught:
        parse(text, SOURCES)
    assert says in str(caught.value)
