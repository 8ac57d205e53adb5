"""What one upstream request costs: opened before it is sent, settled before the last byte of its answer is handed on.

What the provider tells of its usage counts. Where it tells none, or the answer broke off, what was emitted is counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Protocol, cast

import msgspec

from proxy.background import Background
from proxy.caching.savings import Kind, Saved
from proxy.chat import Completion, Event, Usage
from proxy.dialects.table import DIALECTS
from proxy.errors import GatewayError, UpstreamError
from proxy.exchange import Exchange, Identity
from proxy.gather import events_of
from proxy.ledger.row import PriceTerms, Row, Source, Status
from proxy.policy import Answer
from proxy.price import Price
from proxy.reports import Listener
from proxy.tokens.emitted import Emitted, absurd, service_tier, whole_usage
from proxy.tokens.encodings import is_loaded
from proxy.tokens.request import counted, quick_bound
from proxy.tokens.tally import Tally
from proxy.tokens.told import Told, read_told, without_usage
from proxy.wire.flow import Flow

NAME = "charges"  # under which they are shared
_SHORT = 16 << 10  # bytes of text that are counted at once, within some milliseconds
_TELL_AGAIN = 3600.0  # seconds
_MOST_UNPRICED = 1000  # models that are remembered
DEFAULT_OUTPUT = 4096  # tokens that an answer is expected to have at most, if neither the caller nor the model says


class UnpricedModel(GatewayError):
    """Nobody knows what the model costs, and the file says that it must not be asked then."""

    status = 403
    code = "unknown_price"


class Ledger(Protocol):
    """Where rows are written."""

    def open(self, row: Row) -> None:
        """Write it down. ``GatewayError`` if that cannot be done: nothing may be sent then."""

    def settle(self, row: Row) -> None:
        """Write down what became of it."""

    def add(self, row: Row) -> bool:
        """Write down what has cost nothing; False if that cannot be done."""

    def price(self, terms: PriceTerms) -> None:
        """Keep the terms of a price beside the rows that name its version."""


class Nowhere:
    """The ledger of who keeps none: what is charged is known while the request lasts."""

    def open(self, row: Row) -> None:
        """Nothing is written."""

    def settle(self, row: Row) -> None:
        """Nothing is written."""

    def add(self, row: Row) -> bool:
        """Nothing is written."""
        return True

    def price(self, terms: PriceTerms) -> None:
        """Nothing is written."""


class Charges:
    """Opens the charges of one process. ``needs_price``: a model whose price is unknown is refused. ``told`` hears of
    those that are used without a price, once an hour each."""

    __slots__ = ("_background", "_known", "_unpriced", "ledger", "needs_price", "told")

    def __init__(self, ledger: Ledger | None = None, background: Background | None = None) -> None:
        self.ledger: Ledger = ledger or Nowhere()
        self._background = Background(10_000) if background is None else background  # one that is idle is falsy
        self._known: set[str] = set()  # versions of prices that have been written down
        self._unpriced: dict[tuple[str, str], float] = {}  # without a price → when that is told again, monotonic
        self.needs_price = False
        self.told: Listener | None = None

    def open(
        self, x: Exchange, provider: str, model: str, price: Price | None, max_output: int | None = None
    ) -> OpenCharge:
        """The charge of one request to ``model`` of ``provider``, in the ledger.

        Raises:
            GatewayError: it cannot be written, or its price is unknown and must not be.
        """
        if price is None and self.needs_price:
            raise UnpricedModel(f"The price of {provider}/{model} is not known; `models` of the account can say it.")
        now, number = time.time_ns(), next(x.numbers)
        row = _row(x, now // 1000, number, provider, model)
        most, output = x.bound or quick_bound(x)
        row.bound_input = most
        row.bound_output = output if output is not None else max_output or DEFAULT_OUTPUT
        if price is None:
            row.flags = "unpriced"
            self._tell(provider, model)
        else:
            row.price = price.version
            row.bound_cost = price.bound(row.bound_input, row.bound_output)
            if row.price not in self._known:
                self._known.add(row.price)
                self.ledger.price(PriceTerms(row.price, price.terms))
        self.ledger.open(row)
        return OpenCharge(row, price, x, self)

    def _tell(self, provider: str, model: str) -> None:
        """Somebody used what nobody knows the price of."""
        if self.told is None:
            return
        now = time.monotonic()
        if now < self._unpriced.get((provider, model), now):
            return
        if len(self._unpriced) >= _MOST_UNPRICED:
            self._unpriced.pop(next(iter(self._unpriced)))
        self._unpriced[provider, model] = now + _TELL_AGAIN
        self.told("ledger.unpriced", {"provider": provider, "model": model})

    def close(self, row: Row) -> None:
        """Write down what became of it."""
        self.ledger.settle(row)

    def saved(self, x: Exchange, kind: Kind, target: str, saved: Saved) -> None:
        """See ``proxy.caching.savings.Savings``."""
        now = time.time_ns() // 1000
        provider, _, model = target.partition("/")
        row = _row(x, now, next(x.numbers), provider, model)
        row.settled, row.status, row.source, row.cache = now, "ok", "none", kind
        row.saved, row.saved_input, row.saved_output = saved
        self.ledger.add(row)

    def later(self, charge: OpenCharge, status: Status, reason: str) -> bool:
        """Settle it when its tokens have been counted; False if too much waits for that."""
        return self._background.start(charge.count(status, reason), "count tokens")

    async def aclose(self) -> None:
        """End what is being counted: its rows stay open, and are settled at their bound."""
        await self._background.aclose()


_NOBODY = Identity("", "", "")


def _row(x: Exchange, now: int, number: int, provider: str, model: str) -> Row:
    """Whose it is, and what for. ``now`` in microseconds."""
    who, tags = x.identity or _NOBODY, x.tags
    return Row(
        f"att_{now // 1000:012x}{x.request_id[-10:]}{number & 255:02x}",
        x.request_id,
        number,
        now,
        organisation=who.organisation,
        team=who.team,
        key=who.key,
        user=tags.get("user", ""),
        session=tags.get("session", ""),
        project=tags.get("project", ""),
        feature=tags.get("feature", ""),
        route=x.route,
        asked=x.model,
        model=model,
        provider=provider,
        variant=x.variant,
        stream=x.stream,
    )


class OpenCharge:
    """See ``proxy.exchange.Charge``. ``meter`` has seen what was emitted, as far as that is known."""

    __slots__ = (
        "_body",
        "_charges",
        "_endpoint",
        "_price",
        "_status",
        "_then",
        "_tier",
        "_x",
        "is_settled",
        "meter",
        "row",
        "usage",
    )

    def __init__(self, row: Row, price: Price | None, x: Exchange, charges: Charges) -> None:
        self.row = row
        self.meter: Emitted | Tally | None = None
        self.usage: Usage | None = None  # as the provider has told it
        self.is_settled = False
        self._body: bytes | None = None  # of a whole answer in the caller's dialect that told no usage
        self._price = price
        self._x: Exchange | None = x  # until it is settled: the exchange knows its charges
        self._endpoint = x.endpoint
        self._charges = charges
        self._tier = ""  # of service, where it is not the usual one
        self._status = ""  # how it ended, as soon as it has
        self._then: list[Callable[[], None]] = []

    @property
    def cost(self) -> int:
        return self.row.cost

    @property
    def input_tokens(self) -> int:
        row = self.row
        return row.input + row.cached_read + row.cache_write_5m + row.cache_write_1h + row.input_audio

    @property
    def output_tokens(self) -> int:
        return self.row.output + self.row.reasoning + self.row.output_audio

    # What comes

    async def take(self, answer: Answer) -> None:
        """The answer that the request brought. A whole one is settled now; one that flows will be with its end."""
        endpoint = self._endpoint
        if answer.translated is not None:
            return
        if answer.body is None and answer.chunks is not None:
            if endpoint.dialect is not None and answer.is_sse:
                self.meter = Emitted(endpoint.dialect)
            answer.chunks = Metered(answer.chunks, self)
            return
        if self.usage is None and self.meter is None and answer.body is not None and endpoint.answers_json:
            self.usage, self._tier = whole_usage(endpoint.dialect, answer.summary or _summary(answer.body))
            self._body = answer.body
        await self.finish()

    def told(self, completion: Completion) -> None:
        """A whole answer, read."""
        self.usage, self._tier = completion.usage, service_tier(completion.service_tier)
        if self.usage is None:
            self.heard(events_of(completion))

    def heard(self, events: list[Event]) -> None:
        """Events of an answer that is read as it flows."""
        if self.meter is None:
            self.meter = Tally()
        assert isinstance(self.meter, Tally)
        self.meter.feed(events)

    # Settling

    def settle(self, status: str, reason: str = "") -> None:
        """Once. If tokens have to be counted for it, a moment later."""
        if self._status:
            return
        if self._at_once(status, reason):
            return
        self._status = status
        if not self._charges.later(self, cast(Status, status), reason):
            usage = Usage(input=self.row.bound_input, output=self.row.bound_output)
            self._write(cast(Status, status), reason, usage, "bound")

    async def finish(self) -> None:
        """The answer is about to end well. Settled when this returns."""
        if self._status or self._at_once("ok", ""):
            return
        self._status = "ok"
        try:
            await self.count("ok", "")
        except asyncio.CancelledError:  # its caller left meanwhile: the end of the exchange settles it
            if not self.is_settled:
                self._status = ""
            raise

    def _at_once(self, status: str, reason: str) -> bool:
        """Settle it, if nothing has to be counted."""
        if self.usage is None and self.meter is not None:
            self.usage, self._tier = self.meter.usage(), self.meter.tier()
        if status == "ok" and self.usage is not None:
            self._status = status
            self._write("ok", reason, self.usage, "reported")
            return True
        if self._endpoint.dialect is None or self._endpoint.operation == "count_tokens":
            has_text = False
        else:
            has_text = status == "ok" or self.usage is not None or (self.meter is not None and self.meter.has_begun)
        if not has_text:  # what failed or was left before it said anything costs nothing
            self._status = status
            self._write(cast(Status, status), reason, None, "none")
        return not has_text

    async def count(self, status: Status, reason: str) -> None:
        """Settle by what was emitted, where that is more than was told; by its bound, if that cannot be counted."""
        try:
            usage = await self._counted()
        except Exception:  # whatever it is, a charge that is never settled would hold its reservation for ever
            self.row.flags = f"{self.row.flags} uncounted".strip()
            usage = Usage(input=self.row.bound_input, output=self.row.bound_output)
            self._write(status, reason, usage, "bound")
        else:
            self._write(status, reason, usage, "counted")

    async def _counted(self) -> Usage:
        usage = Usage() if self.usage is None else self.usage
        if self.meter is None and self._body is not None:
            self._read_body()
        emitted = await self._emitted()
        if not usage.input_total and self._x is not None:
            usage.input = await counted(self._x)
        if emitted > usage.output_total:
            usage.output += emitted - usage.output_total
        return usage

    async def _emitted(self) -> int:
        """Tokens of what was emitted; a long text is counted in a thread."""
        meter, model = self.meter, self.row.model
        if meter is None:
            return 0
        if meter.size <= _SHORT and is_loaded(model):
            return meter.tokens(model)
        return await asyncio.to_thread(meter.tokens, model)

    def _read_body(self) -> None:
        assert self._body is not None
        try:
            completion = DIALECTS[self._endpoint.dialect].read_answer(without_usage(self._body))
        except (UpstreamError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # It passes as it is, and nobody can say what is in it.
            self.row.flags = f"{self.row.flags} unread".strip()
        else:
            self.heard(events_of(completion))

    def then(self, work: Callable[[], None]) -> None:
        """Call ``work`` when it is settled."""
        if self.is_settled:
            work()
        else:
            self._then.append(work)

    def _write(self, status: Status, reason: str, usage: Usage | None, source: Source) -> None:
        row = self.row
        if usage is not None:
            clamped = absurd(usage, row.bound_input, row.bound_output)
            if clamped is not None:
                usage, row.flags = clamped, f"{row.flags} clamped".strip()
            _copy(usage, row)
            if self._tier:
                row.flags = f"{row.flags} tier:{self._tier}".strip()
            if self._price is not None:
                row.cost = self._price.cost(usage, tier=self._tier)
        elif status == "ok":
            row.flags = f"{row.flags} unmetered".strip()
            if self._price is not None:
                row.cost = self._price.cost(Usage())
        row.settled, row.status, row.reason, row.source = time.time_ns() // 1000, status, reason, source
        self._charges.close(row)
        self.is_settled = True
        self._x = self._body = None
        waiting, self._then = self._then, []
        for work in waiting:
            work()


def _summary(body: bytes) -> Told | None:
    """Of an answer that no provider sent over a wire."""
    try:
        return read_told(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _copy(usage: Usage, row: Row) -> None:
    row.input, row.output = usage.input, usage.output
    row.cached_read, row.reasoning = usage.cached_read, usage.reasoning
    row.cache_write_5m, row.cache_write_1h = usage.cache_write_5m, usage.cache_write_1h
    row.input_audio, row.output_audio = usage.input_audio, usage.output_audio


class Metered:
    """An answer's bytes on their way, seen by the meter. With its end, and before it is handed on, it is settled."""

    __slots__ = ("_charge", "_chunks", "_feed", "_flow")

    def __init__(self, chunks: AsyncIterator[bytes], charge: OpenCharge) -> None:
        self._chunks = chunks
        self._flow = chunks if isinstance(chunks, Flow) else None
        self._charge = charge
        self._feed: Callable[[bytes], None] | None = charge.meter.feed if isinstance(charge.meter, Emitted) else None

    def __aiter__(self) -> Metered:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            await self._charge.finish()
            raise
        if self._feed is not None:
            self._feed(chunk)
        if self._flow is not None and self._flow.ended:
            await self._charge.finish()
        return chunk
