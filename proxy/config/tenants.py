"""The tenants of the file: organisations, teams and keys as those who call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from proxy.config.context import steps
from proxy.config.document import Report
from proxy.config.limits import TenantRules
from proxy.config.model import KeyConfig, OrganisationConfig, TeamConfig
from proxy.config.problem import Path
from proxy.exchange import Identity
from proxy.limits.limit import Rule


class Tenants:
    """``keys`` by the SHA-256 of each; ``names`` by organisation, team and key, a team under no key's name."""

    def __init__(self, limits: TenantRules, report: Report) -> None:
        self.keys: dict[bytes, Identity] = {}
        self.names: dict[tuple[str, str, str], Identity] = {}
        self._limits = limits
        self._report = report

    def read(self, organisations: Mapping[str, OrganisationConfig]) -> None:
        """All of the file."""
        for organisation, config in organisations.items():
            at: Path = ("tenants", organisation)
            rules = self._rules(config, "organisation", organisation, at)
            for team, teams in config.teams.items():
                self._read_team(organisation, config, team, teams, rules)

    def _read_team(
        self, organisation: str, above: OrganisationConfig, team: str, config: TeamConfig, rules: tuple[Rule, ...]
    ) -> None:
        scope, at = f"{organisation}/{team}", ("tenants", organisation, "teams", team)
        rules += self._rules(config, "team", scope, at)
        models = tuple(level for level in (above.models, config.models) if level is not None)
        tier = config.tier or above.tier or ""
        self.names[organisation, team, ""] = Identity(organisation, team, "", models, None, tier, rules)
        for name, key in config.keys.items():
            own = self._rules(key, "key", f"{scope}/{name}", (*at, "keys", name))
            admitted = models if key.models is None else (*models, key.models)
            digest = bytes.fromhex(key.hash.reveal().removeprefix("sha256:"))
            known = Identity(organisation, team, name, admitted, end_of(key.expires), key.tier or tier, rules + own)
            self.keys[digest] = self.names[organisation, team, name] = known

    def _rules(
        self, config: OrganisationConfig | TeamConfig | KeyConfig, level: str, scope: str, path: Path
    ) -> tuple[Rule, ...]:
        """The limits of one level."""

        def fail(message: str, at: str) -> None:
            self._report.problem((*path, *steps({"limits": list(config.limits)}, f"limits{at}")), message)

        return self._limits.of(config, level, scope, fail)


def end_of(day: str | None) -> float | None:
    """The end of a day in UTC, seconds since the epoch."""
    if day is None:
        return None
    return (datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)).timestamp()
