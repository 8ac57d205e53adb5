"""What stands around a target is otherwise as that is."""

from __future__ import annotations

from proxy.around import Around
from proxy.policy import Answer, Timeouts
from proxy.targets.leaf import Leaf
from tests.support.compiled import Canned, make_exchange


class Counting(Around):
    """Sends on, and counts."""

    def __init__(self, inner: Leaf) -> None:
        super().__init__(inner)
        self.sent = 0

    async def send(self, x: object) -> Answer:
        """Count."""
        self.sent += 1
        return Answer(200, [], body=b"")


def test_it_is_as_what_it_stands_around() -> None:
    leaf = Leaf("up/m", Canned(), "m", Timeouts())
    around, x = Counting(leaf), make_exchange()
    assert around.leaves() == leaf.leaves() == ("up/m",)
    assert around.healths() == leaf.healths()
    assert around.reaches() == leaf.reaches()
    assert around.prices("m") == leaf.prices("m")
    assert around.can_be_off is leaf.can_be_off
    assert around.off(x) is leaf.off(x) is None
