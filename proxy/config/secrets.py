"""The secrets of a file, for whoever has to keep them out of something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from proxy.config.model import GatewayConfig
from proxy.units import Secret

_HASH = "sha256:"  # of a key that the file does not know


def secrets_of(config: GatewayConfig) -> tuple[str, ...]:
    """Each once, in the order of the file; no hashes."""
    return tuple(dict.fromkeys(_found(config)))


def _found(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        if not (plain := value.reveal().strip()).startswith(_HASH):
            yield plain
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _found(getattr(value, name))
    elif isinstance(value, dict):
        for child in value.values():
            yield from _found(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _found(child)
