"""``sluicegate replay --ledger``: its report as text and as data."""

from __future__ import annotations

from proxy.commands.backtest import as_data, as_text
from proxy.ledger.row import Row
from proxy.ledger.shown import Style
from proxy.rehearsal.differences import Differences, Told

ROW = Row("a", "r", 1, 1, 2, "ok", organisation="acme", team="search", provider="openai", model="large", cost=10**9)
TOLD = Told("chat", "sim/small", "", "", "", 5 * 10**8, False, ("target `when`: what was said",))


def _found() -> Differences:
    found = Differences()
    for _ in range(3):
        found.was(ROW)
        found.add([ROW], TOLD)
    who = {"organisation": "acme", "team": "search"}
    found.would_be(Row("b", "r", 1, 1, provider="sim", model="small", cost=5 * 10**8, **who))  # type: ignore[arg-type]
    found.would_be(Row("c", "r", 1, 1, provider="sim", model="\x1bnew", flags="unpriced"))
    found.was(ROW)
    found.add([ROW], TOLD._replace(code="rate_limited", refused_by="quota", rule="over 60/min"))
    return found


def test_a_report_for_people() -> None:
    """What went elsewhere, who was refused, what it costs, and what cannot be known; no colour, nothing that moves."""
    lines = as_text(_found(), [10**15, 2 * 10**15], 2.0, Style()).splitlines()
    assert lines[0] == "4 requests, 2001-09-09 01:46 to 2033-05-18 03:33 UTC"
    assert lines[1] == "0 (0.0%) would have been answered by the same target"
    assert "openai/large  sim/small         3   $3.00  $1.50  -50.0%" in lines
    assert "quota   rate_limited  over 60/min         1      $1.00" in lines
    assert "acme/search   $4.00  $0.5000  -87.5%" in lines
    assert "cost: $4.00 then, $0.5000 now (-87.5%)" in lines
    assert "not judged: target `when`: what was said (4 requests)" in lines
    assert "no price is known: sim/?new (1)" in lines
    assert lines[-1] == "2.0 s, 2 requests a second; nobody was called"


def test_the_same_as_data() -> None:
    found = as_data(_found(), [1, 2], 2.0)
    assert found["elsewhere"] == [
        {"from": "openai/large", "to": "sim/small", "requests": 3, "before": "3.000000000", "after": "1.500000000"}
    ]
    assert found["refused"][0]["by"] == "quota"
    assert found["cost"] == {"before": "4.000000000", "after": "0.500000000"}
    assert found["not_judged"] == {"target `when`: what was said": 4}


def test_no_requests() -> None:
    assert as_text(Differences(), [0, 0], 0.0, Style()) == "no requests in that time"
