"""Prices of the built-in list, and of the file."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest

from proxy.chat import Usage
from proxy.dialects.table import DIALECTS
from proxy.ledger.prices import Prices, listed_price
from proxy.price import FREE, Price, Rates, Step
from proxy.providers.capabilities import DatedPrice, ModelConfig, check_models, dated
from proxy.units import Money, Percent
from tests.support.environment import ROOT, clean_environment

DOLLAR = 10**9


VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
# What stands around the usage in an answer.
BODIES: dict[str, Callable[[Any], Any]] = {
    "openai_chat": lambda usage: {
        "id": "1", "model": "m", "created": 5, "usage": usage,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}],
    },
    "openai_responses": lambda usage: {
        "id": "1", "object": "response", "model": "m", "status": "completed", "created_at": 5, "usage": usage,
        "output": [{"id": "2", "type": "message", "role": "assistant", "status": "completed",
                    "content": [{"type": "output_text", "text": "x", "annotations": []}]}],
    },
    "anthropic_messages": lambda usage: {
        "id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "usage": usage,
        "content": [{"type": "text", "text": "x"}],
    },
    "gemini": lambda usage: {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "x"}]}, "finishReason": "STOP"}],
        "usageMetadata": usage,
    },
    "bedrock": lambda usage: {
        "output": {"message": {"role": "assistant", "content": [{"text": "x"}]}},
        "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1},
    },
}  # fmt: skip
SMALL = Usage(input=1000, output=100)
PARTS_OF = {"cached_read": "input", "cache_write_5m": "input", "cache_write_1h": "cache_write_5m",
            "input_audio": "input", "reasoning": "output", "output_audio": "output"}  # fmt: skip


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _nano(dollars: dict[str, Any]) -> dict[str, Any]:
    return {name: int(Fraction(dollars[name]) * DOLLAR) for name in Rates.__struct_fields__ if name in dollars}


def _price(vector: dict[str, Any]) -> Price:
    """The terms of a vector as the ledger has them."""
    dear = {**vector["prices"], "steps": vector.get("steps", ())}
    return Price(
        **_nano(dear),
        request=int(Fraction(vector.get("request", "0")) * DOLLAR),
        steps=_steps(dear),
        multipliers=tuple(vector.get("multipliers", {}).items()),
        variants=tuple(
            (name, Price(**_nano(one), steps=_steps(one))) for name, one in vector.get("variants", {}).items()
        ),
    )


def _steps(dear: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(Step(above, Rates(**_nano(rates))) for above, rates in dear.get("steps", ()))


def _fraction(vector: dict[str, Any]) -> Fraction:
    """Nano-dollars by the words of a price list, without any of our code."""
    used, tier = vector["usage"], vector.get("tier", "")
    prices, steps, share = vector["prices"], vector.get("steps", []), Fraction(1)
    if tier in vector.get("variants", {}):
        prices = vector["variants"][tier]
        steps = prices.get("steps", [])
    elif tier in vector.get("multipliers", {}):
        share = Fraction(vector["multipliers"][tier], 1000)
    size = sum(count for name, count in used.items() if name.startswith(("input", "cache")))
    for above, dearer in steps:
        prices = dearer if size > above else prices
    total = Fraction(0)
    for name, count in used.items():
        priced = name
        while priced not in prices:
            priced = PARTS_OF[priced]
        total += count * Fraction(prices[priced]) / 1_000_000
    fees = Fraction(vector.get("request", "0")) * int(vector.get("requests", 1))
    return (total * share + fees) * DOLLAR


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_bill_is_exact(vector: dict[str, Any]) -> None:
    """To the nano-dollar, rounded once with halves up, as a computation with fractions says too."""
    cost = _price(vector).cost(
        Usage(**vector["usage"]), tier=vector.get("tier", ""), requests=vector.get("requests", 1)
    )
    exact = _fraction(vector)
    assert cost == vector["expected"]
    assert -Fraction(1, 2) < cost - exact <= Fraction(1, 2)


@pytest.mark.parametrize("vector", [one for one in VECTORS if "raw" in one], ids=lambda vector: vector["name"])
def test_what_a_provider_counts_becomes_disjoint_classes(vector: dict[str, Any]) -> None:
    """Some count classes within others, some beside them."""
    body = json.dumps(BODIES[vector["dialect"]](vector["raw"])).encode()
    usage = DIALECTS[vector["dialect"]].read_answer(body).usage
    assert usage == Usage(**vector["usage"])
    assert _price(vector).cost(usage, requests=vector.get("requests", 1)) == vector["expected"]


def test_there_are_enough_vectors() -> None:
    """And of every dialect, with its own words."""
    assert len(VECTORS) >= 60
    assert sum("raw" in vector for vector in VECTORS) >= 20
    assert {vector["dialect"] for vector in VECTORS if "raw" in vector} == set(BODIES)


@pytest.mark.parametrize(
    ("kind", "model", "price"),
    [
        ("openai", "gpt-4o-mini", Rates(DOLLAR * 15 // 100, DOLLAR * 60 // 100, DOLLAR * 75 // 1000)),
        ("anthropic", "claude-3-5-haiku-20241022",
         Rates(DOLLAR * 80 // 100, 4 * DOLLAR, DOLLAR * 8 // 100, DOLLAR, DOLLAR * 16 // 10)),
        ("azure_openai", "gpt-4o-mini", Rates(DOLLAR * 15 // 100, DOLLAR * 60 // 100, DOLLAR * 75 // 1000)),
        ("openai", "gpt-realtime", Rates(4 * DOLLAR, 16 * DOLLAR, DOLLAR * 4 // 10, input_audio=32 * DOLLAR,
                                         output_audio=64 * DOLLAR)),
        ("bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
         Rates(3 * DOLLAR, 15 * DOLLAR, DOLLAR * 3 // 10, DOLLAR * 375 // 100, 6 * DOLLAR)),
        ("bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
         Rates(DOLLAR * 33 // 10, DOLLAR * 165 // 10, DOLLAR * 33 // 100, DOLLAR * 4125 // 1000, DOLLAR * 66 // 10)),
    ],
)  # fmt: skip
def test_published_prices_are_known(kind: str, model: str, price: Rates) -> None:
    """As the providers' pages have them, in nano-dollars for a million tokens."""
    found = Prices(kind).of(model)
    assert found is not None
    assert [getattr(found, name) for name in Rates.__struct_fields__] == [*_values(price)]
    assert found.source.startswith("genai-prices ")


