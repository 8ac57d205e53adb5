"""Every key of `expect`, met and missed, and the same under `not`."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from proxy.rehearsal.cases import Expectation, Text
from proxy.rehearsal.play import Got
from proxy.rehearsal.verdict import judge
from proxy.units import Money

GOT = Got(
    route="chat",
    target="azure/gpt-4o",
    attempts=(("openai/gpt-4o", "rate_limited"), ("azure/gpt-4o", "ok")),
    status=200,
    code="",
    refused_by="",
    message="",
    policies=("authenticate", "quota"),
    headers=(("x-request-id", "req_1"), ("retry-after", "20")),
    answer=b'{"choices": [{"message": {"content": "Paris \\u2013 \\"city\\""}}]}',
    sent=b'{"model": "gpt-4o", "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]}',
    cost=270_000,
    dropped=("seed", "user"),
    degraded="rate_limited",
)
REFUSED = replace(
    GOT, status=429, code="rate_limited", refused_by="quota", message="Over 60/min.", sent=None, target="", attempts=()
)
MET: list[tuple[dict[str, Any], Got]] = [
    ({"route": "chat"}, GOT),
    ({"target": "azure/gpt-4o"}, GOT),
    ({"target": "none"}, REFUSED),
    ({"status": 200}, GOT),
    ({"refusal": "none"}, GOT),
    ({"refusal": "rate_limited", "refused_by": "quota"}, REFUSED),
    ({"message": ("Over", "60/min")}, REFUSED),
    ({"attempts": ("openai/gpt-4o", {"azure/gpt-4o": "ok"})}, GOT),
    ({"attempts": ()}, REFUSED),
    ({"policies": ("authenticate", "quota")}, GOT),
    ({"headers": {"Retry-After": "2?", "x-request-id": "*"}}, GOT),
    ({"body": Text(contains="gpt", lacks=("x@y.z",), at={"messages[-1].content": "b", "model": "gpt-4o"})}, GOT),
    ({"answer": Text(contains='Paris – "city"')}, GOT),
    ({"cost": Money(270_000)}, GOT),
    ({"dropped": ("user", "seed")}, GOT),
    ({"degraded": "rate_limited"}, GOT),
]
MISSED: list[tuple[dict[str, Any], Got, list[tuple[str, str, str]]]] = [
    ({"route": "other"}, GOT, [("route", "other", "chat")]),
    ({"target": "none"}, GOT, [("target", "none", "azure/gpt-4o")]),
    ({"status": 429}, GOT, [("status", "429", "200")]),
    ({"refusal": "rate_limited"}, GOT, [("refusal", "rate_limited", "none")]),
    ({"message": "Under"}, REFUSED, [("message", 'contains "Under"', "Over 60/min.")]),
    (
        {"attempts": ("openai/gpt-4o",)},
        GOT,
        [("attempts", "[openai/gpt-4o]", "[openai/gpt-4o: rate_limited, azure/gpt-4o: ok]")],
    ),
    (
        {"attempts": ({"openai/gpt-4o": "timeout"}, "azure/gpt-4o")},
        GOT,
        [("attempts", "[openai/gpt-4o: timeout, azure/gpt-4o]", "[openai/gpt-4o: rate_limited, azure/gpt-4o: ok]")],
    ),
    ({"policies": ("quota",)}, GOT, [("policies", "[quota]", "[authenticate, quota]")]),
    (
        {"headers": {"retry-after": "3*", "x-none": "*"}},
        GOT,
        [("headers.retry-after", "3*", "20"), ("headers.x-none", "*", "none")],
    ),
    (
        {"body": Text(at={"messages[7].role": "user", "model": 5})},
        GOT,
        [("body at messages[7].role", "user", "none"), ("body at model", "5", "gpt-4o")],
    ),
    ({"body": Text(contains="x")}, REFUSED, [("body", 'contains "x"', "none")]),
    ({"cost": Money(1)}, GOT, [("cost", "$0.000000001", "$0.000270000")]),
    ({"dropped": ()}, GOT, [("dropped", "[]", "[seed, user]")]),
    ({"degraded": "none"}, GOT, [("degraded", "none", "rate_limited")]),
]


@pytest.mark.parametrize(("expect", "got"), MET)
def test_what_is_as_expected(expect: dict[str, Any], got: Got) -> None:
    """And the same must fail where it is forbidden."""
    assert judge(Expectation(**expect), got) == []
    forbidden = judge(Expectation(forbidden=Expectation(**expect)), got)
    assert forbidden
    assert all(one.expected.startswith("not ") for one in forbidden)


@pytest.mark.parametrize(("expect", "got", "wrong"), MISSED)
def test_what_is_not(expect: dict[str, Any], got: Got, wrong: list[tuple[str, str, str]]) -> None:
    """What was expected and what was got; where it is forbidden all is well."""
    assert [(one.what, one.expected, one.got) for one in judge(Expectation(**expect), got)] == wrong
    assert judge(Expectation(forbidden=Expectation(**expect)), got) == []


def test_a_long_body_is_cut() -> None:
    (found,) = judge(Expectation(answer=Text(contains="y")), replace(GOT, answer=b"x" * 1000))
    assert found.got == f"{'x' * 200}… (1000 characters)"
