"""Requests of the past through another file."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from proxy.ledger.row import Row
from proxy.rehearsal.backtest import backtest, by_request
from proxy.rehearsal.differences import Differences, Move, Refusal, Sum
from tests.support.cases import compile_of
from tests.support.config import written

HASH = hashlib.sha256(b"sk-caller").hexdigest()
CONFIG = f"""
providers:
  big: {{kind: simulated, models: {{"*": {{price: {{input: $2, output: $10}}}}}}}}
  small: {{kind: simulated, models: {{"*": {{price: {{input: $1, output: $5}}}}}}}}
tenants:
  acme:
    teams:
      search: {{keys: {{web: {{hash: "sha256:{HASH}", limits: [2/min]}}}}}}
      support: {{models: [other]}}
routes:
  chat:
    models: [fast]
    policies: [authenticate, allow_models, tags: {{accept: [user]}}, quota]
    target:
      when:
        - {{if: "tags.user == 'ada'", target: small/ada}}
        - else: {{fallback: [big/one, small/two]}}
  other:
    models: [other]
    policies: [authenticate, allow_models, quota]
    target: small/other
"""
MINUTE = 60_000_000
START = 1_780_315_200_000_000
_numbers = iter(range(10_000))


def row(minutes: float = 0, **more: object) -> Row:
    """A request that went well, of 1000 and 100 tokens."""
    number = next(_numbers)
    fields = {
        "request": f"r{number}", "number": 1, "status": "ok", "organisation": "acme", "team": "search", "key": "web",
        "asked": "fast", "provider": "big", "model": "one", "input": 1000, "output": 100, "cost": 3_000_000,
    }  # fmt: skip
    opened = START + int(minutes * MINUTE)
    return Row(**{"id": f"a{number}", "opened": opened, "settled": opened, **fields, **more})  # type: ignore[arg-type]


def differences(folder: Path, *rows: Row, config: str = CONFIG) -> Differences:
    """What the file changes."""
    found = Differences()
    backtest(compile_of(written(folder, config), {}), rows, found)
    return found


def test_attempts_are_put_together_in_the_order_of_requests() -> None:
    rows = [row(request=name) for name in ("a", "b", "a", "c", "b")]
    assert [[one.request for one in found] for found in by_request(rows)] == [["a", "a"], ["b", "b"], ["c"]]


def test_who_would_have_been_asked_and_what_it_would_cost(tmp_path: Path) -> None:
    """By the tags and tokens of then, and the prices of the file."""
    found = differences(tmp_path, row(), row(2, user="ada"), row(4, provider="old", model="x", cost=9))
    assert (found.requests, found.same, found.refused) == (3, 1, {})
    assert found.moved == {
        Move("big/one", "small/ada"): Sum(1, 3_000_000, 1_500_000),
        Move("old/x", "big/one"): Sum(1, 9, 3_000_000),
    }
    assert found.total == Sum(0, 6_000_009, 7_500_000)
    assert found.unjudged == {"target `when`: what was said": 3}


def test_limits_are_counted_on_the_clock_of_then(tmp_path: Path) -> None:
    """The third within a minute is refused, the one after it is not."""
    found = differences(tmp_path, row(0), row(0.1), row(0.2), row(1.5))
    assert found.same == 3
    ((refusal, one),) = found.refused.items()
    assert (refusal.by, refusal.code) == ("quota", "rate_limited")
    assert refusal.rule == "over 2/min of key acme/search/web: rejected"
    assert one == Sum(1, 3_000_000, 0)


def test_who_may_not_ask_is_refused(tmp_path: Path) -> None:
    """Somebody unknown, a model that is not theirs, a model that no route answers."""
    stranger, other = row(organisation="nobody"), row(team="support", key="gone")
    found = differences(tmp_path, stranger, other, row(asked="unknown"))
    assert set(found.refused) == {
        Refusal("authenticate", "invalid_api_key", ""),
        Refusal("allow_models", "model_not_allowed", ""),
        Refusal("", "model_not_found", ""),
    }


def test_what_failed_then_fails_again(tmp_path: Path) -> None:
    """Once for each time; no failure keeps a target from those who come after."""
    began = time.monotonic()
    rows = []
    for at in range(20):
        failed = row(at, status="error", reason="overloaded", cost=0)
        rows += [failed, row(at, request=failed.request, number=2, provider="small", model="two")]
    rows += [row(30), (lost := row(40, status="error", reason="content_refused", cost=0))]
    found = differences(tmp_path, *rows)
    assert (found.requests, found.same, found.failed, found.moved) == (22, 21, 1, {})
    assert lost.cost == 0
    assert time.monotonic() - began < 60


def test_copies_count_as_money_and_not_as_requests(tmp_path: Path) -> None:
    first = row()
    found = differences(tmp_path, first, row(request=first.request, variant="mirror", provider="old", cost=1))
    assert (found.requests, found.rows, found.same, found.total.before) == (1, 2, 1, 3_000_001)
