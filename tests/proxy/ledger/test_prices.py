"""Prices of the built-in list, and of the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proxy.ledger.prices import Prices, listed_price
from proxy.price import Price
from tests.support.environment import ROOT, clean_environment

DOLLAR = 10**9


@pytest.mark.parametrize(
    ("kind", "model", "price"),
    [
        ("openai", "gpt-4o-mini", Price(DOLLAR * 15 // 100, DOLLAR * 60 // 100)),
        ("anthropic", "claude-3-5-haiku-20241022", Price(DOLLAR * 80 // 100, 4 * DOLLAR)),
        ("azure_openai", "gpt-4o-mini", Price(DOLLAR * 15 // 100, DOLLAR * 60 // 100)),
    ],
)
def test_published_prices_are_known(kind: str, model: str, price: Price) -> None:
    """As the providers' pages have them, in nano-dollars for a million tokens."""
    assert Prices(kind).of(model) == price


@pytest.mark.parametrize(("kind", "model"), [("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
                                             ("gemini", "gemini-2.5-flash"), ("vertex", "gemini-2.5-flash"),
                                             ("groq", "llama-3.3-70b-versatile"), ("mistral", "mistral-small-latest"),
                                             ("cohere", "command-r-08-2024")])  # fmt: skip
def test_other_services_have_prices_too(kind: str, model: str) -> None:
    """By the name that the list has for them; what goes out costs no less than what comes in."""
    price = Prices(kind).of(model)
    assert price is not None
    assert 0 < price.input <= price.output


@pytest.mark.parametrize(("kind", "model"), [("openai", "no-such-model"), ("simulated", "gpt-4o"), ("", "gpt-4o")])
def test_what_nobody_knows_has_no_price(kind: str, model: str) -> None:
    """None, which is not zero."""
    assert Prices(kind).of(model) is None
    assert listed_price("no such service", "gpt-4o") is None


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
