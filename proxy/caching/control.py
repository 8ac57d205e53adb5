"""What a caller says of caching in its request: the header ``x-cache-control``."""

from __future__ import annotations

import re

import msgspec

from proxy.exchange import Exchange

HEADER = b"x-cache-control"
_AGE = re.compile(rb"max-age=([0-9]{1,9})")


class Control(msgspec.Struct, frozen=True):
    """``no_cache``: ask anew. ``no_store``: keep nothing of this. ``no_semantic``: only what was asked word for word.
    ``max_age``: nothing older, in seconds, and what comes is kept no longer; None where nothing is said."""

    no_cache: bool = False
    no_store: bool = False
    no_semantic: bool = False
    max_age: int | None = None


NOTHING_SAID = Control()


def read_control(x: Exchange) -> Control:
    """What the caller says.

    Raises:
        ValueError: something that is not understood, with a sentence for the caller.
    """
    given = x.header(HEADER)
    if given is None:
        return NOTHING_SAID
    said = {part.strip().lower() for part in given.split(b",")} - {b""}
    ages = [int(found[1]) for part in said if (found := _AGE.fullmatch(part)) is not None]
    words = {part for part in said if _AGE.fullmatch(part) is None}
    if words - {b"no-cache", b"no-store", b"no-semantic"}:
        raise ValueError("x-cache-control takes no-cache, no-store, no-semantic and max-age=SECONDS, with commas.")
    return Control(
        no_cache=b"no-cache" in words or 0 in ages,
        no_store=b"no-store" in words or 0 in ages,
        no_semantic=b"no-semantic" in words,
        max_age=min(ages) if ages else None,
    )
