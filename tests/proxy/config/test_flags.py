"""What is wrong with what stands beside a policy or a target, and what is to be known of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config.flags import Marks, marks_of, misses
from proxy.flags.rollout import Rollout
from tests.support.config import built, lines, written

HASH = "5e" * 32
FILE = """
providers: {sim: {kind: simulated}}
tenants: {acme: {teams: {search: {keys: {web: {hash: "sha256:%s"}}}}}}
routes:
  chat: {models: [fast], policies: [%s], target: %s}
"""


def _said(folder: Path, policies: str, target: str = "sim/x") -> list[str]:
    found = built(written(folder, FILE % (HASH, policies, target)))
    return [*lines(found.problems), *lines(found.notices)]


def test_marks_are_what_may_stand_beside() -> None:
    found = marks_of({"quota": {}, "flag": "x", "enabled": False}, ("a", 1))
    assert found == (Marks({"enabled": False, "flag": "x"}, ("a", 1)),)
    assert (found[0].at, found[0].is_named) == (("a", 1, "enabled"), True)
    assert marks_of({"quota": {}}, ()) == ()


@pytest.mark.parametrize("mark", ["enabled: false", "flag: x", "rollout: 50%", "enabled: stream", "enabled: true"])
def test_nobody_can_switch_off_who_asks_for_the_key(tmp_path: Path, mark: str) -> None:
    """Neither there, nor by the list that it comes with."""
    problem = "`authenticate` cannot be switched off: anybody could call the route"
    assert any(problem in line for line in _said(tmp_path, f"{{authenticate: {{}}, {mark}}}"))
    path = written(tmp_path, FILE % (HASH, f"{{use: door, {mark}}}", "sim/x") + "policies: {door: [authenticate]}\n")
    assert any(problem in line for line in lines(built(path).problems))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("quota: {}, flag: x", "the limits of tenants and of this policy do not hold"),
        ("allow_models: {models: [fast]}, flag: x", "every caller may use every model"),
        ("idempotency: {}, flag: x", "is paid for twice"),
        ("queue: {}, enabled: false", "this is off for good"),
        ("queue: {}, rollout: 0%", "on for nobody"),
    ],
)
def test_what_is_to_be_known(tmp_path: Path, entry: str, words: str) -> None:
    assert any(words in line for line in _said(tmp_path, f"authenticate, {{{entry}}}"))


def test_what_can_be_switched_on_later_is_no_news(tmp_path: Path) -> None:
    said = _said(tmp_path, "authenticate, {queue: {}, enabled: false, flag: x}", "{model: sim/x, rollout: 0%, flag: y}")
    assert said == []


def test_the_tag_must_be_set_before_and_the_caller_be_known() -> None:
    user, team = Rollout(0.1, "user"), Rollout(0.1, "team")
    assert misses(user, frozenset({"user"}), has_callers=False) is None
    assert "sets the tag 'user'" in (misses(user, frozenset(), has_callers=True) or "")
    assert misses(team, frozenset(), has_callers=True) is None
    assert "no caller has a team" in (misses(team, frozenset({"team"}), has_callers=False) or "")
    assert misses(Rollout(0.1), frozenset(), has_callers=False) is None
