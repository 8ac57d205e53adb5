"""The rendered refusal."""

from __future__ import annotations

import json
from random import Random

import pytest

from proxy.admission.refusals import LONGEST_WAIT, Refusals


@pytest.mark.parametrize(
    ("path", "status", "where"),
    [
        ("/v1/chat/completions", 503, ("error", "code")),
        ("/v1/messages", 529, ("error", "code")),
        ("/v1beta/models/m:generateContent", 503, ("error", "details", 0, "reason")),
    ],
)
def test_each_dialect_reads_its_own_error(path: str, status: int, where: tuple[str | int, ...]) -> None:
    """Status and code stand where the caller's client looks for them."""
    turned = Refusals(Random(1)).of(path, 1.0)
    assert turned.status == status
    assert turned.before.startswith(b"HTTP/1.1 %d " % status)
    head, _, body = turned.staying.partition(b"\r\n\r\n")
    assert b"x-should-retry: true" in head
    found = json.loads(body)
    for step in where:
        found = found[step]
    assert found == "gateway_overloaded"


def test_callers_are_asked_to_come_back_at_different_times() -> None:
    """Between the estimate and twice as long, and never later than the longest."""
    refusals = Refusals(Random(1))
    waits = {int(refusals.of("/v1/x", 5.0).staying.split(b"retry-after: ")[1].split(b"\r\n")[0]) for _ in range(200)}
    assert min(waits) == 5
    assert max(waits) == 10
    assert len(waits) == 6
    assert b"retry-after: %d\r\n" % LONGEST_WAIT in refusals.of("/v1/x", 1e9).staying
