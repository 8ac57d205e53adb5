"""The ledger of a process: at its start the past counts, at a reload only what is new does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from proxy.exchange import Identity
from proxy.keys.identities import Identities, Issued
from proxy.ledger.accounting import Accounting, Settings
from proxy.ledger.row import Row
from proxy.limits.limit import Gauge, Level, Rule
from proxy.limits.rule import parse
from proxy.runtime import Runtime
from tests.support.compiled import make_runtime
from tests.support.ledger import in_sqlite

MICRO = 1_000_000


class Limits:
    """A route's limits: these for everybody, and those of who asks."""

    def __init__(self, *texts: str, per: str = "") -> None:
        self.rules = tuple(Rule(parse(text), "route", "chat", per=per) for text in texts)

    def gauges(self, identity: Identity | None, model: str, tags: Mapping[str, str]) -> Sequence[Gauge]:
        who = "" if identity is None else identity.key or identity.team
        return tuple(self.gauge(at, who, tags.get(rule.per, "")) for at, rule in enumerate(self.rules))

    def gauge(self, at: int, who: str = "", tag: str = "") -> Gauge:
        rule = self.rules[at]
        return Gauge(f"{rule.key} {who} {tag}", rule.limit)

    def all_rules(self) -> Sequence[Rule]:
        return self.rules


def runtime(limits: Limits | None = None, before: Runtime | None = None) -> Runtime:
    """A generation with these limits; after ``before``, whose counters it shares."""
    made = make_runtime()
    made.quotas = {} if limits is None else {"chat": limits}
    made.tenants = {
        ("acme", "red", "k"): Identity("acme", "red", "k"),
        ("acme", "red", ""): Identity("acme", "red", ""),
    }
    made.identities = Identities({}, made.tenants, Issued(), lambda texts, tier, scope: ())
    if before is not None:
        made.counters, made.charges = before.counters, before.charges
    return made


def row(number: int, *, ago: float = 100.0, **more: Any) -> Row:
    """Of 10 + 5 tokens."""
    fields: dict[str, Any] = {
        "id": f"att_{number:024}",
        "request": f"req_{number}",
        "number": 1,
        "opened": int((time.time() - ago) * MICRO),
        "route": "chat",
        "status": "ok",
        "input": 10,
        "output": 5,
        "cost": 7,
    }
    return Row(**fields | more)


def written(directory: Path, *rows: Row) -> None:
    """The past."""
    sink = in_sqlite(directory / "ledger.sqlite").make()
    sink.write(rows, ())
    sink.close()


async def used(runtime: Runtime, *gauges: Gauge) -> list[int]:
    levels: list[Level] = await runtime.counters.memory.look(gauges)
    return [level.used for level in levels]


async def test_at_the_start_the_past_counts(tmp_path: Path) -> None:
    """Of routes that still are, for whom it was: a key, the team of one that is gone, or nobody."""
    limits = Limits("99/h", "999 tokens/month", "$9 total")
    written(
        tmp_path,
        row(1, organisation="acme", team="red", key="k"),
        row(2, organisation="acme", team="red", key="gone"),
        row(3),
        row(4, route="another"),
        row(5, ago=400 * 86_400),
    )
    now, accounting = runtime(limits), Accounting(tmp_path, Settings())
    accounting.start(now)
    assert await used(now, *limits.gauges(Identity("acme", "red", "k"), "", {})) == [1, 15, 7]
    assert await used(now, *limits.gauges(Identity("acme", "red", ""), "", {})) == [1, 15, 7]
    assert await used(now, *limits.gauges(None, "", {})) == [1, 15, 14]
    assert accounting.problem == ""
    await accounting.aclose()


async def test_values_of_a_tag_are_told_apart(tmp_path: Path) -> None:
    limits = Limits("99/h", per="user")
    written(tmp_path, row(1, user="zoe"), row(2, user="zoe"), row(3, user="max"), row(4))
    now, accounting = runtime(limits), Accounting(tmp_path, Settings())
    accounting.start(now)
    assert await used(now, *(limits.gauge(0, tag=user) for user in ("zoe", "max", ""))) == [2, 1, 1]
    await accounting.aclose()


