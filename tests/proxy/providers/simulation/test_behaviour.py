"""Which settings apply to a model, and what befalls a request."""

from __future__ import annotations

from proxy.config.model import convert
from proxy.providers.simulation.behaviour import Behaviours, Config, Overrides, fate


def test_exact_names_come_before_globs_before_the_account() -> None:
    """And what a model leaves open is the account's."""
    config = convert({"text": "all", "gap": "5ms", "models": {"a*": {"text": "glob"}, "ab": {"gap": "1ms"}}}, Config)
    behaviours = Behaviours(config)
    assert [behaviours.of(name).text for name in ("x", "ax", "ab")] == ["all", "glob", "all"]
    assert [behaviours.of(name).gap for name in ("x", "ax", "ab")] == [0.005, 0.005, 0.001]


def test_what_a_model_may_override_is_what_the_account_has() -> None:
    """The two lists of settings cannot drift apart."""
    own = set(Config.__struct_fields__) - {"kind", "models", "optional"}  # and what only a model has: its price
    assert own == set(Overrides.__struct_fields__) - {"price"}


def test_fate_follows_seed_and_number() -> None:
    """The same draw each time, and about as often as asked."""
    one = Behaviours(convert({"error_rate": 0.25, "cut_rate": 0.5, "errors": [500, 503]}, Config)).of("m")
    drawn = [fate(one, number) for number in range(2000)]
    assert drawn == [fate(one, number) for number in range(2000)]
    assert 400 < sum(found.status is not None for found in drawn) < 600
    assert 600 < sum(found.cut_after is not None for found in drawn) < 900
    assert {found.status for found in drawn} == {None, 500, 503}


def test_without_rates_all_goes_well() -> None:
    """The default."""
    assert fate(Behaviours(Config()).of("m"), 1) == fate(Behaviours(Config()).of("m"), 2)
