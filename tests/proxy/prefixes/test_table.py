"""Who has read which prefix: until its cache forgets it, and no more than fit."""

from __future__ import annotations

from proxy.prefixes.table import Prefixes


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def _targets(prefixes: Prefixes, digest: bytes) -> list[str]:
    return [holder.target for holder in prefixes.holders(digest)]


def test_a_prefix_is_known_for_its_lifetime_after_each_use() -> None:
    """Each target's by itself; the latest comes first."""
    clock = Clock()
    prefixes = Prefixes(now=clock)
    prefixes.remember(b"p", "a/m", 300)
    clock.seconds += 200
    prefixes.remember(b"p", "b/m", 300)
    assert _targets(prefixes, b"p") == ["b/m", "a/m"]
    assert [(one.until, one.lifetime) for one in prefixes.holders(b"p")] == [(600, 300), (400, 300)]
    clock.seconds += 100
    assert _targets(prefixes, b"p") == ["b/m"]
    prefixes.remember(b"p", "b/m", 3600)
    clock.seconds += 3599
    assert _targets(prefixes, b"p") == ["b/m"]
    clock.seconds += 1
    assert _targets(prefixes, b"p") == []
    assert len(prefixes) == 0, "what nobody has any more is forgotten"
    assert _targets(prefixes, b"q") == []


def test_the_longest_unused_make_room() -> None:
    """What is used is kept, as long as there are not more."""
    prefixes = Prefixes(most=3)
    for digest in (b"1", b"2", b"3"):
        prefixes.remember(digest, "a/m", 300)
    prefixes.remember(b"1", "a/m", 300)
    prefixes.remember(b"4", "a/m", 300)
    assert len(prefixes) == 3
    assert [bool(prefixes.holders(digest)) for digest in (b"1", b"2", b"3", b"4")] == [True, False, True, True]


def test_a_prefix_has_a_bounded_number_of_holders() -> None:
    """The latest ones."""
    prefixes = Prefixes()
    for number in range(20):
        prefixes.remember(b"p", f"{number}/m", 300)
    assert _targets(prefixes, b"p") == [f"{number}/m" for number in range(19, 11, -1)]
