"""What a request costs: told, counted, bound or nothing; settled once, before its end is handed on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from proxy.background import Background
from proxy.caching.savings import Saved
from proxy.chat import Choice, Completion, Delta, Text, Usage
from proxy.chat import Open as OpenPart
from proxy.dialects.paths import EXACT
from proxy.exchange import Exchange, Identity
from proxy.ledger.charge import DEFAULT_OUTPUT, Charges, Metered, OpenCharge, UnpricedModel
from proxy.ledger.row import PriceTerms, Row
from proxy.policy import Answer
from proxy.price import Price
from proxy.tokens.encodings import count
from proxy.wire.flow import Flow
from tests.support.compiled import make_exchange

PRICE = Price(1_000_000, 2_000_000, request=5, multipliers=(("flex", 500),))  # 1 and 2 nano-dollars for a token
TEXT = "The quick brown fox jumps over the lazy dog."
QUESTION = [{"role": "user", "content": "What does the fox do?"}]


class Written:
    """A ledger that remembers what it was told, in order, as it was then."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Row]] = []
        self.terms: list[PriceTerms] = []

    def open(self, row: Row) -> None:
        self.said.append(("open", msgspec.structs.replace(row)))

    def settle(self, row: Row) -> None:
        self.said.append(("settle", msgspec.structs.replace(row)))

    def add(self, row: Row) -> bool:
        self.said.append(("add", msgspec.structs.replace(row)))
        return True

    def price(self, terms: PriceTerms) -> None:
        self.terms.append(terms)

    @property
    def settled(self) -> list[Row]:
        return [row for what, row in self.said if what == "settle"]


def exchange(path: str = "/v1/chat/completions") -> Exchange:
    x = make_exchange(path)
    x.endpoint, x.model, x.route = EXACT["POST", path], "fast", "chat"
    x.body = json.dumps({"model": "fast", "messages": QUESTION}).encode()
    x.request_id = "req_0123456789abcdef01234567"
    x.bound = (100, 50)
    return x


def begun(written: Written, x: Exchange | None = None, *, price: Price | None = PRICE, room: int = 100) -> OpenCharge:
    return Charges(written, Background(room)).open(x or exchange(), "up", "gpt-4o", price)


def answer(*chunks: bytes, body: dict[str, Any] | None = None) -> Answer:
    """A whole one, or one that flows."""
    if body is not None:
        return Answer(200, [], body=json.dumps(body).encode())
    return Answer(200, [], chunks=flowing(*chunks), is_sse=True)


async def flowing(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def piece(text: str, **more: Any) -> bytes:
    """An event of a chat's stream."""
    event = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}], **more}
    return f"data: {json.dumps(event)}\n\n".encode()


def tokens(text: str) -> int:
    return count(text, "gpt-4o")


async def ended(charge: OpenCharge) -> None:
    """Until what is counted a moment later has been."""
    over = asyncio.Event()
    charge.then(over.set)
    async with asyncio.timeout(10):
        await over.wait()
    assert charge.is_settled


# Opening


def test_a_row_is_opened_at_its_bound() -> None:
    """Whose it is, what it was asked for, and the most that it may cost."""
    written, x = Written(), exchange()
    x.identity, x.variant, x.stream = Identity("acme", "red", "k"), "b", True
    x.tags = {"user": "zoe", "session": "s", "project": "p", "feature": "f", "other": "o"}
    charge = begun(written, x)
    ((what, row),) = written.said
    assert what == "open"
    assert (row.request, row.number, row.status, row.settled) == (x.request_id, 1, "open", 0)
    assert (row.organisation, row.team, row.key) == ("acme", "red", "k")
    assert (row.user, row.session, row.project, row.feature) == ("zoe", "s", "p", "f")
    assert (row.route, row.asked, row.model, row.provider) == ("chat", "fast", "gpt-4o", "up")
    assert (row.variant, row.stream) == ("b", True)
    assert (row.bound_input, row.bound_output, row.bound_cost) == (100, 50, 100 + 2 * 50 + 5)
    assert (row.price, row.flags) == (PRICE.version, "")
    assert written.terms == [PriceTerms(PRICE.version, PRICE.terms)]
    assert (charge.cost, charge.is_settled) == (0, False)


