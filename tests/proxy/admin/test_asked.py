"""The parts of a request, within their bounds."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.admin.asked import MAX_BODY, Asked, read_number, read_object
from proxy.admin.roles import Operator
from proxy.errors import BadRequest, GatewayError
from proxy.keys.audit import Actor
from tests.support.admin import Lines
from tests.support.compiled import Canned, make_rule, make_runtime


def _asked(query: bytes = b"", parts: tuple[bytes, ...] = (b"",)) -> Asked:
    left = list(parts)

    async def receive() -> dict[str, Any]:
        return {"body": left.pop(0), "more_body": bool(left)}

    operator = Operator("ada", "admin")
    return Asked(make_runtime(make_rule(Canned())), operator, "", query, [], receive, Lines())


def test_fields_of_the_query() -> None:
    """Each once, and none that is unknown: a filter that is spelled wrong must not be taken for none."""
    assert _asked(b"a=1&b=").texts(("a", "b")) == {"a": "1", "b": ""}
    for query, param in ((b"c=1", "c"), (b"a=1&a=2", "a"), (b"&".join([b"a=1"] * 40), None)):
        with pytest.raises(BadRequest) as caught:
            _asked(query).texts(("a", "b"))
        assert caught.value.param == param


async def test_a_body_comes_in_parts() -> None:
    """Up to the bound."""
    assert await _asked(parts=(b"a", b"b")).body() == b"ab"
    assert len(await _asked(parts=(b"a" * MAX_BODY,)).body()) == MAX_BODY
    with pytest.raises(BadRequest) as caught:
        await _asked(parts=(b"a" * MAX_BODY, b"b", b"c")).body()
    assert caught.value.http_status == 413


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{", b"[" * 10_000, b"1"])
def test_a_body_that_is_no_object(body: bytes) -> None:
    """Its sender is shown one."""
    with pytest.raises(BadRequest, match=r'like \{"a": 1\}'):
        read_object(body, '{"a": 1}')


def test_numbers() -> None:
    """Within bounds, in ASCII."""
    assert read_number("10", "limit", 1, 10) == 10
    for text in ("0", "11", "", "-1", "1.0", "٣", "9" * 5000):
        with pytest.raises(BadRequest) as caught:
            read_number(text, "limit", 1, 10)
        assert caught.value.param == "limit"


def test_without_a_desk_there_are_no_keys() -> None:
    """Said so."""
    asked = _asked()
    assert asked.actor == Actor("ada", "admin")
    with pytest.raises(GatewayError) as caught:
        _ = asked.desk
    assert caught.value.error_code == "keys_disabled"
