"""An experiment gives each subject one variant, and leaves out who is not meant."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from policies.routing._plan import (
    BanditConfig,
    ExperimentConfig,
    OutcomeConfig,
    StepConfig,
    VariantConfig,
)
from policies.routing.experiment import Experiment
from proxy.choosing.capability import VISION, Needs, Reach
from proxy.exchange import Identity
from proxy.experiments.plan import Allocation
from proxy.units import Duration, Percent

_START = "2023-11-14T22:13:20"  # the clock of the context


def _compile(context: Any, scripted: Any, **more: Any) -> Any:
    weights = more.pop("weights", {"control": 0.5, "concise": 0.5})
    context.targets = {name: scripted(name) for name in (*weights, "rest")}
    context.tags = frozenset({"user"})
    variants = {name: VariantConfig(weight=Percent(weight), target=name) for name, weight in weights.items()}
    more.setdefault("name", "short")
    return Experiment.compile(ExperimentConfig(variants=variants, **more), context)


async def _sent(node: Any, exchange: Any, user: str | None = "ada") -> Any:
    x = exchange()
    x.tags = {} if user is None else {"user": user}
    x.notes["target"] = (await node.send(x)).target
    return x


async def test_a_subject_keeps_its_variant(context: Any, exchange: Any, scripted: Any) -> None:
    """Here and in any other process: the shares and these very assignments are pinned."""
    node = _compile(context, scripted)
    users = [f"user-{number}" for number in range(2_000)]
    found = {user: (await _sent(node, exchange, user)).notes["target"] for user in users}
    again = _compile(context, scripted)
    assert found == {user: (await _sent(again, exchange, user)).notes["target"] for user in users}
    assert abs(Counter(found.values())["control"] - 1_000) < 4 * 23
    assert [user for user in users if found[user] == "concise"][:4] == ["user-1", "user-2", "user-3", "user-5"]


async def test_what_was_decided_stands_on_the_exchange(context: Any, exchange: Any, scripted: Any) -> None:
    """For records, headers, the ledger and the receipt; once, however often the tree is asked."""
    node = _compile(context, scripted)
    x = await _sent(node, exchange)
    await node.send(x)
    variant = x.notes["target"]
    assert x.exposures == {"short": (variant, "ada")}
    assert x.variant == x.notes["experiment"] == f"short/{variant}"


async def test_a_copy_for_a_mirror_is_in_no_experiment(context: Any, exchange: Any, scripted: Any) -> None:
    """It answers nobody."""
    x = exchange()
    x.tags, x.variant = {"user": "ada"}, "mirror"
    await _compile(context, scripted).send(x)
    assert not x.exposures
    assert x.variant == "mirror"


@pytest.mark.parametrize(
    ("settings", "user", "reason"),
    [
        ({}, None, "no_subject"),
        ({"start": "2030-01-01"}, "ada", "planned"),
        ({"end": "2020-01-01"}, "ada", "ended"),
        ({"when": "model == 'other'"}, "ada", "not_eligible"),
        ({"share": Percent(0.0)}, "ada", "not_in_share"),
        ({"start": _START, "ramp": (StepConfig(at="1h", share=Percent(1.0)),)}, "ada", "not_in_share"),
    ],
)
async def test_who_is_not_in_it_goes_elsewhere(
    context: Any, exchange: Any, scripted: Any, settings: Any, user: str | None, reason: str
) -> None:
    """To the target for it, and it is told why."""
    node = _compile(context, scripted, otherwise="rest", **settings)
    x = await _sent(node, exchange, user)
    assert x.notes["target"] == "rest"
    assert not x.exposures
    assert context.reported == [("experiment.left", {"experiment": "short", "reason": reason})]
    assert not node.explain(x).children[0].chosen


async def test_without_a_target_for_it_the_control_takes_the_rest(context: Any, exchange: Any, scripted: Any) -> None:
    """Nobody is refused."""
    node = _compile(context, scripted, control="concise")
    assert (await _sent(node, exchange, None)).notes["target"] == "concise"


async def test_what_one_variant_cannot_do_is_in_none(context: Any, exchange: Any, scripted: Any) -> None:
    """Else each would be judged by requests of another kind."""
    context.targets = {}
    node = _compile(context, scripted)
    blind, seeing = node.children
    blind.reach = Reach(bits=0)
    node = Experiment((blind, seeing), 0, context.enrolled[0].plan, context)
    x = exchange()
    x.tags, x.needs = {"user": "ada"}, Needs(bits=VISION)
    assert (await node.send(x)).target == "concise"
    assert x.notes["experiment"] == "not in short: unable"


async def test_a_growing_share_only_adds_subjects(context: Any, exchange: Any, scripted: Any) -> None:
    """And gives those who take part the same variant as before."""
    ramp = (StepConfig(at="0s", share=Percent(0.1)), StepConfig(at="1h", share=Percent(0.5)))
    node = _compile(context, scripted, start=_START, ramp=ramp, otherwise="rest")
    users = [f"user-{number}" for number in range(2_000)]
    early = {user: (await _sent(node, exchange, user)).exposures for user in users}
    context.clock += 3600
    late = {user: (await _sent(node, exchange, user)).exposures for user in users}
    assert abs(sum(map(bool, early.values())) - 200) < 4 * 14
    assert abs(sum(map(bool, late.values())) - 1_000) < 4 * 23
    assert all(late[user] == found for user, found in early.items() if found)


def test_experiments_of_a_group_share_no_subject(context: Any, scripted: Any) -> None:
    """Each has its piece of one line."""
    one = _compile(context, scripted, name="one", group="checkout", share=Percent(0.4))
    other = Experiment(one.children, 0, one._plan, context, offset=0.4)
    users = [f"user-{number}".encode() for number in range(5_000)]
    first, second = ({user for user in users if node.takes_part(user, 0.0)} for node in (one, other))
    assert not first & second
    assert abs(len(first) - 2_000) < 4 * 35 > abs(len(second) - 2_000)


async def test_the_key_can_be_the_subject(context: Any, exchange: Any, scripted: Any) -> None:
    """No tag is needed then."""
    node = _compile(context, scripted, subject="key")
    x = exchange()
    x.identity = Identity("acme", "search", "web")
    await node.send(x)
    assert x.exposures["short"][1] == "acme/search/web"


async def test_a_bandit_moves_the_weights(context: Any, exchange: Any, scripted: Any) -> None:
    """In use are those that it was given last."""
    bandit = BanditConfig(outcome="solved", floor=Percent(0.1), every=Duration(60))
    node = _compile(context, scripted, outcomes={"solved": OutcomeConfig()}, bandit=bandit)
    allocation = context.enrolled[0].allocation
    assert isinstance(allocation, Allocation)
    allocation.weights = (0.999999, 0.000001)
    found = [(await _sent(node, exchange, f"user-{number}")).notes["target"] for number in range(200)]
    assert set(found) == {"control"}


def test_without_a_provider_there_is_no_experiment(context: Any, scripted: Any) -> None:
    """Its requests go to what is left, and it keeps its place in its group."""
    context.tags = frozenset({"user"})
    context.targets = {"control": None, "concise": scripted("concise")}
    variants = {name: VariantConfig(weight=Percent(0.5), target=name) for name in ("control", "concise")}
    left: Any = Experiment.compile(ExperimentConfig(name="short", variants=variants), context)
    assert left is context.targets["concise"]
    assert [one.plan.name for one in context.enrolled] == ["short"]


def test_explain_says_where_a_subject_falls(context: Any, exchange: Any, scripted: Any) -> None:
    """One of the variants is chosen."""
    x = exchange()
    x.tags = {"user": "ada"}
    found = _compile(context, scripted).explain(x)
    assert found.target == "experiment short"
    assert sum(child.chosen for child in found.children) == 1
    assert "'ada' falls here" in " ".join(child.why for child in found.children)
