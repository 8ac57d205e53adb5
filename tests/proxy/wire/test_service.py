"""Services that guards ask: where they may be, what they are sent, and that only an answer is one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from proxy.guarding.service import ServiceFailed
from proxy.upstream import Upstream
from proxy.wire.service import HttpService, address
from tests.support.guardian import HANGS, Guardian


@pytest.fixture(scope="module")
def guardian() -> Iterator[Guardian]:
    """A real server."""
    made = Guardian()
    yield made
    made.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """Connections of this test."""
    made = Upstream(max_connections=4)
    yield made
    await made.aclose()


async def test_an_answer(guardian: Guardian, upstream: Upstream) -> None:
    guardian.reset()
    service = HttpService(address(guardian.url), None, 30.0, upstream)
    assert json.loads(await service.ask("q1", b'{"a":1}')) == {"verdict": "pass"}
    ((headers, body),) = guardian.got
    assert body == b'{"a":1}'
    assert headers["content-type"] == "application/json"
    assert "webhook-signature" not in headers


async def test_a_signed_question(guardian: Guardian, upstream: Upstream) -> None:
    guardian.reset()
    await HttpService(address(guardian.url), b"k" * 32, 30.0, upstream).ask("q1", b"{}")
    ((headers, _),) = guardian.got
    assert headers["webhook-id"] == "q1"
    assert headers["webhook-signature"].startswith("v1,")


@pytest.mark.parametrize(
    ("status", "says", "patience", "why"),
    [
        (503, {}, 30.0, "."),
        (302, {}, 30.0, "."),
        (200, b"<html>", 30.0, "bad_upstream_answer"),
        (200, {"x": "y" * 300_000}, 30.0, "more than 256 KiB"),
        (200, HANGS, 0.05, "."),
    ],
)
async def test_no_answer(
    status: int, says: Any, patience: float, why: str, guardian: Guardian, upstream: Upstream
) -> None:
    guardian.reset()
    guardian.status, guardian.says = status, says
    with pytest.raises(ServiceFailed, match=why):
        await HttpService(address(guardian.url), None, patience, upstream).ask("q1", b"{}")


async def test_nobody_is_there(upstream: Upstream) -> None:
    with pytest.raises(ServiceFailed, match="upstream_unavailable"):
        await HttpService(address("http://127.0.0.1:1/"), None, 30.0, upstream).ask("q1", b"{}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("guard.example/check", "write it like"),
        ("ftp://guard.example/", "write it like"),
        ("http:///check", "write it like"),
        ("https://user:word@guard.example/", "no user, no password"),
        ("https://guard.example/#x", "no fragment"),
    ],
)
def test_where_no_service_can_be(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        address(text)
