"""For how long a provider keeps what it has read of a prompt."""

from __future__ import annotations

import msgspec


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Of one model. Times in seconds since the last use, which begins them anew.

    ``lifetime``: as it is by itself. ``marked``: where marks ask for an hour. ``asked``: where the request asks for a
    day (``prompt_cache_retention``). ``least``: tokens of the shortest prompt that is kept. ``automatic``: every such
    prompt is; otherwise only what is marked, which shows in what the answer tells of its usage.
    """

    lifetime: float = 600.0
    marked: float = 0.0
    asked: float = 0.0
    least: int = 1024
    automatic: bool = True


UNKNOWN = Retention(automatic=False)
