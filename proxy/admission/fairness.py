"""Max-min fair shares: whoever asks for less than an equal share gets all of it, the others divide what is left."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

# How much of the last measurement counts in a tenant's demand.
_WEIGHT_OF_NEW = 0.3
# Seconds of its share that a tenant may take at once.
_BURST = 0.1
# A tenant that asked for nothing for so many divisions is forgotten.
_IDLE = 200
# Part of the whole that stays open for tenants that were not seen before.
_FOR_NEW = 0.25


class Tenant:
    """What one tenant asked for, and what it may still take."""

    __slots__ = ("arrived", "demand", "idle", "tokens", "weight")

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self.arrived = 0
        self.demand = 0.0  # requests a second, decayed
        self.tokens = 0.0
        self.idle = 0


class Shares:
    """The tenants that were seen lately; at most ``most`` of them, the longest unseen is forgotten first."""

    def __init__(self, most: int = 1024) -> None:
        self._most = most
        self._tenants: OrderedDict[str, Tenant] = OrderedDict()
        self._for_new = 0.0
        self._limit = 0.0

    def __len__(self) -> int:
        return len(self._tenants)

    def count(self, key: str, weight: float) -> Tenant:
        """Note a request of this tenant."""
        tenant = self._tenants.get(key)
        if tenant is None:
            if len(self._tenants) >= self._most:
                self._tenants.popitem(last=False)
            tenant = self._tenants[key] = Tenant(weight)
            if self._for_new >= 1.0:
                self._for_new -= 1.0
                tenant.tokens = 1.0
        else:
            self._tenants.move_to_end(key)
            tenant.weight = weight
        tenant.arrived += 1
        return tenant

    def measure(self, seconds: float) -> None:
        """Turn what arrived within ``seconds`` into demand."""
        for key, tenant in list(self._tenants.items()):
            tenant.demand += _WEIGHT_OF_NEW * (tenant.arrived / seconds - tenant.demand)
            tenant.idle = 0 if tenant.arrived else tenant.idle + 1
            tenant.arrived = 0
            if tenant.idle > _IDLE:
                del self._tenants[key]

    def divide(self, limit: float, seconds: float) -> None:
        """Hand out ``limit`` requests a second, for ``seconds``."""
        level = water_level([(tenant.demand, tenant.weight) for tenant in self._tenants.values()], limit)
        for tenant in self._tenants.values():
            share = level * tenant.weight
            tenant.tokens = min(tenant.tokens + share * seconds, max(1.0, share * _BURST))
        self._for_new = max(1.0, _FOR_NEW * limit * seconds)

    def fill(self, limit: float) -> None:
        """Shedding begins: everybody starts with the burst of its share, and nobody below it feels anything."""
        self.divide(limit, _BURST)

    def clear(self) -> None:
        """Forget everybody."""
        self._tenants.clear()


def water_level(demands: Iterable[tuple[float, float]], limit: float) -> float:
    """The share per weight at which ``(demand, weight)`` together take ``limit``; at least what is left if they do not.

    Taken in order of demand per weight: while the next one asks for less than an equal share of what is left, it gets
    what it asks for.
    """
    waiting = sorted((demand / weight, demand, weight) for demand, weight in demands)
    left, weights = limit, sum(weight for _, _, weight in waiting)
    for relative, demand, weight in waiting:
        if relative * weights >= left:
            break
        if weights - weight <= 1e-9:  # everybody has what it asks for
            break
        left -= demand
        weights -= weight
    return left / weights if weights > 1e-9 else limit
