"""A target that does something around another one."""

from __future__ import annotations

from proxy.choosing.capability import Growth, Needs, Reach
from proxy.choosing.health import Health
from proxy.exchange import Exchange
from proxy.policy import Choice, Target
from proxy.price import Price


class Around(Target):
    """A target that does something around another one, ``inner``, and is otherwise as that is."""

    __slots__ = ("inner",)

    def __init__(self, inner: Target) -> None:
        self.inner = inner

    @property
    def can_be_off(self) -> bool:
        """Of the other."""
        return self.inner.can_be_off

    def off(self, x: Exchange) -> str | None:
        """Of the other."""
        return self.inner.off(x)

    def explain(self, x: Exchange) -> Choice:
        """What the other would do."""
        return self.inner.explain(x)

    def leaves(self) -> tuple[str, ...]:
        """Of the other."""
        return self.inner.leaves()

    def healths(self) -> tuple[Health, ...]:
        """Of the other."""
        return self.inner.healths()

    def reaches(self) -> frozenset[Reach]:
        """Of the other."""
        return self.inner.reaches()

    def prices(self, model: str = "") -> frozenset[Price | None]:
        """Of the other."""
        return self.inner.prices(model)

    def growths(self) -> frozenset[Growth]:
        """On the way to the other."""
        return self.inner.growths()

    def lacks(self, needs: Needs) -> str | None:
        """What the other cannot do."""
        return self.inner.lacks(needs)
