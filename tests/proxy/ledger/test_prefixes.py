"""What caches of prompts have saved: against the same, row by row and by hand, in a file and on a server."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from proxy.ledger.export import Selection, Source, open_source
from proxy.ledger.postgres import PostgresSink
from proxy.ledger.prefixes import BY, Prefixes, as_data, prefixes
from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.sqlite import SqliteSink
from proxy.ledger.usage import DAY
from proxy.ledger.writer import Sink
from proxy.price import MILLION, Price, Rates, Step
from tests.support.postgres import Postgres

_START = 20_000 * DAY
# $3, $0.30 and $3.75 for a million; twice that for requests above 200,000 tokens; half for batches.
PRICE = Price(
    3 * 10**9,
    15 * 10**9,
    cached_read=3 * 10**8,
    cache_write_5m=3_750_000_000,
    cache_write_1h=6 * 10**9,
    steps=(
        Step(
            200_000,
            Rates(6 * 10**9, 0, cached_read=6 * 10**8, cache_write_5m=7_500_000_000, cache_write_1h=12 * 10**9),
        ),
    ),
    multipliers=(("batch", 500),),
)
PLAIN = Price(10**9, 10**9, cached_read=5 * 10**8)
PRICES = {"": None, PRICE.version: PRICE, PLAIN.version: PLAIN}


def _rows() -> list[Row]:
    draw = random.Random(11)
    found = []
    for at in range(600):
        row = Row(f"att_{at}", f"req_{at}", 1, _START + draw.randrange(3 * DAY), status="ok")
        row.route, row.provider, row.model = draw.choice(["chat", "code"]), draw.choice("ab"), "m"
        row.price = draw.choice(list(PRICES))
        row.flags = draw.choice(["", "tier:batch", "clamped tier:batch", "mirror"])
        for name in ("input", "cached_read", "cache_write_5m", "cache_write_1h", "input_audio"):
            setattr(row, name, draw.choice([0, draw.randrange(5000), draw.randrange(150_000)]))
        found.append(row)
    found.append(Row("att_failed", "req_failed", 1, _START, status="error", route="chat", provider="a", model="m"))
    return found


def _write(sink: Sink) -> None:
    terms = [PriceTerms(version, price.terms) for version, price in PRICES.items() if price is not None]
    sink.write(_rows(), [*terms, PriceTerms("later", b'{"unheard": "of"}')])
    sink.close()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path | str]]:
    """The rows, and the terms of their prices: in a file, and on a server."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    server = Postgres()
    try:
        url = server.fresh("prefixes")
        _write(SqliteSink(path))
        _write(PostgresSink(url))
        yield {"sqlite": path, "postgres": url}
    finally:
        server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def source(request: pytest.FixtureRequest, places: dict[str, Path | str]) -> Iterator[Source]:
    """One of them."""
    found = open_source(places[request.param])
    yield found
    found.close()


def _input(row: Row) -> int:
    return row.input + row.cached_read + row.cache_write_5m + row.cache_write_1h + row.input_audio


def _by_hand(rows: list[Row]) -> tuple[Fraction, Fraction]:
    """Nano-dollars that were saved, and paid on top, exactly."""
    saved = surcharge = Fraction(0)
    for row in rows:
        price = PRICES[row.price]
        if price is None:
            continue
        rates, share = (
            price.rates(_input(row)),
            Fraction(1, 2) if "batch" in row.flags and price is PRICE else Fraction(1),
        )
        saved += share * row.cached_read * (rates.input - rates.cached_read) / MILLION
        surcharge += share * row.cache_write_5m * (rates.cache_write_5m - rates.input) / MILLION
        surcharge += share * row.cache_write_1h * (rates.cache_write_1h - rates.input) / MILLION
    return saved, surcharge


def test_every_row_counts_at_its_own_price(source: Source) -> None:
    """By version of the price, step and tier; what failed without an input is no request."""
    by: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in _rows():
        if (
            row.status == "ok"
            and row.input + row.cached_read + row.cache_write_5m + row.cache_write_1h + row.input_audio
        ):
            by[row.route, row.provider, row.model].append(row)
    found = prefixes(source, Selection(_START))
    assert {line.names for line in found.groups} == set(by)
    assert found.by == BY
    for line in found.groups:
        rows = by[line.names]
        saved, surcharge = _by_hand(rows)
        assert line.requests == len(rows)
        assert line.read == sum(row.cached_read for row in rows)
        assert line.written == sum(row.cache_write_5m + row.cache_write_1h for row in rows)
        assert abs(line.saved - saved) <= Fraction(1, 2)
        assert abs(line.surcharge - surcharge) <= Fraction(1, 2)
        assert line.unpriced == sum(not row.price for row in rows)
        assert line.net == line.saved - line.surcharge
        in_vain = max(0, line.written - line.read)
        assert line.lost == line.surcharge * in_vain // line.written
    for name in ("requests", "input", "read", "written", "saved", "surcharge", "lost", "unpriced"):
        assert getattr(found.total, name) == sum(getattr(line, name) for line in found.groups)


def test_groups_are_chosen_and_ordered(source: Source) -> None:
    """The most input first; the others are in the total."""
    chosen = Selection(_START + DAY, _START + 2 * DAY, {"route": ("chat",)})
    found = prefixes(source, chosen, ["day", "provider"], limit=1)
    every = prefixes(source, chosen, ["day", "provider"])
    assert (found.count, len(found.groups)) == (2, 1)
    assert found.groups[0] == every.groups[0]
    assert every.groups[0].input >= every.groups[1].input
    assert found.total == every.total
    assert every.groups[0].names[0] == "2024-10-05"
    with pytest.raises(ValueError, match="nobody"):
        prefixes(source, chosen, ["nobody"])


def test_for_machines() -> None:
    """Whole nano-dollars, and dollars beside them; nothing has no rate."""
    line = Prefixes(("chat",), 2, 100, 40, 10, 2_000_000_000, 500_000_000, 0, 1)
    assert (line.hit_rate, line.net) == (0.4, 1_500_000_000)
    assert Prefixes(()).hit_rate is None


def test_data(source: Source) -> None:
    found = as_data(prefixes(source, Selection(_START), ["route"]))
    assert [group["route"] for group in found["groups"]] in (["chat", "code"], ["code", "chat"])
    assert found["total"]["net_usd"] == found["total"]["net"] / 10**9
    assert 0 < found["total"]["hit_rate"] < 1
    assert as_data(prefixes(source, Selection(_START, _START + 1, {"route": ("none",)})))["groups"] == []