def test_what_nobody_was_asked_for_is_a_row_that_used_nothing() -> None:
    """After the attempts of its request, whatever became of them; what it saves stands beside its cost."""
    written, x = Written(), exchange()
    x.identity, x.tags, x.stream = Identity("acme", "red", "k"), {"user": "zoe"}, True
    charges = Charges(written)
    begun(written, x)
    charges.saved(x, "stale", "up/meta/llama", Saved(12, 7, 5))
    what, row = written.said[-1]
    assert (what, row.number, row.status, row.source, row.cache) == ("add", 2, "ok", "none", "stale")
    assert (row.provider, row.model, row.asked, row.route) == ("up", "meta/llama", "fast", "chat")
    assert (row.organisation, row.team, row.key, row.user, row.stream) == ("acme", "red", "k", "zoe", True)
    assert (row.cost, row.bound_cost, row.input, row.output, row.price) == (0, 0, 0, 0, "")
    assert (row.saved, row.saved_input, row.saved_output) == (12, 7, 5)
    assert row.settled == row.opened
    Charges().saved(x, "exact", "up/a", Saved())  # who keeps no ledger


def test_ids_differ_and_sort_by_time() -> None:
    """Of one request too; the terms of a price are written once."""
    written, x = Written(), exchange()
    charges = Charges(written)
    rows = [charges.open(x, "up", "gpt-4o", PRICE).row for _ in range(50)]
    assert len({row.id for row in rows}) == 50
    assert all(len(row.id) == 28 and row.id.startswith("att_") for row in rows)
    assert all(before.id[:16] <= after.id[:16] for before, after in pairwise(rows))
    assert [int(row.id[4:16], 16) for row in rows] == [row.opened // 1000 for row in rows]
    assert len(written.terms) == 1


@pytest.mark.parametrize(("most", "expected"), [(None, DEFAULT_OUTPUT), (77, 77)])
def test_where_the_request_does_not_say_how_long_an_answer_may_be(most: int | None, expected: int) -> None:
    """The model does, or else nobody."""
    x = exchange()
    x.bound = (100, None)
    charge = Charges(Written()).open(x, "up", "gpt-4o", PRICE, most)
    assert charge.row.bound_output == expected


async def test_a_model_without_a_price_is_flagged_or_refused() -> None:
    """As the file says; what is refused is not written down."""
    written = Written()
    charge = begun(written, price=None)
    charge.usage = Usage(input=10, output=5)
    charge.settle("ok")
    (row,) = written.settled
    assert (row.flags, row.price, row.cost, row.bound_cost, row.input) == ("unpriced", "", 0, 0, 10)
    charges = Charges(written)
    charges.needs_price = True
    with pytest.raises(UnpricedModel, match="up/gpt-4o") as refused:
        charges.open(exchange(), "up", "gpt-4o", None)
    assert (refused.value.http_status, refused.value.error_code) == (403, "unknown_price")
    assert len(written.said) == 2
    charges.open(exchange(), "up", "gpt-4o", PRICE)
    assert len(written.said) == 3


async def test_another_key_is_another_row() -> None:
    """Of the same request: what the first has cost stays, and the second is numbered after it."""
    written, x = Written(), exchange()
    charges = Charges(written)
    first, second = charges.open(x, "up", "gpt-4o", PRICE), charges.open(x, "up", "gpt-4o", PRICE)
    first.settle("error", "unauthorized")
    await second.take(answer(body={"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}))
    assert [(row.number, row.status, row.reason, row.cost) for row in written.settled] == [
        (1, "error", "unauthorized", 0),
        (2, "ok", "", 25),
    ]
    assert first.row.id != second.row.id


# Settling


async def test_what_the_provider_tells_counts() -> None:
    """Of a whole answer at once."""
    written = Written()
    charge = begun(written)
    told = {"prompt_tokens": 30, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 20}}
    await charge.take(answer(body={"choices": [], "usage": told}))
    (row,) = written.settled
    assert (row.status, row.source, row.input, row.cached_read, row.output) == ("ok", "reported", 10, 20, 9)
    assert row.cost == charge.cost == 30 + 2 * 9 + 5
    assert (charge.input_tokens, charge.output_tokens, charge.is_settled) == (30, 9, True)
    assert row.settled >= row.opened


async def test_what_it_does_not_tell_is_counted() -> None:
    written = Written()
    charge = begun(written)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT}}
    await charge.take(answer(body={"id": "a", "model": "gpt-4o", "choices": [choice]}))
    (row,) = written.settled
    assert (row.source, row.status, row.output) == ("counted", "ok", tokens(TEXT))
    assert tokens(QUESTION[0]["content"]) < row.input < 30
    assert row.cost == row.input + 2 * row.output + 5


async def test_an_answer_that_cannot_be_read_costs_its_input() -> None:
    """And says that it was not read."""
    written = Written()
    charge = begun(written)
    await charge.take(Answer(200, [], body=b'{"choices": 5}'))
    (row,) = written.settled
    assert (row.source, row.flags, row.output) == ("counted", "unread", 0)
    assert row.input > 0


async def test_an_answer_that_is_read_may_tell_or_be_counted() -> None:
    """As translated ones are."""
    written = Written()
    told, silent = begun(written), begun(written)
    told.told(Completion(id="", model="", choices=[], usage=Usage(input=3, output=4), service_tier="flex"))
    silent.told(Completion(id="", model="", choices=[Choice(parts=[Text(TEXT)])]))
    await told.finish()
    await silent.finish()
    first, second = written.settled
    assert (first.source, first.input, first.output, first.flags) == ("reported", 3, 4, "tier:flex")
    assert (second.source, second.output) == ("counted", tokens(TEXT))


async def test_a_service_tier_is_flagged_and_priced() -> None:
    """At half the price of the tokens here; the usual one is not flagged."""
    written = Written()
    for tier in ("flex", "default"):
        usage = {"prompt_tokens": 30, "completion_tokens": 10}
        await begun(written).take(answer(body={"choices": [], "usage": usage, "service_tier": tier}))
    assert [(row.flags, row.cost) for row in written.settled] == [("tier:flex", 25 + 5), ("", 50 + 5)]


async def test_what_cannot_be_true_is_clamped_and_flagged() -> None:
    written = Written()
    charge = begun(written)
    await charge.take(answer(body={"choices": [], "usage": {"prompt_tokens": 30, "completion_tokens": 10**12}}))
    (row,) = written.settled
    assert (row.flags, row.input, row.output, row.source) == ("clamped", 30, 50, "reported")
    assert row.cost == 30 + 2 * 50 + 5


@pytest.mark.parametrize("status", ["error", "cancelled"])
async def test_what_said_nothing_costs_nothing(status: str) -> None:
    """It failed, or its caller went."""
    written = Written()
    charge = begun(written)
    charge.settle(status, "overloaded")
    (row,) = written.settled
    assert (row.status, row.reason, row.source, row.cost, row.input, row.output) == (
        status,
        "overloaded",
        "none",
        0,
        0,
        0,
    )
    assert charge.is_settled


@pytest.mark.parametrize("status", ["error", "cancelled"])
async def test_what_broke_off_costs_what_was_emitted(status: str) -> None:
    """And the input; a moment later, as it is counted."""
    written, background = Written(), Background()
    charge = Charges(written, background).open(exchange(), "up", "gpt-4o", PRICE)
    given = answer(piece("The quick"), piece(" brown fox"), piece(" never"))
    await charge.take(given)
    assert isinstance(given.chunks, Metered)
    for _ in range(2):
        await anext(given.chunks)
    charge.settle(status, "why")
    charge.settle("ok")
    assert len(background) == 1
    await ended(charge)
    (row,) = written.settled
    assert (row.status, row.reason, row.source, row.output) == (status, "why", "counted", tokens("The quick brown fox"))
    assert row.cost == row.input + 2 * row.output + 5
    assert row.input > 0


async def test_what_was_told_before_it_broke_off_is_the_least() -> None:
    """What was emitted counts where it is more, and the rest stands."""
    written, background = Written(), Background()
    charges = Charges(written, background)
    less, more = (charges.open(exchange(), "up", "gpt-4o", PRICE) for _ in range(2))
    less.usage, more.usage = Usage(input=40, output=1), Usage(cached_read=40, reasoning=1000)
    for charge in (less, more):
        charge.heard([OpenPart(choice=0, block=0, part=Text("")), Delta(0, "text", TEXT)])
        charge.settle("cancelled", "client_gone")
        await ended(charge)
    first, second = written.settled
    assert (first.input, first.output) == (40, tokens(TEXT))
    assert (second.cached_read, second.input, second.output, second.reasoning) == (40, 0, 0, 1000)


async def test_where_too_much_waits_to_be_counted_the_bound_holds() -> None:
    written = Written()
    charge = begun(written, room=0)
    charge.heard([OpenPart(choice=0, block=0, part=Text(TEXT))])
    charge.settle("cancelled", "client_gone")
    (row,) = written.settled
    assert (row.source, row.input, row.output, row.cost) == ("bound", 100, 50, 100 + 2 * 50 + 5)


async def test_what_has_no_tokens_costs_its_request() -> None:
    """And is flagged: nobody can say what it used."""
    written = Written()
    x = exchange("/v1/audio/speech")
    assert x.endpoint.dialect is None
    for status in ("ok", "error"):
        begun(written, x).settle(status)
    assert [(row.source, row.flags, row.cost) for row in written.settled] == [("none", "unmetered", 5), ("none", "", 0)]


async def test_it_is_settled_once_and_who_waits_is_told_once() -> None:
    """Now, if it is over already."""
    written, heard = Written(), list[str]()
    charge = begun(written)
    charge.then(lambda: heard.append(f"first {charge.is_settled} {len(written.settled)}"))
    charge.then(lambda: heard.append("second"))
    charge.settle("error", "overloaded")
    charge.settle("ok")
    await charge.finish()
    charge.then(lambda: heard.append("late"))
    assert heard == ["first True 1", "second", "late"]
    assert [row.status for row in written.settled] == ["error"]


# What flows


class Ending(Flow):
    """A provider's stream whose own end mark stands in its last chunk."""

    __slots__ = ("left",)

    def __init__(self, *chunks: bytes) -> None:
        self.left = list(chunks)

    @property
    def ended(self) -> bool:
        return not self.left

    async def __anext__(self) -> bytes:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


USAGE = piece("", usage={"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}, service_tier="flex")


async def test_a_stream_is_settled_before_its_last_bytes_are_handed_on() -> None:
    """Whoever has seen its end finds it in the ledger."""
    written = Written()
    charge = begun(written)
    given = Answer(200, [], chunks=Ending(piece("Hello"), USAGE, b"data: [DONE]\n\n"), is_sse=True)
    await charge.take(given)
    assert given.chunks is not None
    seen = [(chunk, len(written.settled)) async for chunk in given.chunks]
    assert seen == [(piece("Hello"), 0), (USAGE, 0), (b"data: [DONE]\n\n", 1)]
    (row,) = written.settled
    assert (row.source, row.input, row.output, row.flags) == ("reported", 12, 3, "tier:flex")


async def test_a_stream_without_a_mark_is_settled_with_its_end() -> None:
    """Counted, where it has told nothing; what passed is untouched."""
    written = Written()
    charge = begun(written)
    chunks = [piece("The quick"), piece(" brown fox"), b"data: [DONE]\n\n"]
    given = answer(*chunks)
    await charge.take(given)
    assert given.chunks is not None
    assert [chunk async for chunk in given.chunks] == chunks
    (row,) = written.settled
    assert (row.status, row.source, row.output) == ("ok", "counted", tokens("The quick brown fox"))


async def test_a_caller_who_leaves_while_its_tokens_are_counted() -> None:
    """It is settled all the same, when its exchange ends: nothing stays open, nor reserved."""
    written, background = Written(), Background()
    charge = Charges(written, background).open(exchange(), "up", "gpt-4o", PRICE)
    text = "many words " * 10_000  # so long that it is counted in a thread
    given = answer(piece(text), b"data: [DONE]\n\n")
    await charge.take(given)
    assert given.chunks is not None
    reading = asyncio.create_task(_read(given.chunks))
    while charge.meter is None or charge.meter.size < len(text):
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert written.settled == []
    charge.settle("cancelled", "client_gone")
    await ended(charge)
    (row,) = written.settled
    assert (row.status, row.reason, row.source) == ("cancelled", "client_gone", "counted")
    assert row.output == tokens(text)


async def _read(chunks: AsyncIterator[bytes]) -> list[bytes]:
    return [chunk async for chunk in chunks]


async def test_bytes_that_are_no_events_pass_unread() -> None:
    """Speech, say."""
    written = Written()
    charge = begun(written, exchange("/v1/audio/speech"))
    given = Answer(200, [], chunks=flowing(b"\x00", b"\xff"))
    await charge.take(given)
    assert given.chunks is not None
    assert [chunk async for chunk in given.chunks] == [b"\x00", b"\xff"]
    assert [(row.status, row.flags) for row in written.settled] == [("ok", "unmetered")]


async def test_what_ends_with_the_process_stays_open() -> None:
    """And is settled at its bound by whoever finds it."""
    written = Written()
    charges = Charges(written)
    charge = charges.open(exchange(), "up", "gpt-4o", PRICE)
    charge.heard([OpenPart(choice=0, block=0, part=Text(TEXT * 1000))])
    charge.settle("cancelled", "client_gone")
    await charges.aclose()
    assert [what for what, _ in written.said] == ["open"]
    assert not charge.is_settled


def test_a_model_without_a_price_is_told_once() -> None:
    """Each of them, and not with every request."""
    charges, told = Charges(Written()), list[tuple[str, dict[str, object]]]()
    charges.told = lambda event, fields: told.append((event, fields))
    for model in ("gpt-4o", "gpt-4o", "other", "gpt-4o"):
        charges.open(exchange(), "up", model, None)
    charges.open(exchange(), "up", "priced", PRICE)
    assert told == [("ledger.unpriced", {"provider": "up", "model": model}) for model in ("gpt-4o", "other")]
