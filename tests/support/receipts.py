"""Requests that have ended, for tests of receipts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from proxy.errors import Header
from proxy.exchange import Attempt, Exchange, Identity
from proxy.ledger.row import Row
from proxy.stream import Outcome
from proxy.telemetry.receipts import Receipts
from tests.support.compiled import make_exchange
from tests.support.limits import Spent

END = 1_800_000_000.0  # seconds since the epoch


def row(**more: Any) -> Row:
    """A row of the ledger that is settled."""
    known: dict[str, Any] = {
        "status": "ok",
        "input": 9,
        "output": 14,
        "cost": 1_500,
        "price": "v1",
        "source": "reported",
    }
    return Row("att_1", "req_1", 1, 1, **(known | more))


def charged(found: Row, *, settled: bool = True) -> Spent:
    """What an attempt with this row costs."""
    charge = Spent(found.input, found.output, found.cost)
    charge.row, charge.is_settled = found, settled
    return charge


def finished(
    id: str = "req_1",
    *,
    route: str = "chat",
    model: str = "fast",
    who: tuple[str, str, str] | None = None,
    attempts: Sequence[Attempt] | None = None,
    headers: Sequence[Header] = (),
    path: str = "/v1/chat/completions",
) -> Exchange:
    """A request that was answered by ``up/fast``."""
    x = make_exchange(path, headers=headers)
    x.request_id, x.route, x.model, x.generation, x.overhead = id, route, model, 3, 0.0005
    x.identity = None if who is None else Identity(*who)
    if attempts is None:
        one = Attempt("up/fast", x.received + 0.001)
        one.outcome, one.status, one.duration, one.charge = "ok", 200, 0.02, charged(row())
        attempts = [one]
    x.attempts = list(attempts)
    x.sent = [(b"x-sluicegate-target", b"up/fast"), (b"x-served-by", b"somebody")]
    return x


def outcome(x: Exchange, status: int = 200, code: str | None = None, *, complete: bool = True) -> Outcome:
    """Of an answer whose first byte came after 25 milliseconds."""
    found = Outcome(status, code)
    found.complete, found.bytes_sent, found.first_byte = complete, 120, x.received + 0.025
    return found


def add(receipts: Receipts, id: str = "req_1", status: int = 200, **more: Any) -> Exchange:
    """One more that has ended."""
    x = finished(id, **more)
    receipts.add(x, outcome(x, status), None, 0.03)
    return x


def shown_as_json(id: str = "req_1", x: Exchange | None = None) -> dict[str, Any]:
    """A receipt as it is told."""
    receipts = Receipts(clock=lambda: END)
    x = x or finished(id)
    receipts.add(x, outcome(x), None, 0.03)
    one = receipts.find(id)
    assert one is not None
    found: dict[str, Any] = json.loads(receipts.write(one, bodies=True))
    return found
