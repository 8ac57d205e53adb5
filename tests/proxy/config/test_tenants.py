"""Tenants as the file has them: who is whose, until when, with which limits."""

from __future__ import annotations

from pathlib import Path

from tests.support.books import hashed
from tests.support.config import built, written

_FILE = """
providers: {{sim: {{kind: simulated}}}}
tenants:
  acme:
    models: ["*"]
    budget: $10/month
    teams:
      search:
        tier: basic
        keys:
          web: {{hash: "{0}", models: [fast], limits: [5/min], expires: 2030-01-31}}
          app: {{hash: "{1}", tier: premium}}
      empty: {{}}
routes:
  chat: {{models: [fast], policies: [authenticate, quota, allow_models], target: sim/fast}}
"""


def test_levels_add_up(tmp_path: Path) -> None:
    """The tier of a level is worth its limits there; a key has what is above it, and its own."""
    made = built(written(tmp_path, _FILE.format(hashed("a" * 40), hashed("b" * 40))))
    assert made.runtime is not None, made.problems
    names = made.runtime.tenants
    assert {"/".join(name) for name in names} == {"acme/search/", "acme/search/web", "acme/search/app", "acme/empty/"}
    web, app, team = (names["acme", "search", key] for key in ("web", "app", ""))
    assert [rule.limit.text for rule in team.rules] == ["$10/month", "100/min", "1000/h"]
    assert [rule.limit.text for rule in web.rules[3:]] == ["5/min"]
    assert [rule.limit.text for rule in app.rules[3:]] == ["1000/min", "10000/h"]
    assert {rule.level for rule in app.rules} == {"organisation", "team", "key"}
    assert (web.tier, app.tier, team.tier) == ("basic", "premium", "basic")
    assert web.models == (("*",), ("fast",))
    assert web.expires == 1896134400.0  # the end of that day, in UTC
    assert app.expires is None
