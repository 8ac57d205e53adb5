"""What tokens of a model cost, and what a request has cost: whole nano-dollars, exact to the last of them."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from typing import Self

import msgspec

from proxy.chat import Usage

MILLION = 1_000_000
MILLE = 1000
_LIKE_ANOTHER = -1  # a class that is not priced by itself


class Rates(msgspec.Struct, frozen=True):
    """Integer nano-dollars for a million tokens of every class of ``Usage``: $1 is 1,000,000,000.

    A class without a price of its own costs what the class costs that it is a part of: what is cached or heard what
    the input costs, what is thought or said what the output costs, what is cached for an hour what is cached for five
    minutes.
    """

    input: int
    output: int
    cached_read: int = _LIKE_ANOTHER
    cache_write_5m: int = _LIKE_ANOTHER
    cache_write_1h: int = _LIKE_ANOTHER
    input_audio: int = _LIKE_ANOTHER
    reasoning: int = _LIKE_ANOTHER
    output_audio: int = _LIKE_ANOTHER

    def __post_init__(self) -> None:
        for name, like in _LIKE.items():
            if getattr(self, name) == _LIKE_ANOTHER:
                msgspec.structs.force_setattr(self, name, getattr(self, like))

    def tokens(self, usage: Usage) -> int:
        """Millionths of a nano-dollar."""
        return (
            self.input * usage.input
            + self.cached_read * usage.cached_read
            + self.cache_write_5m * usage.cache_write_5m
            + self.cache_write_1h * usage.cache_write_1h
            + self.input_audio * usage.input_audio
            + self.output * usage.output
            + self.reasoning * usage.reasoning
            + self.output_audio * usage.output_audio
        )

    def dearest(self) -> tuple[int, int]:
        """The highest price of what goes in, and of what comes out."""
        read = self.input, self.cached_read, self.cache_write_5m, self.cache_write_1h, self.input_audio
        return max(read), max(self.output, self.reasoning, self.output_audio)


_LIKE = {  # in this order
    "cached_read": "input",
    "cache_write_5m": "input",
    "cache_write_1h": "cache_write_5m",
    "input_audio": "input",
    "reasoning": "output",
    "output_audio": "output",
}


class Step(msgspec.Struct, frozen=True):
    """What all tokens of a request cost whose input, of all classes, is more than ``above`` tokens."""

    above: int
    rates: Rates


class Price(Rates, frozen=True, dict=True):
    """What a model costs.

    ``request`` nano-dollars are charged for every request besides, at every service tier the same. ``steps`` ascend.
    A service tier costs what it costs among ``variants``, or else the standard price times its share in
    ``multipliers``, in thousandths, or else the standard price. ``source`` says who says so.
    """

    request: int = 0
    steps: tuple[Step, ...] = ()
    multipliers: tuple[tuple[str, int], ...] = ()
    variants: tuple[tuple[str, Price], ...] = ()
    source: str = ""

    def of(self, input_tokens: int, output_tokens: int) -> int:
        """An estimate for comparisons: nano-dollars for plain text below the first step, rounded up."""
        return -(-(self.input * input_tokens + self.output * output_tokens) // MILLION)

    def cost(self, usage: Usage, *, tier: str = "", requests: int = 1) -> int:
        """Nano-dollars for what was used, rounded once, halves up. ``tier`` is the service tier that served it."""
        terms, multiplier = self.at(tier) if tier else (self, MILLE)
        tokens = terms.rates(usage.input_total).tokens(usage)
        return (tokens * multiplier + _HALF) // _WHOLE + terms.request * requests

    def bound(self, input_tokens: int, output_tokens: int, *, tier: str = "", requests: int = 1) -> int:
        """The most that so many tokens, or fewer, can cost, whatever their classes: nano-dollars, rounded up."""
        terms, multiplier = self.at(tier) if tier else (self, MILLE)
        read = told = 0
        for above, reads, tells in terms._ceilings:
            if above < input_tokens:
                read, told = reads, tells
        return -(-(read * input_tokens + told * output_tokens) * multiplier // _WHOLE) + terms.request * requests

    @cached_property
    def _ceilings(self) -> tuple[tuple[int, int, int], ...]:
        """For inputs of more than so many tokens: the highest prices that they can have come to."""
        found: list[tuple[int, int, int]] = []
        read = told = 0
        for above, rates in ((-1, self), *((step.above, step.rates) for step in self.steps)):
            reads, tells = rates.dearest()
            read, told = max(read, reads), max(told, tells)
            found.append((above, read, told))
        return tuple(found)

    def rates(self, input_tokens: int) -> Rates:
        """Of a request with so many tokens of input, of all classes."""
        return next((step.rates for step in reversed(self.steps) if input_tokens > step.above), self)

    def at(self, tier: str) -> tuple[Price, int]:
        """The terms of a service tier, and the thousandths of them that it costs."""
        for name, variant in self.variants:
            if name == tier:
                return variant, MILLE
        return self, next((share for name, share in self.multipliers if name == tier), MILLE)

    @cached_property
    def terms(self) -> bytes:
        """JSON that ``decode`` reads, the same for equal prices."""
        return msgspec.json.encode(self, order="deterministic")

    @cached_property
    def version(self) -> str:
        """16 hex digits that name these terms."""
        return sha256(self.terms).hexdigest()[:16]

    @classmethod
    def decode(cls, terms: bytes) -> Self:
        """What ``terms`` were written of.

        Raises:
            msgspec.DecodeError: they are none.
        """
        return msgspec.json.decode(terms, type=cls)


_WHOLE = MILLION * MILLE
_HALF = _WHOLE // 2
FREE = Price(0, 0, source="simulated")


def shown(nano_dollars: int) -> str:
    """An amount for people: four digits that count."""
    return f"${nano_dollars / 1e9:.4g}" if nano_dollars else "$0"
