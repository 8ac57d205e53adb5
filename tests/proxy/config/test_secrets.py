"""Which secrets a file has."""

from __future__ import annotations

import msgspec

from proxy.config.model import AlertsConfig, GatewayConfig, KeyConfig, OrganisationConfig, PolicyConfig, TeamConfig
from proxy.config.secrets import secrets_of
from proxy.units import Secret


class Account(msgspec.Struct, frozen=True):
    """What a kind of provider calls its settings."""

    api_key: Secret
    headers: dict[str, Secret]


def test_they_are_found_wherever_they_stand() -> None:
    """In accounts, in lists of policies, in sections; each once. A hash is none."""
    account = Account(Secret("sk-one"), {"x-more": Secret("two")})
    team = TeamConfig(keys={"web": KeyConfig(hash=Secret("sha256:00"))})
    config = GatewayConfig(
        providers={"a": account, "b": account},
        routes={},
        alerts=AlertsConfig(url="https://hooks.example", secret=Secret("three")),
        tenants={"acme": OrganisationConfig(teams={"search": team})},
        policies={"all": (PolicyConfig(name="headers", settings={"set": {"x": Secret("four\n")}}),)},
    )
    assert secrets_of(config) == ("sk-one", "two", "three", "four")
