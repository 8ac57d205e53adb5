"""How much memory this process holds, and how much it may."""

from __future__ import annotations

import os
from pathlib import Path

_STATM = Path("/proc/self/statm")
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# Of a container's limit. The kernel kills without a word at 100 %.
_SHARE = 0.9
# cgroup v1 writes "no limit" as a number near 2**63.
_NO_LIMIT = 2**60


def resident(statm: Path = _STATM) -> int:
    """Resident bytes; 0 where the system does not tell."""
    try:
        return int(statm.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def watermark(limits: tuple[Path, ...] = _LIMITS) -> int:
    """The bytes beyond which a container comes near its limit; 0 without one."""
    for path in limits:
        try:
            found = int(path.read_text("ascii"))
        except (OSError, ValueError):  # not this version of cgroups, or "max"
            continue
        if 0 < found < _NO_LIMIT:
            return int(found * _SHARE)
    return 0
