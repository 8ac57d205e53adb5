"""Classify sends each task to its own target."""

from __future__ import annotations

from typing import Any

import pytest

from policies.routing.classify import Classify, ClassifyConfig
from proxy.chat import Chat, Message, Text
from proxy.choosing.capability import Needs
from proxy.errors import Unavailable

OF = {"code": "coder", "reasoning": "large", "long_context": "long", "default": "small"}


def _compile(context: Any, scripted: Any, **more: Any) -> Any:
    context.targets = {name: scripted(name) for name in ("coder", "large", "long", "small", "judge")} | context.targets
    return Classify.compile(ClassifyConfig(**({"of": OF} | more)), context)


def _asks(exchange: Any, text: str, tokens: int = 50) -> Any:
    x = exchange()
    x.chat = Chat(model="m", messages=[Message("user", [Text(text)])])
    x.needs = Needs(0, tokens)
    return x


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Write a Python function that sorts a list.", "coder"),
        ("Prove that there is no largest prime.", "large"),
        ("Translate to French: hello", "small"),
        ("Hello!", "small"),
    ],
)
async def test_a_task_goes_to_its_target(text: str, target: str, context: Any, scripted: Any, exchange: Any) -> None:
    """And one without a target of its own to the default; the note names task and signals."""
    x = _asks(exchange, text)
    assert (await _compile(context, scripted).send(x)).target == target
    assert ":" in x.notes["classify"]


async def test_long_requests_are_told_by_their_size(context: Any, scripted: Any, exchange: Any) -> None:
    """Whatever they ask for."""
    classify = _compile(context, scripted, long=1000)
    assert (await classify.send(_asks(exchange, "Write a Python function.", 1000))).target == "long"
    assert (await classify.send(_asks(exchange, "Write a Python function.", 999))).target == "coder"


async def test_what_is_no_conversation_goes_to_the_default(context: Any, scripted: Any, exchange: Any) -> None:
    """An embedding has no task."""
    assert (await _compile(context, scripted).send(exchange())).target == "small"


async def test_a_judge_decides_and_is_remembered(context: Any, scripted: Any, exchange: Any) -> None:
    """Asked once for the same words, with the labels that have targets; its answer goes before the rules."""
    context.targets = {"reasoning": scripted("reasoning")}
    classify = _compile(context, scripted, judge="reasoning")
    for _ in range(3):
        x = _asks(exchange, "Write a Python function.")
        assert (await classify.send(x)).target == "large"
    assert context.targets["reasoning"].sent == 1
    assert x.notes["classify"] == "reasoning: the judge, before"
    first = _asks(exchange, "Another question about Python code")
    await classify.send(first)
    assert "code: writing" in first.notes["asked"]
    assert "translation" not in first.notes["asked"]


@pytest.mark.parametrize("said", ["no idea", "code or reasoning", ""])
async def test_a_judge_that_gives_no_task_leaves_it_to_the_rules(
    said: str, context: Any, scripted: Any, exchange: Any
) -> None:
    """And is asked again the next time."""
    context.targets = {"judge": scripted(said)}
    classify = _compile(context, scripted, judge="judge")
    x = _asks(exchange, "Write a Python function.")
    assert (await classify.send(x)).target == "coder"
    assert x.notes["classify"].endswith("the judge gave no task")
    await classify.send(_asks(exchange, "Write a Python function."))
    assert context.targets["judge"].sent == 2


async def test_what_is_remembered_is_bounded(
    context: Any, scripted: Any, exchange: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest verdict goes."""
    monkeypatch.setattr("policies.routing.classify._MOST_REMEMBERED", 2)
    context.targets = {"code": scripted("code")}
    classify = _compile(context, scripted, judge="code")
    for text in ("a", "b", "a", "c", "a", "b"):
        await classify.send(_asks(exchange, text))
    assert context.targets["code"].sent == 4


async def test_a_target_that_fails_is_the_end(context: Any, scripted: Any, exchange: Any) -> None:
    """No other is tried."""
    context.targets = {"coder": scripted("coder", Unavailable("down"))}
    with pytest.raises(Unavailable):
        await _compile(context, scripted).send(_asks(exchange, "Write a Python function."))
    assert context.targets["small"].sent == 0


def test_explain_names_task_and_signals(context: Any, scripted: Any, exchange: Any) -> None:
    """And whom the others are for; a judge is not asked."""
    classify = _compile(context, scripted, judge="judge")
    choice = classify.explain(_asks(exchange, "Refactor this code"))
    assert [(child.target, child.chosen) for child in choice.children] == [
        ("coder", True), ("large", False), ("long", False), ("small", False),
    ]  # fmt: skip
    assert "refactor" in choice.why
    assert choice.why.endswith("judge would be asked first")
    assert context.targets["judge"].sent == 0
    other = classify.explain(_asks(exchange, "Translate to French: hello"))
    assert other.children[3].why.startswith("for default, as nothing is for translation")


def test_targets_that_are_left_out_go_to_the_default(context: Any, scripted: Any) -> None:
    """Without a default nothing is left; with it alone there is no choice."""
    context.targets = dict.fromkeys(("coder", "large", "long"))
    assert _compile(context, scripted) is context.targets["small"]
    context.targets = {"small": None}
    assert _compile(context, scripted) is None


def test_a_default_alone_is_a_problem(context: Any, scripted: Any) -> None:
    """It chooses nothing."""
    _compile(context, scripted, of={"default": "small"})
    assert [at for at, _ in context.problems] == ["of"]
