"""The table of kinds."""

from __future__ import annotations

from proxy.providers.provider import Provider
from proxy.providers.table import PROVIDERS


def test_every_kind_is_complete() -> None:
    """Configuration, compile, send, describe."""
    for kind, provider in PROVIDERS.items():
        assert issubclass(provider, Provider)
        assert not provider.__abstractmethods__
        assert provider.Config.__struct_fields__[0] == "kind"
        assert kind == kind.lower()
