"""Headers travel only where they are let."""

from __future__ import annotations

from typing import Any

import pytest

from policies.context.headers import Headers, HeadersConfig, RequestHeaders, ResponseHeaders
from proxy.policy import Answer
from proxy.units import Secret


def test_request_headers_are_passed_set_and_removed(context: Any, exchange: Any) -> None:
    """By lower-case name; a set header replaces what was there."""
    request = RequestHeaders(set={"X-Team": Secret("search")}, remove=("openai-beta",), pass_=("X-Trace",))
    policy = Headers.compile(HeadersConfig(request=request), context)
    x = exchange([(b"x-trace", b"1"), (b"x-team", b"forged"), (b"x-other", b"2")])
    x.forward = [(b"accept", b"*/*"), (b"openai-beta", b"x")]
    policy.on_request(x)
    assert x.forward == [(b"accept", b"*/*"), (b"x-trace", b"1"), (b"x-team", b"search")]
    assert context.problems == []
    assert "search" not in policy.explain(x)
    assert x.secrets == (b"search",)


def test_response_headers_are_set_and_removed(context: Any, exchange: Any) -> None:
    """On whatever answer leaves."""
    policy = Headers.compile(
        HeadersConfig(response=ResponseHeaders(set={"x-env": "dev"}, remove=("openai-version",))), context
    )
    answer = Answer(200, [(b"openai-version", b"1"), (b"content-type", b"application/json")], body=b"{}")
    policy.on_response(exchange(), answer)
    assert answer.headers == [(b"content-type", b"application/json"), (b"x-env", b"dev")]


@pytest.mark.parametrize(
    "name", ["Authorization", "host", "content-length", "x-sluicegate-target", "bad name", "", "x:y"]
)
def test_headers_that_are_not_the_users_to_set_are_problems(name: str, context: Any) -> None:
    """Framing, credentials and the gateway's own word."""
    Headers.compile(HeadersConfig(request=RequestHeaders(set={name: Secret("v")}, pass_=(name,))), context)
    assert [at for at, _ in context.problems] == [f"request.set.{name}", "request.pass[0]"]


def test_a_value_with_a_line_break_is_a_problem(context: Any) -> None:
    """Header injection by the file is a mistake too; the value is not repeated."""
    Headers.compile(HeadersConfig(response=ResponseHeaders(set={"x-a": "1\r\nx-b: 2"})), context)
    assert context.problems == [("response.set.x-a", "a header value holds printable ASCII only")]
