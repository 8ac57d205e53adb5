"""What is added up over requests."""

from __future__ import annotations

from msgspec.structs import replace

from proxy.ledger.row import Row
from proxy.rehearsal.differences import Differences, Move, Refusal, Sum, Told, is_beside, largest

ROW = Row("a", "r", 1, 1, 2, "ok", organisation="acme", team="search", provider="openai", model="large", cost=100)
TOLD = Told("chat", "openai/large", "", "", "", 100, False, ())


def test_the_same_target_another_and_none() -> None:
    found = Differences()
    found.add([ROW], TOLD)
    found.add([ROW], TOLD._replace(target="sim/small", cost=7, unjudged=("`when`",)))
    found.add([ROW], TOLD._replace(target="sim/small", cost=8, unjudged=("`when`",)))
    found.add([ROW], TOLD._replace(target="", code="rate_limited", refused_by="quota", rule="60/min", cost=0))
    assert (found.requests, found.same) == (4, 1)
    assert found.moved == {Move("openai/large", "sim/small"): Sum(2, 200, 15)}
    assert found.refused == {Refusal("quota", "rate_limited", "60/min"): Sum(1, 100, 0)}
    assert found.unjudged == {"`when`": 2}


def test_what_failed_then_and_fails_again_is_no_difference() -> None:
    """Unless a policy refuses it, or there is no route."""
    failed = replace(ROW, status="error", reason="overloaded", cost=0)
    found = Differences()
    found.add([failed], TOLD._replace(target="", code="upstream_overloaded"))
    found.add([failed], TOLD._replace(target="", code="model_not_found", route=""))
    assert (found.failed, len(found.refused)) == (1, 1)
    found.add([failed, ROW], TOLD)
    assert found.same == 1


def test_money_is_that_of_all_attempts() -> None:
    found = Differences()
    found.was(ROW)
    found.was(replace(ROW, provider="sim", team="", organisation="", cost=5))
    found.would_be(replace(ROW, model="small", cost=20, flags="unpriced"))
    assert found.total == Sum(0, 105, 20)
    assert found.teams == {"acme/search": Sum(0, 100, 20), "-": Sum(0, 5, 0)}
    assert [name for name, _ in largest(found.models)] == ["openai/large", "openai/small", "sim/large"]
    assert found.unpriced == {"openai/small": 1}


def test_a_copy_is_beside_its_request() -> None:
    assert is_beside(replace(ROW, variant="mirror"))
    assert is_beside(replace(ROW, flags="clamped mirror"))
    assert not is_beside(ROW)
