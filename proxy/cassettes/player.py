"""An answer that is played: the bytes of a take at recorded, scaled or no time, and its failure where it broke off."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from typing import Self

from proxy.cassettes.take import Response, Take
from proxy.errors import Header, UpstreamError, UpstreamTimeout

_SPEED = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,3})?)x")


def pace(speed: str) -> float:
    """By what the recorded times are multiplied: 1 for ``recorded``, 0 for ``instant``, 0.5 for ``2x``.

    Raises:
        ValueError: it is none of these.
    """
    if speed in ("instant", "recorded"):
        return float(speed == "recorded")
    found = _SPEED.fullmatch(speed)
    if found is None or not float(found[1]):
        raise ValueError(f"{speed!r} is no speed; write instant, recorded, or how many times as fast, like 2x")
    return 1 / float(found[1])


def headers(response: Response) -> list[Header]:
    """Of the answer."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]


def is_sse(response: Response) -> bool:
    """Whether it is a stream of events."""
    return response.headers.get("content-type", "").lower().startswith("text/event-stream")


async def head(take: Take, pace: float, deadline: float) -> None:
    """Wait as long as the head of the answer took."""
    await _until(time.monotonic() + take.response.after / 1000 * pace, deadline)


class Player:
    """The body of an answer that flows. ``deadline``: in ``time.monotonic()``."""

    __slots__ = ("_began", "_deadline", "_pace", "_pieces", "_response")

    def __init__(self, take: Take, pace: float, deadline: float) -> None:
        self._response = take.response
        self._pieces = _pieces(take.response)
        self._pace = pace
        self._deadline = deadline
        self._began = time.monotonic()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = next(self._pieces, None)
        cut = self._response.cut
        if piece is None and cut is None:
            raise StopAsyncIteration
        at = piece[0] if piece is not None else cut.at if cut is not None else 0.0
        await _until(self._began + at / 1000 * self._pace, self._deadline)
        if piece is not None:
            return piece[1]
        assert cut is not None
        raise UpstreamError(cut.message, status=cut.status, code=cut.code)


def _pieces(response: Response) -> Iterator[tuple[float, bytes]]:
    """What came at one time goes out at once."""
    at, together = 0.0, b""
    for event in response.events or ():
        if together and event.at != at:
            yield at, together
            together = b""
        at, together = event.at, together + event.content()
    if together:
        yield at, together


async def _until(moment: float, deadline: float) -> None:
    """Wait until ``moment``, in ``time.monotonic()``.

    Raises:
        UpstreamTimeout: the request's time is over before.
    """
    now = time.monotonic()
    if moment <= now:
        return
    await asyncio.sleep(min(moment, max(deadline, now)) - now)
    if moment > deadline:
        raise UpstreamTimeout("The request's total time was used up before the recorded answer had been played.")
