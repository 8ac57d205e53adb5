"""Conversations that have outgrown the window: what goes, what is summarised, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from policies.guardrails._window import KEPT, Window
from proxy.choosing.capability import Reach
from proxy.dialects.splice import read_envelope
from proxy.exchange import Exchange, Identity
from proxy.policy import Answer, CompileContext, Target
from tests.policies.conftest import Context, Scripted

MakeExchange = Callable[..., Exchange]
SYSTEM = {"role": "system", "content": "Be brief."}


class Rooted(Context):
    """With a tree of its own, and state that outlives the policies of a test."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = Scripted("up/a")
        self.kept: dict[str, Any] = {}
        self.prompts: list[tuple[str, int]] = []

    def root(self) -> Target:
        """The tree."""
        return self.tree

    def shared(self, key: str, factory: Callable[[], Any]) -> Any:
        """One for each name."""
        return self.kept.setdefault(key, factory())

    async def ask(self, target: Target, x: Exchange, prompt: str, patience: float, most: int = 16) -> str | None:
        """The target's words."""
        self.prompts.append((prompt, most))
        answer: Answer = await target.send(x)
        return (answer.body or b"").decode()


@pytest.fixture
def rooted() -> Rooted:
    """A context of this test."""
    return Rooted()


def _window(context: Context, size: int | None, *, trims: bool = True, summariser: Target | None = None) -> Window:
    found = None if summariser is None else lambda: summariser
    return Window(size, trims=trims, summariser=found, context=cast(CompileContext, context))


def _turns(count: int, words: int = 50) -> list[dict[str, Any]]:
    turns = []
    for at in range(count):
        asked = f"question {at} " + "word " * words
        turns.append([{"role": "user", "content": asked}, {"role": "assistant", "content": f"answer {at}"}])
    return [SYSTEM, *(message for turn in turns for message in turn), {"role": "user", "content": "and now?"}]


def _asked(exchange: MakeExchange, messages: list[dict[str, Any]], **more: Any) -> Exchange:
    x = exchange(body=json.dumps({"model": "gpt-4o", "messages": messages, **more}).encode())
    x.maxima, x.state = read_envelope(x.body).maxima, [None] * 9
    return x


async def test_only_as_much_goes_as_must(rooted: Rooted, exchange: MakeExchange) -> None:
    window, messages = _window(rooted, 400), _turns(8)
    x = _asked(exchange, messages)
    assert await window.fit(x) is None
    left = json.loads(x.body)["messages"]
    tokens = await rooted.count_input(x)
    assert 300 < tokens <= 400
    assert left == [SYSTEM, *messages[-len(left) + 1 :]]
    done = window.done(x)
    assert done is not None
    assert done.action == "trimmed"
    assert done.words.startswith(f"{len(messages) - len(left)} messages trimmed (")
    assert done.words.endswith(f" → {tokens} tokens)")


async def test_the_answer_needs_room_as_well(rooted: Rooted, exchange: MakeExchange) -> None:
    x = _asked(exchange, _turns(8), max_tokens=300)
    assert await _window(rooted, 600).fit(x) is None
    assert await rooted.count_input(x) <= 300


async def test_what_fits_is_left_alone(rooted: Rooted, exchange: MakeExchange) -> None:
    x = _asked(exchange, _turns(2))
    window, body = _window(rooted, 4000), x.body
    assert await window.fit(x) is None
    assert x.body is body
    assert window.done(x) is None


async def test_refused_where_nothing_may_go(rooted: Rooted, exchange: MakeExchange) -> None:
    x = _asked(exchange, _turns(8), max_tokens=10)
    why = await _window(rooted, 400, trims=False).fit(x)
    assert why is not None
    assert why.startswith("prompt is too long: ")
    assert why.endswith(" tokens with 10 for the answer > 400 maximum")
    alone = await _window(rooted, 100).fit(_asked(exchange, [{"role": "user", "content": "word " * 200}]))
    assert alone is not None
    last = await _window(rooted, 100).fit(_asked(exchange, [*_turns(2), {"role": "user", "content": "word " * 200}]))
    assert last is not None
    assert last.endswith("and the last turn alone is too long for it")


async def test_the_window_of_the_largest_model(rooted: Rooted, exchange: MakeExchange) -> None:
    """One whose window nobody knows may hold anything."""
    rooted.tree.reach = Reach(context=300)
    x = _asked(exchange, _turns(8))
    assert await _window(rooted, None).fit(x) is None
    assert await rooted.count_input(x) <= 300
    rooted.tree.reach = Reach()
    x = _asked(exchange, _turns(8))
    body = x.body
    assert await _window(rooted, None).fit(x) is None
    assert x.body is body


async def test_a_summary_stands_for_what_went(rooted: Rooted, exchange: MakeExchange) -> None:
    """Less is left than must be: the next turns need no other summary, and get the same bytes before them."""
    summariser, messages = Scripted("They asked a lot."), _turns(8)
    window = _window(rooted, 2800, summariser=summariser)
    x = _asked(exchange, messages, max_tokens=2300)
    assert await window.fit(x) is None
    left = json.loads(x.body)["messages"]
    assert left[0] == SYSTEM
    assert left[1]["role"] == "user"
    assert left[1]["content"].endswith("They asked a lot.")
    assert left[-1] == messages[-1]
    ((prompt, most),) = rooted.prompts
    assert "question 0" in prompt
    assert "and now?" not in prompt
    assert most > 16
    done = window.done(x)
    assert done is not None
    assert done.action == "summarised"

    longer = [*messages, {"role": "assistant", "content": "this"}, {"role": "user", "content": "why?"}]
    y = _asked(exchange, longer, max_tokens=2300)
    assert await window.fit(y) is None
    assert json.loads(y.body)["messages"][:-2] == left
    assert summariser.sent == 1


async def test_a_summary_is_its_teams_own(rooted: Rooted, exchange: MakeExchange) -> None:
    summariser = Scripted("They asked a lot.")
    window = _window(rooted, 2800, summariser=summariser)
    for team in ("search", "other", "search"):
        x = _asked(exchange, _turns(8), max_tokens=2300)
        x.identity = Identity("acme", team, "web")
        assert await window.fit(x) is None
    assert summariser.sent == 2


async def test_summaries_are_bounded(rooted: Rooted, exchange: MakeExchange) -> None:
    window = _window(rooted, 2800, summariser=Scripted("Summary."))
    rooted.kept["summaries chat"].update({b"%d" % at: "old" for at in range(KEPT)})
    assert await window.fit(_asked(exchange, _turns(8), max_tokens=2300)) is None
    assert len(rooted.kept["summaries chat"]) == KEPT
    assert b"0" not in rooted.kept["summaries chat"]


async def test_without_a_summary_it_is_refused(rooted: Rooted, exchange: MakeExchange) -> None:
    why = await _window(rooted, 400, summariser=Scripted("")).fit(_asked(exchange, _turns(8)))
    assert why is not None
    assert why.endswith("and what came before could not be summarised")
    long = await _window(rooted, 400, summariser=Scripted("word " * 900)).fit(_asked(exchange, _turns(8)))
    assert long is not None


async def test_nobody_is_asked_where_it_is_only_explained(rooted: Rooted, exchange: MakeExchange) -> None:
    summariser = Scripted("x")
    window, x = _window(rooted, 400, summariser=summariser), _asked(exchange, _turns(8))
    x.explained = True
    assert await window.fit(x) is None
    done = window.done(x)
    assert done is not None
    assert done.words.startswith("would summarise")
    assert summariser.sent == 0
