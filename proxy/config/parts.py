"""Parts of a generation that belong to no route, as sections of the file want them."""

from __future__ import annotations

from hashlib import sha256

from proxy.admin.roles import Operator
from proxy.config.model import AdminConfig, ConversationsConfig
from proxy.conversations.earlier import Conversations
from proxy.runtime import Lease, Operators
from proxy.store.memory import MemoryStore
from proxy.store.shared_counters import SharedCounters
from proxy.store.shared_health import SharedHealth
from proxy.units import Secret


def conversations_of(config: ConversationsConfig, lease: Lease) -> Conversations:
    """What earlier requests left behind; the memory of it outlives a generation."""
    size = int(config.max_size)
    store: MemoryStore = lease.get(f"conversations/{size}", lambda: MemoryStore(size))
    return Conversations(store, float(config.lifetime))


def operators_of(config: AdminConfig, *, ejects: bool) -> Operators:
    """Who may use ``/admin``, by what their keys hash to."""
    keys = {
        bytes.fromhex(key.hash.reveal().removeprefix("sha256:")): Operator(name, key.role, key.organisation, key.team)
        for name, key in config.keys.items()
    }
    return Operators(keys, ejects)


def sharing_of(url: Secret | None, lease: Lease) -> SharedHealth | None:
    """What tells other replicas; nothing where there is no store."""
    if url is None:
        return None
    plain = url.reveal()
    return lease.get(f"store {sha256(plain.encode()).hexdigest()}", lambda: SharedHealth(plain))


def shared_counters_of(url: Secret | None, lease: Lease) -> SharedCounters | None:
    """Limits that replicas share; None where there is no store."""
    if url is None:
        return None
    plain = url.reveal()
    return lease.get(f"limits {sha256(plain.encode()).hexdigest()}", lambda: SharedCounters(plain))
