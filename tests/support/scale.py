"""How often tests repeat what chance decides: as often as ten minutes for all of them allow, or more in `make soak`."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("SOAK"))


def often(usually: int, soak: int) -> int:
    """How many rounds this run makes. Who asks is marked ``soak``, so that `make soak` runs it."""
    return soak if SOAK else usually
