"""Shares of callers: the same ones every time, as many as the share says, and more of them with a larger one."""

from __future__ import annotations

import pytest

from proxy.exchange import Exchange, Identity
from proxy.flags.rollout import Rollout, is_within, salt_of, subject_of


@pytest.mark.parametrize(
    ("text", "share", "by"), [("10% by user", 0.1, "user"), ("5% by key", 0.05, "key"), ("50%", 0.5, "")]
)
def test_how_it_is_written(text: str, share: float, by: str) -> None:
    found = Rollout.parse(text)
    assert (found.share, found.by) == (share, by)
    assert str(found) == (text if by else f"{text} of requests")


@pytest.mark.parametrize("text", ["", "10", "10% of user", "10% by", "by user", "10% by user too", "10% by a b", "x%"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rollout"):
        Rollout.parse(text)


def test_more_than_all() -> None:
    with pytest.raises(ValueError, match="more than 100%"):
        Rollout.parse("101% by user")


def test_the_share_is_met_and_a_larger_one_has_all_of_a_smaller() -> None:
    users = [f"user-{number}" for number in range(10_000)]
    salt = salt_of("new")
    ten, quarter = ({user for user in users if is_within(salt, user, share)} for share in (0.1, 0.25))
    assert ten < quarter
    assert 900 < len(ten) < 1_100
    assert 2_400 < len(quarter) < 2_600
    assert not any(is_within(salt, user, 0.0) for user in users)
    assert all(is_within(salt, user, 1.0) for user in users)


def test_the_choice_stays_over_versions_and_differs_by_name() -> None:
    """These must never change: somebody's users would move."""
    assert [is_within(salt_of("new"), f"u{number}", 0.5) for number in range(8)] == [
        False,
        False,
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    users = [f"u{number}" for number in range(1_000)]
    both = [user for user in users if is_within(salt_of("a"), user, 0.5) and is_within(salt_of("b"), user, 0.5)]
    assert 200 < len(both) < 300


def test_who_is_meant() -> None:
    x = Exchange("req_1", "POST", "/", b"", [], 0.0, 0)
    x.tags = {"user": "zoe"}
    assert [subject_of(x, by) for by in ("user", "session", "key", "")] == ["zoe", None, None, "req_1"]
    x.identity = Identity("acme", "search", "web")
    found = [subject_of(x, by) for by in ("organisation", "team", "key")]
    assert found == ["acme", "acme/search", "acme/search/web"]
