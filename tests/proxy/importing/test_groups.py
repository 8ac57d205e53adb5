"""Entries with one name, as one route; more in ``test_litellm.py``."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.config.syntax import parse
from proxy.importing.accounts import Accounts
from proxy.importing.groups import Groups
from proxy.importing.source import Source


def _groups(text: str) -> tuple[Groups, Source]:
    root, problems = parse(text.encode(), "config.yaml")
    assert root is not None, problems
    source = Source(root)
    return Groups(source, Accounts(source)), source


_TWO = """
model_list:
  - {model_name: m, litellm_params: {model: openai/a, rpm: 30}}
  - {model_name: m, litellm_params: {model: groq/b, rpm: 10, tpm: 500}}
router_settings: {routing_strategy: %s}
"""


@pytest.mark.parametrize(
    ("strategy", "by"),
    [("least-busy", "least_busy"), ("latency-based-routing", "latency"), ("usage-based-routing", "headroom")],
)
def test_how_one_is_chosen(strategy: str, by: str) -> None:
    groups, _ = _groups(_TWO % strategy)
    assert groups.tree("m") == {"balance": {"by": by, "of": ["openai/a", "groq/b"]}}


def test_shares_come_from_limits_which_are_not_kept() -> None:
    groups, source = _groups(_TWO % "simple-shuffle")
    of: list[Any] = [{"weight": 30, "target": "openai/a"}, {"weight": 10, "target": "groq/b"}]
    assert groups.tree("m") == {"balance": {"by": "weighted", "of": of}}
    assert groups.say_limits("m") == []
    lost = [one.path for one in source.findings() if one.outcome == "not carried"]
    assert lost == [
        "model_list[0].litellm_params.rpm",
        "model_list[1].litellm_params.rpm",
        "model_list[1].litellm_params.tpm",
    ]


def test_limits_of_a_single_entry_are_the_routes() -> None:
    groups, _ = _groups("model_list: [{model_name: m, litellm_params: {model: openai/a, rpm: 30, tpm: '500'}}]")
    assert groups.say_limits("m") == ["30/min", "500 tokens/min"]
    assert groups.tree("m") == "openai/a"


def test_two_entries_that_are_the_same_share_one_weight() -> None:
    entry = "{model_name: m, litellm_params: {model: openai/a, weight: 2}}"
    other = "{model_name: m, litellm_params: {model: openai/b}}"
    groups, _ = _groups(f"model_list: [{entry}, {entry}, {other}]")
    of: list[Any] = [{"weight": 4, "target": "openai/a"}, {"weight": 1, "target": "openai/b"}]
    assert groups.tree("m") == {"balance": {"by": "weighted", "of": of}}
