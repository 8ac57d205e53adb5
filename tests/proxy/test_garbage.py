"""Collections."""

from __future__ import annotations

import gc
import weakref

from proxy.garbage import YOUNG, look_now, look_seldom


def test_the_program_is_left_alone_and_cycles_are_still_found() -> None:
    """For this process it is undone."""
    before = gc.get_threshold()
    look_seldom()
    try:
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] == YOUNG
        gc.collect()
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() == 1
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


class _Part:
    """One of several that hold each other."""

    other: _Part


def test_what_holds_itself_is_gone_at_once() -> None:
    """Though collections are rare."""
    part = _Part()
    part.other = part
    seen = weakref.ref(part)
    del part
    look_now()
    assert seen() is None
