"""What sections of the file become."""

from __future__ import annotations

import hashlib

from proxy.config.model import AdminConfig, AdminKeyConfig, ConversationsConfig
from proxy.config.parts import conversations_of, operators_of, shared_counters_of, sharing_of
from proxy.runtime import Shared
from proxy.units import Secret, Size


def test_operators_are_known_by_their_hash() -> None:
    digest = hashlib.sha256(b"sk-operator").digest()
    key = AdminKeyConfig(hash=Secret(f"sha256:{digest.hex()}"), role="team_lead", organisation="acme", team="search")
    found = operators_of(AdminConfig(keys={"ops": key}), ejects=True)
    assert list(found.keys) == [digest]
    assert (found.keys[digest].name, found.keys[digest].team, found.ejects) == ("ops", "search", True)


async def test_what_replicas_share_outlives_a_generation() -> None:
    """The same address is the same connection, in this generation and the next; without one there is none."""
    shared = Shared()
    first, second = shared.lease(), shared.lease()
    url = Secret("redis://127.0.0.1:1/0")
    assert sharing_of(None, first) is None
    assert shared_counters_of(None, first) is None
    assert sharing_of(url, first) is sharing_of(url, second)
    assert shared_counters_of(url, first) is shared_counters_of(url, second)
    assert sharing_of(Secret("redis://127.0.0.1:1/1"), first) is not sharing_of(url, first)


def test_conversations_of_one_size_are_remembered_together() -> None:
    shared = Shared()
    small, large = ConversationsConfig(max_size=Size(10_000)), ConversationsConfig(max_size=Size(20_000))
    first = conversations_of(small, shared.lease())
    again = conversations_of(small, shared.lease())
    assert first._store is again._store
    assert first._store is not conversations_of(large, shared.lease())._store
