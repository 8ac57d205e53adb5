"""What operators see of a target, and what they can do to it."""

from __future__ import annotations

import pytest

from proxy.admin.targets import act, clock, health_of, table, target, targets
from proxy.choosing.health import Rules
from proxy.errors import RateLimited, Unavailable
from proxy.router import Router
from tests.support.compiled import Canned, make_rule

NOW, WALL = 1000.0, 1_780_000_000.0
NAME = "up/gpt-4o"


def _router() -> Router:
    return Router([make_rule(Canned()), make_rule(Canned(), name="other", models=("other",), model="meta/llama")])


def test_a_target_that_nobody_has_asked() -> None:
    """Nothing stands in the way, and nothing is known."""
    first, second = targets(_router(), NOW, WALL)
    assert (first.name, first.provider, first.model, first.routes) == (NAME, "up", "gpt-4o", ("chat",))
    assert (second.provider, second.model, second.routes) == ("up", "meta/llama", ("other",))
    assert (first.state, first.seconds, first.last_failure, first.ejections) == ("closed", None, None, 0)
    assert (first.first_token_ms.average, first.first_token_ms.p50, first.first_token_ms.p95) == (None, None, None)
    assert (first.per_token_ms, first.headroom, first.in_flight) == (None, None, 0)


def test_what_health_knows_is_shown() -> None:
    """Latencies, requests under way, the last failure, ejections."""
    router = _router()
    health = health_of(router, NAME)
    assert health is not None
    for seconds in (0.1, 0.2, 0.3):
        health.answered(NOW, seconds, Rules())
    health.per_token.observe(0.02, NOW)
    health.begin()
    for _ in range(5):
        health.failed(NOW, Unavailable("gone"), Rules())
    found = target(router, NAME, NOW + 10, WALL)
    assert found is not None
    assert (found.state, found.seconds, found.ejections, found.last_failure) == ("open", 20.0, 1, "unavailable")
    assert (found.first_token_ms.p50, found.first_token_ms.p95, found.first_token_ms.average) == (200.0, 300.0, 300.0)
    assert (found.per_token_ms, found.in_flight) == (20.0, 1)
    later = target(router, NAME, NOW + 31, WALL)
    assert later is not None
    assert (later.state, later.seconds) == ("half_open", 0.0)


def test_the_check_of_its_account_is_shown() -> None:
    """With each target of the account, in the table as well; nothing where nobody asked for one."""
    router = _router()
    assert [one.check for one in targets(router, NOW, WALL)] == [None, None]
    failing = targets(router, NOW, WALL, {"up": "failing", "other": "ok"})
    assert [one.check for one in failing] == ["failing", "failing"]
    assert "failing" in table(failing).splitlines()[1]
    found = target(router, NAME, NOW, WALL, {"up": "ok"})
    assert found is not None
    assert found.check == "ok"


def test_a_limit_is_shown() -> None:
    """As the provider told it, and what is left grows."""
    router = _router()
    health = health_of(router, NAME)
    assert health is not None
    health.failed(NOW, RateLimited("slowly", retry_after=7.0), Rules())
    kinds = (b"limit", b"100"), (b"remaining", b"20"), (b"reset", b"10s")
    health.told, health.told_at = [(b"x-ratelimit-" + kind + b"-tokens", value) for kind, value in kinds], NOW
    first, later = (target(router, NAME, NOW + passed, WALL + passed) for passed in (0, 5))
    assert first is not None
    assert later is not None
    assert (first.state, first.seconds, first.headroom) == ("limited", 7.0, 0.2)
    assert later.headroom == pytest.approx(0.6)
    health.told = [(b"x-ratelimit-limit-tokens", b"nonsense")]
    unread = target(router, NAME, NOW, WALL)
    assert unread is not None
    assert unread.headroom is None


def test_drained_ejected_restored() -> None:
    """Each at once; a restored target is as good as new."""
    health = health_of(_router(), NAME)
    assert health is not None
    act(health, "drain", 60.0, NOW)
    assert (health.state(NOW + 59), health.state(NOW + 60)) == ("drained", "closed")
    act(health, "restore", 0.0, NOW)
    act(health, "eject", 60.0, NOW)
    assert (health.state(NOW + 59), health.state(NOW + 60)) == ("open", "half_open")
    act(health, "restore", 0.0, NOW)
    assert (health.state(NOW), health.wait(NOW), health.usable(NOW)) == ("closed", 0.0, True)


def test_one_target_of_two_routes_stands_once() -> None:
    """With both names; an unknown one is nowhere."""
    rule = make_rule(Canned())
    again = type(rule)("again", ("again",), (), (), (), rule.pipeline)
    router = Router([rule, again])
    (found,) = targets(router, *clock())
    assert found.routes == ("chat", "again")
    assert target(router, "up/none", NOW, WALL) is None
    assert health_of(router, "up/none") is None


def test_the_table_is_aligned() -> None:
    """Every column begins at one place in all lines."""
    lines = table(targets(_router(), NOW, WALL)).splitlines()
    assert len(lines) == 3
    assert {line.index(word) for line, word in zip(lines, ("STATE", "closed", "closed"), strict=True)} == {15}
    assert {line.index(word) for line, word in zip(lines, ("ROUTES", "chat", "other"), strict=True)} == {
        lines[0].index("ROUTES")
    }