async def test_what_a_dead_process_left_in_its_journal_counts_too(tmp_path: Path) -> None:
    """At its bound, where it was not settled."""
    limits = Limits("999 tokens/h")
    first = Accounting(tmp_path, Settings())
    assert first.books is not None
    first.books.open(row(1, status="open", input=0, output=0, bound_input=100, bound_output=50))
    first.books._backlog.close()  # as if killed: nothing was written
    now, accounting = runtime(limits), Accounting(tmp_path, Settings())
    accounting.start(now)
    assert await used(now, limits.gauge(0)) == [150]
    await accounting.aclose()


async def test_a_new_state_directory_has_no_past(tmp_path: Path) -> None:
    """Its database is made."""
    limits = Limits("99/h")
    now, accounting = runtime(limits), Accounting(tmp_path, Settings())
    accounting.start(now)
    assert await used(now, limits.gauge(0)) == [0]
    assert in_sqlite(tmp_path / "ledger.sqlite").select("SELECT count(*) FROM attempts") == [(0,)]
    await accounting.aclose()


async def test_a_runtime_writes_into_the_books(tmp_path: Path) -> None:
    """As the settings say of prices."""
    now, accounting = runtime(), Accounting(tmp_path, Settings(needs_price=True))
    accounting.start(now)
    assert (now.charges.ledger, now.charges.needs_price) == (accounting.books, True)
    now.charges.ledger.open(row(1, status="open"))
    now.charges.ledger.settle(row(1))
    await accounting.aclose()
    assert in_sqlite(tmp_path / "ledger.sqlite").statuses() == {row(1).id: "ok"}


async def test_a_reload_counts_the_past_of_new_limits_alone(tmp_path: Path) -> None:
    """Those that were there have counted it; also what is not in the database yet."""
    before = Limits("99/h")
    written(tmp_path, row(1), row(2))
    now, accounting = runtime(before), Accounting(tmp_path, Settings())
    accounting.start(now)
    assert accounting.books is not None
    accounting.books.open(row(3, status="open", bound_input=100, bound_output=50))
    after = Limits("50/h", "999 tokens/h")
    later = runtime(after, now)
    assert await accounting.follow(later, Settings(needs_price=True))
    assert later.charges.needs_price
    assert await used(later, after.gauge(0), after.gauge(1)) == [2, 15 + 15 + 150]
    assert await accounting.follow(runtime(after, later), Settings())
    assert await used(later, after.gauge(0), after.gauge(1)) == [2, 180]
    await accounting.aclose()


@pytest.mark.parametrize("settings", [Settings(enabled=False), Settings(url="postgresql://127.0.0.1:1/none")])
async def test_the_database_stays_as_it_was(tmp_path: Path, settings: Settings) -> None:
    """Until the next start; the rest of the settings holds at once."""
    limits = Limits("99/h")
    now, accounting = runtime(limits), Accounting(tmp_path, Settings())
    accounting.start(now)
    assert not await accounting.follow(now, settings)
    assert accounting.books is now.charges.ledger
    assert await accounting.follow(now, Settings())
    await accounting.aclose()


async def test_without_a_ledger_nothing_is_written(tmp_path: Path) -> None:
    limits = Limits("99/h")
    now, accounting = runtime(limits), Accounting(tmp_path, Settings(enabled=False, needs_price=True))
    before = now.charges.ledger
    accounting.start(now)
    assert await accounting.follow(now, Settings(enabled=False))
    assert not await accounting.follow(now, Settings())
    assert (accounting.books, now.charges.ledger, accounting.problem) == (None, before, "")
    await accounting.aclose()
    assert list(tmp_path.iterdir()) == []


async def test_a_database_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    """Limits could not be kept."""
    (tmp_path / "ledger.sqlite").write_bytes(b"no database at all" * 100)
    accounting = Accounting(tmp_path, Settings())
    with pytest.raises(Exception, match="not a database"):
        accounting.start(runtime(Limits("99/h")))
    await asyncio.wait_for(accounting.aclose(), 20)
