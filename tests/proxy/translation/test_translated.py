"""A stream in another dialect, fed by hand: one line is one frame, and says what it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.chat import Begin, Close, Completion, Delta, End, Event, Finish, Open, Text
from proxy.errors import BadAnswer, Overloaded
from proxy.translation.translated import Translated, Watched, whole


class _Lines:
    """Frames are lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return lines

    def finish(self) -> list[bytes]:
        return [self._rest] if self._rest else []


class _Reader:
    """begin, a word of text, stop, end; fail."""

    def __init__(self) -> None:
        self._ended = False

    def feed(self, frame: bytes) -> list[Event]:
        word = frame.decode()
        if word == "begin":
            return [Begin(id="theirs", model="m"), Open(0, 0, Text(""))]
        if word == "stop":
            return [Close(0, 0), Finish()]
        if word == "end":
            self._ended = True
            return [End()]
        if word == "fail":
            raise Overloaded("too much")
        return [Delta(0, "text", word)] if word else []

    def finish(self) -> list[Event]:
        if not self._ended:
            raise BadAnswer("no end")
        return []


class _Writer:
    """Events by their names."""

    def feed(self, events: list[Event]) -> bytes:
        words = []
        for event in events:
            if isinstance(event, Delta):
                words.append(event.text)
            elif isinstance(event, Begin):
                words.append(event.id)
            elif isinstance(event, End):
                words.append("END")
        return "".join(f"<{word}>" for word in words).encode()


async def _chunks(*given: bytes) -> AsyncIterator[bytes]:
    for chunk in given:
        yield chunk


def _translated(*chunks: bytes, kept: list[Completion] | None = None, identity: str | None = None) -> Translated:
    async def keep(completion: Completion) -> None:
        assert kept is not None
        kept.append(completion)

    return Translated(
        _chunks(*chunks),
        _Lines(),
        _Reader(),
        _Writer(),
        identity=identity,
        keep=None if kept is None else keep,
    )


async def test_frames_are_translated_wherever_they_are_cut() -> None:
    """Byte by byte as in one piece."""
    text = b"begin\na\nb\nstop\nend\n"
    at_once = await whole(_translated(text))
    assert at_once == b"<theirs><a><b><END>"
    assert await whole(_translated(*(text[at : at + 1] for at in range(len(text))))) == at_once


async def test_a_beginning_waits_for_content() -> None:
    """What fails until then is the attempt's own failure, so that another may be made."""
    with pytest.raises(Overloaded):
        await _translated(b"begin\n", b"\n", b"fail\n").begin()
    translated = _translated(b"begin\n", b"a\n", b"fail\n")
    await translated.begin()
    assert await anext(translated) == b"<theirs><a>"
    with pytest.raises(Overloaded):
        await anext(translated)


async def test_a_stream_without_its_end_is_a_failure() -> None:
    """Whatever came before is given out."""
    translated = _translated(b"begin\na\n", b"stop\n")
    assert await anext(translated) == b"<theirs><a>"
    with pytest.raises(BadAnswer):
        await anext(translated)


async def test_a_stream_of_prelude_alone_does_not_go_on_for_ever() -> None:
    with pytest.raises(BadAnswer):
        await _translated(*[b"\n" * 1024] * 2000).begin()


async def test_the_answer_is_kept_before_the_client_sees_its_end() -> None:
    """Under the id that the client sees."""
    kept: list[Completion] = []
    translated = _translated(b"begin\na\nstop\n", b"end\n", kept=kept, identity="ours")
    assert await anext(translated) == b"<ours><a>"
    assert not kept
    assert await anext(translated) == b"<END>"
    assert [(one.id, one.choices[0].parts) for one in kept] == [("ours", [Text("a")])]


async def test_what_passes_untouched_is_watched_for_its_end() -> None:
    """A stream that never says why it stopped is cut, however politely the connection was closed."""
    seen: list[bytes] = []
    watched = Watched(_chunks(b"a", b"stop"), seen.append, lambda: seen[-1:] == [b"stop"])
    assert await whole(watched) == b"astop"
    seen.clear()
    with pytest.raises(BadAnswer):
        await whole(Watched(_chunks(b"a"), seen.append, lambda: seen[-1:] == [b"stop"]))


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
async def test_half_an_event_at_the_end_is_dropped(end: bytes) -> None:
    """Even if it holds the reason to stop; a whole one without its blank line is an event."""
    whole_event, seen = b'data: {"a": "stop"}', list[bytes]()
    before = b'data: {"a": 1}' + end
    watched = Watched(_chunks(before, before + whole_event[:-2]), seen.append, lambda: b"stop" in b"".join(seen))
    assert await anext(watched) == before
    with pytest.raises(BadAnswer):
        await anext(watched)
    watched = Watched(_chunks(before, before + whole_event), seen.append, lambda: b"stop" in b"".join(seen))
    assert await whole(watched) == before + before + whole_event


@pytest.mark.parametrize("cut", [1, 1000])
async def test_what_came_before_a_failure_is_told(cut: int) -> None:
    """Also if it came in the same chunk."""
    text = b"begin\na\nb\nfail\nc\n"
    translated = _translated(*(text[at : at + cut] for at in range(0, len(text), cut)))
    await translated.begin()
    got: list[bytes] = []
    with pytest.raises(Overloaded):
        async for chunk in translated:
            got.append(chunk)  # what came before an error counts
    assert b"".join(got) == b"<theirs><a><b>"


async def test_what_came_before_a_missing_end_is_told() -> None:
    """Though nothing ends its last line."""
    translated = _translated(b"begin\na")
    assert await anext(translated) == b"<theirs>"
    assert await anext(translated) == b"<a>"
    with pytest.raises(BadAnswer):
        await anext(translated)
