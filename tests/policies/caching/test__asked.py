"""What is known of a request whose answer may be kept."""

from __future__ import annotations

import pytest

from policies.caching._asked import Asked
from proxy.caching.control import NOTHING_SAID
from proxy.caching.flight import Flights
from proxy.errors import BadAnswer
from tests.support.caching import STREAM, asked, flowing, said


def begun() -> Asked:
    """One with nothing to it."""
    return Asked(b"k" * 32, NOTHING_SAID, wants_usage=False)


def test_flights_are_of_one_form() -> None:
    one = begun()
    keys = {one.flight_key(asked(stream=stream)) for stream in (True, False)}
    one.wants_usage = True
    keys |= {one.flight_key(asked(stream=stream)) for stream in (True, False)}
    assert len(keys) == 4


async def test_a_caller_that_leaves_others_reading_has_no_part_in_it() -> None:
    """Its flight lands with the stream."""
    x, one, flights = asked(stream=True), begun(), Flights[object]()
    one.flight = flights.begin(b"k")
    answer = flowing(x, *STREAM)
    answer.attempt = x.attempts[0]
    one.take(x, answer, 1000)
    assert one.flow is not None
    other = one.flow.reader()
    assert answer.close is not None
    answer.close()
    assert one.is_left
    assert answer.attempt is None
    assert len(flights) == 1
    assert b"".join([chunk async for chunk in other]) == b"".join(STREAM)
    assert len(flights) == 0


async def test_a_stream_that_tells_of_a_failure_is_no_answer() -> None:
    x, one = asked(stream=True), begun()
    answer = flowing(x, *STREAM)
    answer.told_failure = lambda: True
    one.take(x, answer, 1000)
    assert answer.chunks is not None
    assert [chunk async for chunk in answer.chunks]
    assert one.body() is None


async def test_an_entry_tells_what_it_took() -> None:
    x, one = asked(stream=True), begun()
    one.moment = (3,)
    answer = flowing(x, *STREAM)
    one.take(x, answer, 1000)
    assert answer.chunks is not None
    assert [chunk async for chunk in answer.chunks]
    body = one.body()
    assert body is not None
    found = one.entry(x, body, 100.0, 60.0)
    assert (found.is_sse, found.id, found.created, found.marks, found.ttl) == (True, "chatcmpl-1", 1, (3,), 60.0)
    assert found.content_type == b"text/event-stream"
    assert not found.tells_usage


async def test_a_broken_stream_raises_for_its_caller() -> None:
    x, one = asked(stream=True), begun()
    answer = flowing(x, said(), failure=BadAnswer("no"))
    one.take(x, answer, 1000)
    assert answer.chunks is not None
    with pytest.raises(BadAnswer):
        assert [chunk async for chunk in answer.chunks]
    assert one.body() is None
