"""What passes is kept, and is over once: at its end, where it breaks off, or where its caller has all and leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.cassettes import recorder
from proxy.cassettes.recorder import Pending, Stars
from proxy.cassettes.taper import Taper, end_mark
from proxy.errors import Unavailable
from tests.support.compiled import make_exchange

MARK = end_mark(((b"data", b"[DONE]"),))


class Tape:
    """A taper of these parts, and what was kept of it."""

    def __init__(self, *parts: bytes, error: Exception | None = None) -> None:
        self.over: list[Pending] = []
        self.pending = Pending(make_exchange(), Stars())

        async def chunks() -> AsyncIterator[bytes]:
            for part in parts:
                yield part
            if error is not None:
                raise error

        self.taper = Taper(self.pending, chunks(), self.over.append, MARK)

    @property
    def kept(self) -> bytes:
        """All bytes."""
        return b"".join(data for _, data in self.pending.parts)


async def test_it_is_over_at_its_end() -> None:
    tape = Tape(b"a", b"b")
    assert [chunk async for chunk in tape.taper] == [b"a", b"b"]
    tape.taper.close()
    assert tape.over == [tape.pending]
    assert tape.kept == b"ab"
    assert tape.pending.cut is None


async def test_it_is_over_where_it_breaks_off() -> None:
    error = Unavailable("gone")
    tape = Tape(b"a", error=error)
    with pytest.raises(Unavailable):
        assert [chunk async for chunk in tape.taper]
    assert tape.over == [tape.pending]
    assert tape.pending.cut is not None
    assert tape.pending.cut[1] is error


@pytest.mark.parametrize(("last", "is_kept"), [(b"data: [DO", False), (b"data: [DONE]\n\n", True)])
async def test_who_leaves_has_all_or_nothing(last: bytes, is_kept: bool) -> None:
    tape = Tape(b"data: 1\n\n", last, b"never read")
    await anext(tape.taper)
    await anext(tape.taper)
    tape.taper.close()
    assert bool(tape.over) is is_kept


async def test_what_is_too_long_passes_and_is_not_held() -> None:
    part = b"x" * (recorder.MAX_TAKE // 2 + 1)
    tape = Tape(part, part, part)
    assert len([chunk async for chunk in tape.taper]) == 3
    assert len(tape.pending.parts) == 1
    assert tape.over[0].size > recorder.MAX_TAKE


def test_formats_without_a_mark_end_with_their_stream() -> None:
    assert end_mark(()) is None
