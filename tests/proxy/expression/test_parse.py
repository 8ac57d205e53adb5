"""Conditions as a whole: against Python's own reading of the same text, and with what is no condition."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from proxy.choosing.capability import NOTHING_NEEDED, TOOLS, Needs
from proxy.exchange import Exchange, Identity
from proxy.expression.parse import MAX_DEPTH, Condition, parse
from proxy.expression.tokens import ExpressionError
from proxy.expression.values import Sources

SOURCES = Sources(lambda x: x.needs or NOTHING_NEEDED, time.time, (Identity("acme", "t", "k"),), None)

_simple = st.one_of(
    st.sampled_from(["stream", "has_tools", "model == 'a'", "model != 'b'", "model in ['a', 'c']", "stream == true"]),
    st.builds(
        "input_tokens {} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.sampled_from([1, 2, 3])
    ),
    st.builds("{} < input_tokens <= {}".format, st.just(1), st.sampled_from([2, 3])),
)
_written = st.recursive(
    _simple,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=6,
)


def _request(model: str = "a", tokens: int = 0, *, stream: bool = False, tools: bool = False) -> Exchange:
    x = Exchange("req_test", "POST", "/v1/chat/completions", b"", [], 0.0, 0)
    x.model, x.stream, x.needs = model, stream, Needs(TOOLS * tools, tokens)
    return x


@seed(13)
@settings(max_examples=300, deadline=None, database=None)
@given(_written)
def test_a_condition_means_what_python_takes_it_for(text: str) -> None:
    """Also which bind closer, and that conditions which always or never hold are refused: just those are."""
    python = compile(text.replace("true", "True"), "condition", "eval")
    found = []
    for model in "abcd":
        for tokens in range(5):
            for stream in (True, False):
                for tools in (True, False):
                    names = {"model": model, "input_tokens": tokens, "stream": stream, "has_tools": tools}
                    x = _request(model, tokens, stream=stream, tools=tools)
                    found.append((bool(eval(python, {}, names)), x))
    always = {expected for expected, _ in found}
    try:
        condition = parse(text, SOURCES)
    except ExpressionError as error:
        assert len(always) == 1 or "nothing lies between" in str(error)  # noqa: PT017
    else:
        assert [condition.test(x) for _, x in found] == [expected for expected, _ in found]
        assert len(always) == 2


@seed(14)
@settings(max_examples=500, deadline=None, database=None)
@given(st.text(alphabet="astime<>=!()[]'\",.0189:/ kM\n\u00e9", max_size=60) | st.text(max_size=30))
def test_any_text_is_a_condition_or_a_sentence(text: str) -> None:
    """Never another failure."""
    try:
        assert isinstance(parse(text, SOURCES), Condition)
    except ExpressionError as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at its end: "),
        ("model", "`model` is a text and no condition; compare it"),
        ("stream stream", "at character 8, `stream`: `and`, `or` or the end was expected here"),
        ("(stream", "`)` was expected here"),
        ("model in []", "an empty list"),
        ("model in ['a' 'b']", "`,` or `]` was expected here"),
        ("model in 'a'", "`in` needs a list"),
        ("model == ['a']", "for a list there is `in`"),
        ("'a' in model", "the value stands left of `in`"),
        ("1 < 2", "this compares two constants"),
        ("model == tenant", "two values cannot be compared"),
        ("true", "this is no condition"),
        ("input_tokns > 1", "there is no value `input_tokns`; did you mean `input_tokens`?"),
        ("savings > 1", "there is no value `savings`; there are: model"),
        ("header == 'a'", "write `header.name` or `header['name']`"),
        ("header['x-a' == 'a'", "write `header.name`"),
        ("headers.cookie == 'a'", "holds a secret"),
        ("tags['Bad'] == 'a'", "is not a tag name"),
        ("22:00 <= time < 06:00", "past midnight: `time >= 22:00 or time < 06:00`"),
        ("100 < input_tokens < 50", "nothing lies between these"),
        ("time < 08:00 Europe/Berln", "there is no time zone Europe/Berln"),
        ("input_tokens < 8 Europe/Berlin", "only `time` and `weekday` have a zone"),
        ("stream and not stream", "no request can meet this condition"),
        ("stream or not stream", "every request meets this condition; write `else`"),
        ("input_tokens >= 0", "every request meets this condition"),
        ("model == 'a' and model == 'b'", "no request can meet this condition"),
        ("tenant == 'acme' or tenant == ''", "every request meets this condition"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, says: str) -> None:
    """In words, and with what was probably meant."""
    with pytest.raises(ExpressionError) as caught:
        parse(text, SOURCES)
    assert says in str(caught.value)


def test_depth_is_bounded() -> None:
    """Neither parentheses nor `not` reach the limits of Python itself."""
    for deep in ("(" * 400 + "stream" + ")" * 400, "not " * 200 + "stream"):
        with pytest.raises(ExpressionError, match=f"more than {MAX_DEPTH} levels"):
            parse(deep, SOURCES)
    assert parse("(" * (MAX_DEPTH - 1) + "stream" + ")" * (MAX_DEPTH - 1), SOURCES).test(_request(stream=True))


def test_office_hours_through_a_change_of_the_clock() -> None:
    """Eight o'clock in Berlin is 07:00 UTC on the last Friday of winter time, 06:00 UTC on the Monday after it."""
    clock = [0.0]
    sources = SOURCES._replace(now=lambda: clock[0])
    office = parse("08:00 <= time < 18:00 Europe/Berlin and weekday not in ['sat', 'sun'] Europe/Berlin", sources)

    def at(day: int, hour: int, minute: int = 0) -> bool:
        clock[0] = datetime(2027, 3, day, hour, minute, tzinfo=UTC).timestamp()
        return office.test(_request())

    assert [at(26, 6, 59), at(26, 7), at(26, 16, 59), at(26, 17)] == [False, True, True, False]
    assert [at(27, 9), at(28, 9)] == [False, False]
    assert [at(29, 5, 59), at(29, 6), at(29, 15, 59), at(29, 16)] == [False, True, True, False]


def test_it_tells_what_it_looked_at() -> None:
    """Each value once, as this request has it, and nothing that could break a terminal."""
    condition = parse("model like 'x*' or model == 'y' or input_tokens > 5 or stream", SOURCES)
    assert condition.seen(_request("a\x1b[2J", 3)) == "model = 'a?[2J', input_tokens = 3, stream = false"


def test_the_body_is_left_alone_unless_it_decides() -> None:
    """Needs are asked for only when a condition gets as far as a value of the body."""
    asked = []
    sources = SOURCES._replace(needs=lambda x: asked.append(x) or NOTHING_NEEDED)  # type: ignore[func-returns-value]
    condition = parse("model == 'a' or input_tokens > 5", sources)
    condition.test(_request("a"))
    assert not asked
    condition.test(_request("b"))
    assert len(asked) == 1
