"""Where a `cache` may stand. What is said of it is in the golden files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config import built, lines, written


def problems(folder: Path, policies: str) -> list[str]:
    """Of a route with these."""
    has_keys = "authenticate" in policies
    tenants = f"""tenants: {{acme: {{teams: {{search: {{keys: {{web: {{hash: "sha256:{"0" * 64}"}}}}}}}}}}}}"""
    text = f"""
    providers: {{sim: {{kind: simulated}}}}
    {tenants if has_keys else ""}
    routes: {{chat: {{models: [m]{"" if has_keys else ", open: true"}, policies: [{policies}], target: sim/a}}}}
    """
    return lines(built(written(folder, text)).problems)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ("authenticate, cache: {scope: team}", ""),
        ("cache", ""),
        ("authenticate, cache, quota: {limits: [5/min]}", ""),
        ("cache: {scope: organisation}", "nobody's organisation is known"),
        ("authenticate, cache, headers: {request: {set: {a: b}}}", "`headers` must come before `cache`"),
        ("authenticate, cache, tags: {accept: [user]}", "`tags` must come before `cache`"),
        ("authenticate, cache, {prompt_cache: {}, flag: marks}", "can be off must come before `cache`"),
        ("authenticate, pii: {action: mask_and_restore}, cache", ""),
        ("authenticate, cache, pii: {entities: {email: redact}}", ""),
        ("authenticate, cache, pii: {action: mask_and_restore}", "a `pii` that restores must come before `cache`"),
        ("authenticate, cache, pii: {entities: {email: mask_and_restore}}", "that restores must come before `cache`"),
        ("authenticate, cache, cache: {ttl: 5m}", "a route has one `cache`"),
    ],
)
def test_where_it_stands(policies: str, expected: str, tmp_path: Path) -> None:
    found = problems(tmp_path, policies)
    assert len(found) == bool(expected), found
    assert all(expected in line for line in found)
