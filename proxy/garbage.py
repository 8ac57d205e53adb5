"""When the interpreter looks for cycles of objects that nobody needs: seldom, as requests leave none behind."""

from __future__ import annotations

import gc

# Objects that are new before it looks among them. A request holds about 150 while it lasts; with many at once, what
# they hold would be looked through over and over.
YOUNG = 50_000


def look_seldom() -> None:
    """From now on. What is there already, the program itself, is left out: hundreds of thousands of objects."""
    gc.freeze()
    gc.set_threshold(YOUNG)


def look_now() -> None:
    """After what leaves many objects behind, such as a generation that has ended. Takes a few milliseconds."""
    gc.collect()
