"""The ring: bounded, found by id, filtered, followed, and without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.exchange import Attempt
from proxy.telemetry.receipts import MAX_LISTENERS, Filter, Receipts, Settings
from tests.support.receipts import add, charged, finished, outcome, row

SECRET = "the-secret-of-the-file"


def _ids(receipts: Receipts, **meant: str) -> list[str]:
    return [one.id for one in receipts.latest(Filter(**meant), 100)]


def _written(receipts: Receipts, id: str, *, bodies: bool = True) -> Any:
    one = receipts.find(id)
    assert one is not None
    return json.loads(receipts.write(one, bodies=bodies))


def test_the_newest_come_first_and_the_oldest_go() -> None:
    receipts = Receipts(Settings(max=2))
    for number in range(3):
        add(receipts, f"req_{number}")
    assert _ids(receipts) == ["req_2", "req_1"]
    assert receipts.find("req_0") is None
    assert receipts.latest(Filter(), 1)[0].id == "req_2"


def test_large_ones_take_the_place_of_several() -> None:
    """The size is a bound of its own, and it is given back."""
    receipts = Receipts(Settings(max_size=10_000))
    add(receipts, "req_0")
    each = receipts.size
    for number in range(1, 10):
        add(receipts, f"req_{number}")
    assert len(_ids(receipts)) == 10_000 // each
    assert receipts.size <= 10_000
    add(receipts, "req_long", path="/v1/" + "x" * 9000)
    assert _ids(receipts) == []
    assert receipts.size == 0


def test_none_are_kept_if_the_file_says_so() -> None:
    receipts = Receipts()
    add(receipts)
    receipts.follow({"max": 0}, ())
    add(receipts, "req_2")
    assert _ids(receipts) == []


@pytest.mark.parametrize(
    ("meant", "ids"),
    [
        ({"route": "chat"}, ["c", "a"]),
        ({"model": "slow"}, ["b"]),
        ({"status": "429"}, ["b"]),
        ({"status": "2xx"}, ["c", "a"]),
        ({"organisation": "acme"}, ["b", "a"]),
        ({"team": "ads"}, ["b"]),
        ({"key": "web", "status": "200"}, ["a"]),
    ],
)
def test_filters(meant: dict[str, str], ids: list[str]) -> None:
    receipts = Receipts()
    add(receipts, "a", who=("acme", "search", "web"))
    add(receipts, "b", 429, route="other", model="slow", who=("acme", "ads", "web"))
    add(receipts, "c")
    assert _ids(receipts, **meant) == ids


async def test_who_listens_hears_of_what_is_meant() -> None:
    receipts = Receipts()
    listener = receipts.listen(Filter(status="4xx"))
    add(receipts, "a")
    add(receipts, "b", 404)
    assert await listener.more(5)
    assert [one.id for one in listener.take(10)[1]] == ["b"]
    assert not await listener.more(0.001)
    receipts.leave(listener)
    add(receipts, "c", 404)
    assert listener.take(10) == (0, [])


def test_who_is_slow_misses_the_oldest() -> None:
    receipts = Receipts()
    listener = receipts.listen(Filter())
    for number in range(300):
        add(receipts, str(number))
    missed, found = listener.take(1000)
    assert (missed, len(found), found[-1].id) == (44, 256, "299")
    assert listener.take(1) == (0, [])


def test_listeners_are_bounded() -> None:
    receipts = Receipts()
    for _ in range(MAX_LISTENERS):
        receipts.listen(Filter())
    assert receipts.is_full


def test_what_is_not_settled_is_told_when_it_is() -> None:
    """It can be looked up before."""
    receipts, charge, one = Receipts(), charged(row(), settled=False), Attempt("up/fast")
    one.charge = charge
    listener = receipts.listen(Filter())
    add(receipts, "a", attempts=[one])
    assert receipts.find("a") is not None
    assert listener.take(1) == (0, [])
    charge.settle("ok")
    assert [found.id for found in listener.take(1)[1]] == ["a"]


def test_no_secret_of_the_file_or_of_the_caller_is_shown() -> None:
    """Wherever it stands, also where JSON spells it otherwise; those of files before stay hidden."""
    receipts = Receipts()
    receipts.follow({"bodies": "redacted"}, [SECRET, 'with "quotes" in it'])
    receipts.follow({"bodies": "redacted"}, ["another-one", "short"])
    caller = "key-of-the-caller"
    headers = [(b"authorization", b"Bearer " + caller.encode())]
    x = finished("a", headers=headers, path=f"/v1/{caller}", model=f"{caller}!")
    x.tags, x.notes = {"user": caller}, {"race": f"{SECRET} was first, short"}
    x.sent.append((b"x-sluicegate-cache", b"another-one"))
    x.body = json.dumps({"a": 'with "quotes" in it', "b": [SECRET, caller, "sk-0123456789abcdef0123"]}).encode()
    receipts.add(x, outcome(x), None, 0.03)
    found = _written(receipts, "a")
    assert (found["path"], found["model"], found["tags"]) == ("/v1/***", "***!", {"user": "***"})
    assert found["notes"] == {"race": "*** was first, short"}
    assert found["cache"] == "***"
    assert found["request"]["text"] == '{"a": "***", "b": ["***", "***", "***"]}'
    assert x.tags == {"user": caller}


def test_a_secret_that_is_a_word_of_ours_breaks_no_receipt() -> None:
    receipts = Receipts()
    receipts.follow({}, ["sluicegate", "duration_ms"])
    add(receipts, "a")
    found = _written(receipts, "a")
    assert (found["duration_ms"], found["headers"]) == (30.0, {"x-sluicegate-target": "up/fast"})


async def test_texts_only_if_asked_for() -> None:
    """Of both sides; and nobody gets them who may not see them."""
    receipts = Receipts()
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    for id, bodies in (("a", "none"), ("b", "redacted")):
        receipts.follow({"bodies": bodies}, ())
        x = finished(id)
        x.body = b"a question"
        await receipts.copy(x, send)({"type": "http.response.body", "body": b"an answer"})
        receipts.add(x, outcome(x), None, 0.03)
    assert _written(receipts, "a")["request"] is _written(receipts, "a")["response"] is None
    assert _written(receipts, "b")["request"] == {"text": "a question", "cut": False}
    assert _written(receipts, "b")["response"] == {"text": "an answer", "cut": False}
    assert _written(receipts, "b", bodies=False)["response"] is None
    assert len(sent) == 2
