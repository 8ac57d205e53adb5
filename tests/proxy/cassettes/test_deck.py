"""A cassette in use: order of equal requests, modes, what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proxy.cassettes.cassette import append, load
from proxy.cassettes.deck import Deck, Mode, Settings
from proxy.cassettes.matching import Match
from proxy.cassettes.recorder import Pending, Stars
from proxy.cassettes.take import Raw, Request, Response, Take, write
from tests.support.compiled import make_exchange


def asks(text: str) -> Request:
    """A request."""
    body = Raw(json.dumps({"text": text}).encode())
    return Request(method="POST", path="/v1/chat/completions", body=body)


def document(text: str, answer: str) -> bytes:
    """A take of it."""
    request = asks(text)
    response = Response(status=200)
    return write(Take(recorded="x", request=request, response=response), request.content(), answer.encode(), [])


def deck(path: Path, mode: Mode = "none") -> Deck:
    """In use."""

    def told(result: str, why: str) -> None:
        raise AssertionError(why)

    return Deck(Settings("c.yaml", path, mode, Match()), told)


async def answer(of: Deck, text: str) -> str | None:
    """Of the next take."""
    take = await of.find(asks(text))
    return None if take is None else take.response.content().decode()


def pending(text: str, answer: str) -> Pending:
    """An exchange that is over."""
    x = make_exchange()
    x.body = bytes(asks(text).body)
    made = Pending(x, Stars())
    made.head(200, [], None, "")
    made.whole(answer.encode())
    return made


async def test_equal_requests_are_answered_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    append(path, [document("a", "1"), document("b", "x"), document("a", "2")])
    of = deck(path)
    assert [await answer(of, "a") for _ in range(4)] == ["1", "2", "2", "2"]
    assert await answer(of, "b") == "x"
    assert await answer(of, "c") is None
    assert len(of) == 3


async def test_stars_on_a_cassette_match(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    append(path, [document("I am ***", "1")])
    of = deck(path)
    assert await answer(of, "I am cus_1") == "1"
    assert await answer(of, "You are cus_1") is None


async def test_a_large_request_is_found(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    append(path, [document("a" * 100_000, "1")])
    assert await answer(deck(path), "a" * 100_000) == "1"


@pytest.mark.parametrize(
    ("mode", "is_there", "replays", "records"),
    [
        ("none", True, True, False),
        ("once", True, True, False),
        ("once", False, False, True),
        ("new", True, True, True),
        ("new", False, True, True),
        ("all", True, False, True),
    ],
)
async def test_modes(mode: Any, is_there: bool, replays: bool, records: bool, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    if is_there:
        append(path, [document("a", "1")])
    of = deck(path, mode)
    assert (of.replays, of.records, of.flaws) == (replays, records, [])
    assert of.record(pending("b", "2")) is records
    await of.aclose()
    assert len(load(path).entries) == (is_there and mode != "all") + records


async def test_new_finds_what_was_recorded_just_now(tmp_path: Path) -> None:
    of = deck(tmp_path / "c.yaml", "new")
    assert await answer(of, "a") is None
    of.record(pending("a", "1"))
    assert await answer(of, "a") == "1"
    assert await answer(of, "b") is None
    await of.aclose()


def test_an_absent_cassette_is_no_cassette(tmp_path: Path) -> None:
    of = deck(tmp_path / "c.yaml")
    assert of.flaws == [f"{tmp_path}/c.yaml: there is no such cassette; record one first"]


async def test_a_miss_is_told(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    append(path, [document("a", "1"), document("hello", "2")])
    message = await deck(path).missed(asks("hallo"))
    assert message == (
        "c.yaml holds no answer to this POST /v1/chat/completions. The nearest recorded request (take 2, line 21) "
        'differs in text: recorded "hello", sent "hallo"'
    )
    (tmp_path / "empty.yaml").write_text('{"cassette": 1}\n')
    assert (await deck(tmp_path / "empty.yaml").missed(asks("a"))).endswith("as it is empty.")


def test_a_cassette_that_has_changed_is_another(tmp_path: Path) -> None:
    """So that a reload reads it again; one that is written is told apart by nothing of the sort."""
    path = tmp_path / "c.yaml"
    append(path, [document("a", "1")])
    before = Settings("c", path, "none", Match()).key, Settings("c", path, "new", Match()).key
    append(path, [document("b", "1")])
    assert Settings("c", path, "none", Match()).key != before[0]
    assert Settings("c", path, "new", Match()).key == before[1]
