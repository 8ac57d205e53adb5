"""What is kept of an exchange: everything but secrets, in order, off the loop, and not without bounds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.cassettes import recorder
from proxy.cassettes.cassette import load
from proxy.cassettes.recorder import Pending, Recorder, Stars
from proxy.cassettes.take import Take
from proxy.errors import Unavailable
from tests.support.compiled import make_exchange

SECRET = b"sk-secret-0123456789"


def pending(stars: Stars, body: bytes = b'{"a":1}', answer: bytes = b'{"b":2}') -> Pending:
    """An exchange that is over."""
    headers = [(b"authorization", b"Bearer " + SECRET), (b"content-type", b"application/json")]
    x = make_exchange(headers=headers, query=b"key=" + SECRET + b"&alt=sse")
    x.body = body
    made = Pending(x, stars)
    made.head(200, [(b"content-type", b"application/json"), (b"x-echo", SECRET), (b"set-cookie", b"a")], None, "up/m")
    made.whole(answer)
    return made


async def recorded(tmp_path: Path, *several: Pending, fresh: bool = False) -> list[Take]:
    """What is on a cassette then."""
    path = tmp_path / "c.yaml"
    told: list[tuple[str, str]] = []
    recording = Recorder(path, lambda result, why: told.append((result, why)), fresh=fresh)
    for one in several:
        assert recording.add(one)
    await recording.aclose()
    assert told == []
    return [entry.take for entry in load(path).entries]


async def test_no_credential_is_written(tmp_path: Path) -> None:
    """Neither in headers, query, bodies nor in what is no text; also as JSON spells it."""
    odd = b'pa"ss\\word-1'
    stars = Stars([odd, b"short"], [re.compile(rb"cus_[0-9]+")])
    body = b'{"a":"' + SECRET + b' cus_42 short"}'
    takes = await recorded(
        tmp_path,
        pending(stars, body, b'{"p":"pa\\"ss\\\\word-1"}'),
        pending(stars, b"\xff" + SECRET, b"\xff" + odd),
    )
    text = (tmp_path / "c.yaml").read_text()
    assert SECRET.decode() not in text
    assert b"".join(take.response.content() for take in takes) == b'{"p":"***"}\xff***'
    assert [take.request.query for take in takes] == ["alt=sse"] * 2
    assert takes[0].request.content().split() == [b"{", b'"a":', b'"***', b"***", b'short"', b"}"]
    assert takes[1].request.content() == b"\xff***"
    assert takes[0].response.headers == {"content-type": "application/json", "x-echo": "***"}


async def test_a_secret_is_found_across_the_parts_of_an_event(tmp_path: Path) -> None:
    stars = Stars([SECRET])
    one = pending(stars)
    one.answer = None
    began = one.started + one.waited
    one.parts = [(began, b'data: {"a":"' + SECRET[:7]), (began + 1, SECRET[7:] + b'"}\n\n')]
    one.cut = began + 2, Unavailable("gone")
    (take,) = await recorded(tmp_path, one)
    assert [event.content() for event in take.response.events or ()] == [b'data: {"a":"***"}\n\n']
    assert [event.at for event in take.response.events or ()] == pytest.approx([1000], abs=0.1)
    cut = take.response.cut
    assert cut is not None
    assert (cut.status, cut.code, cut.message) == (502, "upstream_unavailable", "gone")


async def test_fresh_begins_anew_once(tmp_path: Path) -> None:
    stars = Stars()
    assert len(await recorded(tmp_path, pending(stars))) == 1
    assert len(await recorded(tmp_path, pending(stars))) == 2
    assert len(await recorded(tmp_path, pending(stars), pending(stars), fresh=True)) == 2


async def test_what_has_no_room_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    recording = Recorder(tmp_path / "c.yaml", lambda result, why: told.append((result, why)))
    large = pending(Stars())
    large.size = recorder.MAX_TAKE + 1
    assert not recording.add(large)
    for _ in range(recorder.MAX_PENDING // recorder.MAX_TAKE):
        one = pending(Stars())
        one.size = recorder.MAX_TAKE
        assert recording.add(one)
    assert not recording.add(pending(Stars()))
    assert told == [("dropped", "the answer is too long"), ("dropped", "the disk does not keep up")]
    await recording.flushed()
    assert recording.add(pending(Stars()))
    await recording.aclose()


async def test_a_disk_that_fails_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    (tmp_path / "file").touch()
    recording = Recorder(tmp_path / "file" / "c.yaml", lambda result, why: told.append((result, why)))
    assert recording.add(pending(Stars()))
    await recording.aclose()
    assert [result for result, _ in told] == ["failed"]
    assert not await recording.flushed()
