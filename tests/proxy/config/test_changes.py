"""What a reload says that it changes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from proxy.config.changes import changes
from proxy.config.model import GatewayConfig
from tests.support.config import built, written

_TEXT = """
timeouts: {gap: 60s}
providers:
  pool: {kind: openai, api_keys: ["${env:KEY}", sk-literal], headers: {x-auth: hidden-1}}
  sim: {kind: simulated}
policies:
  standard: [{tags: {accept: [user]}}]
routes:
  chat:
    models: [fast]
    policies: [{use: standard}, {headers: {request: {set: {x-key: hidden-2}}}}]
    target: {fallback: [pool/a, sim/b]}
  more: {models: [slow], target: sim/c}
"""


def _config(folder: Path, text: str, key: str = "sk-one") -> GatewayConfig:
    found = built(written(folder, dedent(text)), KEY=key)
    assert found.config is not None, found.problems
    return found.config


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("gap: 60s", "gap: 1m", []),
        ("timeouts: {gap: 60s}\n", "", []),
        ("{gap: 60s}", "{gap: 10s, connect: 1s}", ["timeouts.connect: 5s → 1s", "timeouts.gap: 60s → 10s"]),
        ("sk-literal", "sk-other", ["providers.pool.api_keys changed"]),
        ("hidden-1", "hidden-3", ["providers.pool.headers.x-auth changed"]),
        ("hidden-2", "hidden-3", ["routes.chat.policies[1].headers.request.set.x-key changed"]),
        ("[fast]", "[fast, faster]", ['routes.chat.models: ["fast"] → ["fast", "faster"]']),
        ("sim/c", "sim/d", ["routes.more.target: sim/c → sim/d"]),
        (
            "{fallback: [pool/a, sim/b]}",
            "{fallback: [sim/b, pool/a]}",
            ['routes.chat.target.fallback: ["pool/a", "sim/b"] → ["sim/b", "pool/a"]'],
        ),
        ("  more: {models: [slow], target: sim/c}\n", "", ["routes.more removed"]),
        (
            "  sim: {kind: simulated}",
            "  sim: {kind: simulated}\n  x: {kind: simulated, optional: true}",
            ["providers.x added"],
        ),
        ("kind: simulated", "kind: simulated, seed: 5", ["providers.sim.seed: 0 → 5"]),
        ("accept: [user]", "accept: [team]", ['policies.standard[0].tags.accept: ["user"] → ["team"]']),
        ("policies: [{use: standard}, ", "policies: [", None),
    ],
)
def test_a_change_is_told_by_its_meaning(tmp_path: Path, old: str, new: str, said: list[str] | None) -> None:
    assert old in _TEXT
    if said is None:  # the list is then unused, which is refused: give it another use
        new_text = _TEXT.replace(old, new).replace("target: sim/c", "policies: [{use: standard}], target: sim/c")
        told = changes(_config(tmp_path, _TEXT), _config(tmp_path, new_text))
        assert told == [
            'routes.chat.policies: ["use standard", "headers"] → ["headers"]',
            'routes.more.policies: [] → ["use standard"]',
        ]
        return
    assert changes(_config(tmp_path, _TEXT), _config(tmp_path, _TEXT.replace(old, new))) == said


def test_a_new_value_behind_a_reference_is_a_change_and_stays_hidden(tmp_path: Path) -> None:
    told = changes(_config(tmp_path, _TEXT, "sk-one"), _config(tmp_path, _TEXT, "sk-two"))
    assert told == ["providers.pool.api_keys changed"]


def test_nothing_secret_is_told_of_a_first_or_a_last_file(tmp_path: Path) -> None:
    config = _config(tmp_path, _TEXT)
    for told in (changes(None, config), changes(config, None)):
        assert "hidden" not in str(told)
        assert "sk-" not in str(told)


def test_a_flood_of_changes_is_cut(tmp_path: Path) -> None:
    rows = "\n".join(f"  r{n}: {{models: [m{n}], target: sim/x}}" for n in range(200))
    told = changes(_config(tmp_path, _TEXT), _config(tmp_path, f"{_TEXT}{rows}\n"))
    assert len(told) == 101
    assert told[-1] == "…"
