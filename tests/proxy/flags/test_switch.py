"""What counts: what an operator has set, before what stands in the file."""

from __future__ import annotations

import pytest

from proxy.choosing.capability import NOTHING_NEEDED
from proxy.exchange import Exchange
from proxy.expression.parse import parse
from proxy.expression.values import Sources
from proxy.flags.flag import Flag, Setting
from proxy.flags.rollout import Rollout, is_within, salt_of
from proxy.flags.switch import Switch

FAST = parse("model == 'fast'", Sources(lambda x: NOTHING_NEEDED, lambda: 0.0))


def _asked(model: str = "fast", user: str = "zoe") -> Exchange:
    x = Exchange("req_1", "POST", "/", b"", [], 0.0, 0)
    x.model, x.tags = model, {"user": user}
    return x


def _users(switch: Switch) -> set[str]:
    return {user for number in range(200) if switch.off(_asked(user=(user := f"u{number}"))) is None}


@pytest.mark.parametrize(
    ("value", "enabled", "reason"),
    [
        ("default", True, None),
        ("default", False, "off: flag x"),
        ("on", False, None),
        ("off", True, "off: flag x"),
        ("100%", False, None),
        ("0%", True, "not in the rollout (0% of requests)"),
    ],
)
def test_what_is_set_wins(value: str, enabled: bool, reason: str | None) -> None:
    x = _asked()
    switch = Switch("x", enabled=enabled, flag=Flag("x", Setting.parse(value)))
    assert switch.off(x) == reason
    assert x.notes == {"flag x": reason or "on"}


@pytest.mark.parametrize(
    ("value", "model", "reason"),
    [
        ("default", "fast", None),
        ("default", "slow", "off: `model == 'fast'` does not hold"),
        ("100%", "slow", "off: `model == 'fast'` does not hold"),
        ("on", "slow", None),
    ],
)
def test_a_condition_holds_beside_a_share_and_not_against_on(value: str, model: str, reason: str | None) -> None:
    assert Switch("x", enabled=FAST, flag=Flag("x", Setting.parse(value))).off(_asked(model)) == reason


def test_a_share_that_is_set_keeps_the_users_that_the_file_had() -> None:
    flag = Flag("x")
    switch = Switch("x", rollout=Rollout(0.1, "user"), flag=flag)
    before = _users(switch)
    assert before == {user for number in range(200) if is_within(salt_of("x"), user := f"u{number}", 0.1)}
    flag.setting = Setting.parse("40%")
    assert before < _users(switch)


def test_without_the_tag_nobody_is_in_a_share() -> None:
    x = _asked()
    x.tags = {}
    switch = Switch("x", rollout=Rollout(0.99, "user"))
    assert switch.off(x) == "not in the rollout (99% by user; the request has no user)"
    assert Switch("x", rollout=Rollout(1.0, "user")).off(x) is None


def test_without_a_name_it_says_what_stands_there() -> None:
    assert Switch("queue", enabled=False).off(_asked()) == "off: `enabled: false`"


def test_it_is_told_once_for_a_request() -> None:
    told: list[tuple[str, bool]] = []
    switch = Switch("x", enabled=FAST, tell=lambda label, is_on: told.append((label, is_on)))
    for x in (_asked(), _asked("slow")):
        assert switch.off(x) == switch.off(x)
    assert told == [("x", True), ("x", False)]


def test_off_for_all_looks_at_no_request() -> None:
    flag = Flag("x")
    assert Switch("x", enabled=False, flag=flag).is_off_for_all
    assert not Switch("x", enabled=FAST, flag=flag).is_off_for_all
    for value, expected in (("off", True), ("0%", True), ("on", False), ("1%", False)):
        flag.setting = Setting.parse(value)
        assert Switch("x", enabled=False, flag=flag).is_off_for_all is expected