def _values(rates: Rates) -> list[int]:
    return [getattr(rates, name) for name in Rates.__struct_fields__]


def test_the_list_has_steps_fees_and_service_tiers() -> None:
    """What depends on the size of the input, on the request itself, and on how it is served."""
    long, fee, tiers = (
        Prices(kind).of(model)
        for kind, model in (("gemini", "gemini-2.5-pro"), ("perplexity", "sonar"), ("openai", "o3"))
    )
    assert long is not None
    assert fee is not None
    assert tiers is not None
    assert long.cost(Usage(input=200_000)) == 200_000 * 1250
    assert long.cost(Usage(input=200_001)) == 200_001 * 2500
    assert fee.request > 0
    assert fee.cost(Usage()) == fee.request
    assert tiers.cost(SMALL, tier="batch") < tiers.cost(SMALL) < tiers.cost(SMALL, tier="priority")


def test_what_the_list_says_of_claudes_caches_is_completed() -> None:
    """Five minutes cost a quarter more than the input, an hour twice as much, where it does not say so itself."""
    found = listed_price("anthropic", "claude-opus-4-1", _at("2026-11-21")).price
    assert found is not None
    assert (found.cache_write_5m, found.cache_write_1h) == (found.input * 5 // 4, found.input * 2)


@pytest.mark.parametrize(("kind", "model"), [("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
                                             ("gemini", "gemini-2.5-flash"), ("vertex", "gemini-2.5-flash"),
                                             ("groq", "llama-3.3-70b-versatile"), ("mistral", "mistral-small-latest"),
                                             ("cohere", "command-r-08-2024")])  # fmt: skip
def test_other_services_have_prices_too(kind: str, model: str) -> None:
    """By the name that the list has for them; what goes out costs no less than what comes in."""
    price = Prices(kind).of(model)
    assert price is not None
    assert 0 < price.input <= price.output


@pytest.mark.parametrize(("kind", "model"), [("openai", "no-such-model"), ("nobody", "gpt-4o"), ("", "gpt-4o")])
def test_what_nobody_knows_has_no_price(kind: str, model: str) -> None:
    """None, which is not zero."""
    assert Prices(kind).of(model) is None
    assert listed_price("no such service", "gpt-4o", 0.0).price is None


def test_what_is_simulated_is_free() -> None:
    """Its price is known, and the file may say another."""
    prices = Prices("simulated", {"dear": Price(1, 2)})
    assert prices.of("any") == FREE
    assert prices.of("dear") == Price(1, 2)


def test_a_dated_price_begins_with_its_second() -> None:
    """Also where it was looked up before; until then what holds without it."""
    now = [_at("2026-11-30T23:59:59")]
    old, new, last = Price(1, 1), Price(2, 2), Price(3, 3)
    first, second = _at("2026-12-01"), _at("2027-01-01")
    prices = Prices("simulated", {"gpt-*": old, "gpt-4o": ((first, new), (second, last))}, now=lambda: now[0])
    seen = []
    for moment in (now[0], first - 0.001, first, second - 0.001, second, second + 10**8):
        now[0] = moment
        seen.append(prices.of("gpt-4o"))
    assert seen == [old, old, new, new, last, last]


def test_the_list_changes_on_its_days_too() -> None:
    """A price of the list with a day on which it begins."""
    now = [_at("2025-06-09T23:59:59")]
    prices = Prices("openai", now=lambda: now[0])
    before = prices.of("o3")
    now[0] += 1
    after = prices.of("o3")
    assert before is not None
    assert after is not None
    assert (before.input, after.input) == (10 * DOLLAR, 2 * DOLLAR)


def test_prices_by_the_hour_change_by_the_hour() -> None:
    """Every day again, in UTC: at its edges a cached price is looked up anew."""
    now = [_at("2026-11-20T00:29:59")]
    prices = Prices("deepseek", now=lambda: now[0])
    seen = []
    for moment in ("20T00:29:59", "20T00:30:00", "20T16:29:59", "20T16:30:00", "21T00:29:59", "21T00:30:00"):
        now[0] = _at(f"2026-11-{moment}")
        price = prices.of("deepseek-reasoner")
        assert price == listed_price("deepseek", "deepseek-reasoner", now[0]).price
        seen.append(price)
    day, night = seen[0], seen[1]
    assert day != night
    assert seen == [day, night, night, day, day, night]


def test_a_price_that_holds_is_not_looked_up_again() -> None:
    """The same object, so that its version is computed once."""
    prices = Prices("openai")
    assert prices.of("gpt-4o") is prices.of("gpt-4o")


def test_the_file_is_right_and_the_more_special_pattern_wins() -> None:
    """Also over the list; the rest stays as it is."""
    prices = Prices("openai", {"gpt-*": Price(1, 2), "gpt-4o*": Price(3, 4), "gpt-4o-mini": Price(5, 6)})
    assert prices.of("gpt-4o-mini") == Price(5, 6)
    assert prices.of("GPT-4o") == Price(3, 4)
    assert prices.of("gpt-9") == Price(1, 2)
    assert prices.of("o3") == Prices("openai").of("o3")


def test_what_was_looked_up_is_kept_within_bounds() -> None:
    """Names of models may come from callers."""
    prices = Prices(overrides={"*": Price(1, 1)})
    for number in range(3000):
        assert prices.of(f"m{number}") == Price(1, 1)
    assert len(prices._known) <= 1024


def test_the_list_is_loaded_only_where_it_is_needed(tmp_path: Path) -> None:
    """It takes a fifth of a second, and most files compare no prices."""
    pool = "[a/gpt-4o, a/gpt-4o-mini]"
    for by, loaded in (("latency", False), ("cost", True)):
        file = tmp_path / f"{by}.yaml"
        routes = f"{{r: {{open: true, target: {{balance: {{by: {by}, of: {pool}}}}}}}}}"
        file.write_text(f"providers: {{a: {{kind: openai, api_key: sk-1}}}}\nroutes: {routes}\n")
        program = (
            "import sys, proxy.cli\n"
            f"sys.argv = ['sluicegate', 'check', '--config', {str(file)!r}]\n"
            "try: proxy.cli.main()\n"
            "except SystemExit as end: assert not end.code\n"
            "print('genai_prices' in sys.modules)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == str(loaded), done.stdout


def _of_file(**price: Any) -> DatedPrice:
    return msgspec.convert(
        {"input": Money.parse("$2"), "output": Money.parse("$8")} | price, DatedPrice, dec_hook=_unit
    )


def _unit(type_: type, value: Any) -> Any:
    return type_(value)


def test_the_file_says_all_that_a_price_has() -> None:
    """Every class, fees, batches, and the days on which prices begin, at midnight in UTC."""
    classes = {name: Money(place) for place, name in enumerate(Rates.__struct_fields__)}
    whole = _of_file(**classes, request=Money(10), batch=Percent(0.5), **{"from": "2026-12-01"})
    expected = Price(0, 1, 2, 3, 4, 5, 6, 7, request=10, multipliers=(("batch", 500),), source="file")
    plain = Price(2 * DOLLAR, 8 * DOLLAR, source="file")
    assert dated(_of_file()) == ((-math.inf, plain),)
    assert dated((_of_file(), whole)) == ((-math.inf, plain), (_at("2026-12-01"), expected))


@pytest.mark.parametrize(
    ("prices", "problems"),
    [
        ([{}], []),
        ([{"from": "2026-12-01"}, {"from": "2026-12-02"}], []),
        ([{}, {"from": "2026-12-01"}, {"from": "2026-12-01"}], ["[2].from"]),
        ([{"from": "2026-12-02"}, {"from": "2026-12-01"}], ["[1].from"]),
        ([{"from": "2026-12-02"}, {}], ["[1]"]),
        ([{"batch": Percent(0.3333)}, {"batch": Percent(0.333), "from": "2026-12-01"}], ["[0].batch"]),
    ],
)
def test_what_the_schema_cannot_say_of_prices_is_reported(prices: list[dict[str, Any]], problems: list[str]) -> None:
    """At the place where it stands."""
    found: list[str] = []
    several = tuple(_of_file(**price) for price in prices)
    check_models({"gpt-*": ModelConfig(price=several)}, lambda message, at: found.append(at))
    assert found == [f"models.gpt-*.price{at}" for at in problems]
