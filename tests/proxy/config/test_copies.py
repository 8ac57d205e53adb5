"""Settings of ``race``, ``mirror`` and ``canary`` that do nothing; the golden files have the whole words."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.table import POLICIES, TARGETS
from proxy.config.compile import Tables, build
from proxy.providers.table import PROVIDERS
from proxy.runtime import Shared


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("{race: {of: [sim/a, sim/b], max_extra: 0%}}", ["no copy is sent"]),
        ("{race: {of: [sim/a, sim/b], max_extra: 0.0%}}", ["no copy is sent"]),
        ("{race: {of: [sim/a, sim/b], max_extra: 10%}}", []),
        ("{race: {of: [sim/a, sim/b], after: 1s, fallback_after: 2s}}", ["only where `after` is a quantile"]),
        ("{race: {of: [sim/a, sim/b], after: p90, fallback_after: 2s}}", []),
        ("{race: [sim/a, sim/b]}", []),
        ("{mirror: {target: sim/a, to: sim/b, sample: 0%}}", ["nothing is copied"]),
        ("{mirror: {target: sim/a, to: sim/a}}", ["compared with itself"]),
        ("{mirror: {target: sim/a, to: sim/b, sample: 5%}}", []),
        ("{canary: {stable: sim/a, canary: sim/b}}", []),
    ],
)
def test_what_has_no_effect_is_noticed(target: str, words: list[str], tmp_path: Path) -> None:
    """And is no problem."""
    path = tmp_path / "gateway.yaml"
    path.write_text(
        f"providers:\n  sim: {{kind: simulated}}\nroutes:\n  chat: {{models: [chat], open: true, target: {target}}}\n"
    )
    tables = Tables(POLICIES, TARGETS, PROVIDERS)
    built = build(path, tables, environ={}, shared=Shared(), generation=1, now=lambda: 0.0)
    assert not built.problems
    found = [str(notice) for notice in built.notices]
    assert len(found) == len(words)
    assert all(word in notice for word, notice in zip(words, found, strict=True))
