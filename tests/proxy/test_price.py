"""What a request costs, and how it is written."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import Any

import msgspec
import pytest

from proxy.chat import Usage
from proxy.price import FREE, Price, Rates, Step, shown

TIERS = ("", "batch", "priority", "flex")


def _drawn(chance: Random) -> Price:
    """Any price: dear caches, steps that are cheaper, tiers of both kinds."""

    def rates() -> Any:
        return {name: chance.randrange(10**11) for name in Rates.__struct_fields__}

    steps = tuple(Step(above, Rates(**rates())) for above in sorted(chance.sample(range(300_000), 2)))
    variant = Price(**rates(), request=chance.randrange(10**8), steps=steps[:1])
    return Price(
        **rates(), request=chance.randrange(10**8), steps=steps, multipliers=(("batch", 500), ("priority", 1667)),
        variants=(("flex", variant),), source="drawn",
    )  # fmt: skip


def _used(chance: Random) -> Usage:
    return Usage(**{name: chance.choice([0, 1, chance.randrange(200_000)]) for name in Usage.__struct_fields__})


def test_a_request_costs_what_its_tokens_cost() -> None:
    """In whole nano-dollars, rounded up: nothing is ever free by rounding."""
    price = Price(150_000_000, 600_000_000)  # $0.15 and $0.60
    assert price.of(1_000_000, 1_000_000) == 750_000_000
    assert price.of(10, 5) == 4500
    assert Price(1, 0).of(1, 0) == 1
    assert Price(0, 0).of(10, 10) == 0


def test_a_class_without_a_price_costs_what_its_like_does() -> None:
    """Every class has a price in the end, also above a step."""
    assert Price(1, 2) == Price(1, 2, 1, 1, 1, 1, 2, 2)
    assert Price(1, 2, cache_write_5m=3) == Price(1, 2, 1, 3, 3, 1, 2, 2)
    assert Price(1, 2, cached_read=0, reasoning=0).cached_read == 0
    assert Rates(4, 5) == Rates(4, 5, 4, 4, 4, 4, 5, 5)


def test_no_usage_costs_more_than_its_bound() -> None:
    """Whatever the classes, the step and the service tier; also of fewer tokens than were asked about."""
    chance = Random(7)
    for _ in range(300):
        price, usage = _drawn(chance), _used(chance)
        more = chance.choice([0, 1, 100_000])
        for tier in TIERS:
            bound = price.bound(usage.input_total + more, usage.output_total + more, tier=tier)
            assert price.cost(usage, tier=tier) <= bound


def test_a_bound_is_reached() -> None:
    """By the dearest classes at the dearest step: it is no more than it must be."""
    price = Price(1, 2, input_audio=10**6, output_audio=3 * 10**6, steps=(Step(5, Rates(10**6, 1)),), request=7)
    assert price.bound(5, 2) == 7 + 5 + 6 == price.cost(Usage(input_audio=5, output_audio=2))
    assert Price(1, 2, steps=(Step(5, Rates(10**7, 1)),)).bound(6, 0) == 60
    assert Price(1, 2, steps=(Step(5, Rates(10**7, 1)),)).bound(5, 0) == 1  # rounded up
    assert Price(10**6, 0, multipliers=(("priority", 2000),)).bound(3, 0, tier="priority") == 6


def test_a_bill_can_be_computed_again() -> None:
    """From what was kept of its price."""
    chance = Random(3)
    for _ in range(50):
        price, usage = _drawn(chance), _used(chance)
        again = Price.decode(price.terms)
        assert again == price
        assert again.version == price.version
        assert [again.cost(usage, tier=tier) for tier in TIERS] == [price.cost(usage, tier=tier) for tier in TIERS]
    with pytest.raises(msgspec.DecodeError):
        Price.decode(b'{"input": 1}')


def test_a_version_names_the_terms() -> None:
    """The same in every process and release; another for every other term."""
    price = Price(2_500_000_000, 10_000_000_000, cached_read=1_250_000_000, source="file")
    terms = (
        b'{"input":2500000000,"output":10000000000,"cached_read":1250000000,"cache_write_5m":2500000000,'
        b'"cache_write_1h":2500000000,"input_audio":2500000000,"reasoning":10000000000,"output_audio":10000000000,'
        b'"request":0,"steps":[],"multipliers":[],"variants":[],"source":"file"}'
    )
    assert price.terms == terms
    assert price.version == sha256(terms).hexdigest()[:16] == "38df3f81bf0516b7"
    others = [
        msgspec.structs.replace(price, **{name: 77}) for name in (*Rates.__struct_fields__, "request")
    ] + [
        msgspec.structs.replace(price, source="elsewhere"),
        msgspec.structs.replace(price, steps=(Step(1, Rates(1, 2)),)),
        msgspec.structs.replace(price, steps=(Step(2, Rates(1, 2)),)),
        msgspec.structs.replace(price, multipliers=(("batch", 500),)),
        msgspec.structs.replace(price, variants=(("batch", Price(1, 2)),)),
    ]  # fmt: skip
    assert len({price.version, *(other.version for other in others)}) == len(others) + 1
    assert all(len(other.version) == 16 and int(other.version, 16) >= 0 for other in others)
    assert len({price, *others, Price.decode(price.terms)}) == len(others) + 1


def test_what_is_free_is_known_to_be() -> None:
    """Zero, whatever is used."""
    assert FREE.cost(Usage(input=10**9, output=10**9, cache_write_1h=5), tier="priority") == 0
    assert FREE.bound(10**9, 10**9) == 0


def test_an_amount_is_written_in_dollars() -> None:
    """With the digits that count."""
    assert [shown(amount) for amount in (0, 4500, 150_000_000, 12_345_678_901)] == ["$0", "$4.5e-06", "$0.15", "$12.35"]
