"""How often tests repeat what chance decides, and how long they wait for what must happen.

As often as ten minutes for all of them allow, or more in `make soak`.
"""

from __future__ import annotations

import os

PATIENCE = 20.0  # seconds; only a failing test waits so long, but a machine that others use too takes its time
SOAK = bool(os.environ.get("SOAK"))


def often(usually: int, soak: int) -> int:
    """How many rounds this run makes. Who asks is marked ``soak``, so that `make soak` runs it."""
    return soak if SOAK else usually
