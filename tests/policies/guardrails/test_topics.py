"""The policy `topics`: what is denied anywhere, and what is allowed by what the user has said last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from policies.guardrails.topics import Topic, Topics, TopicsConfig
from proxy.exchange import Exchange
from proxy.policy import Target
from tests.policies.conftest import Context, Scripted
from tests.support.guards import HALT, Guarded, cuts

BILLING = Topic(about="money", words=("invoice", "счёт", "請求書"), patterns=(r"(?i)\border\s*#?\d{4,}",))
POLITICS = Topic(words=("election", "Wahl"))
COOKING = Topic(examples=("How do I bake bread?",))
DEFINE = {"billing": BILLING, "politics": POLITICS}


class Advised(Context):
    """A judge that says one thing, and vectors from a table."""

    def __init__(self, says: str | None = None, vectors: dict[str, list[float]] | None = None) -> None:
        super().__init__()
        self.says = says
        self.vectors = vectors or {}
        self.asked: list[str] = []
        self.targets["up/vectors"] = Scripted("up/vectors")

    def detour(self, route: str, at: str = "") -> Callable[[], Target]:
        """Any."""
        return lambda: Scripted(route)

    async def ask(self, target: Target, x: Exchange, prompt: str, patience: float, most: int = 16) -> str | None:
        """What was told."""
        self.asked.append(prompt)
        return self.says

    async def embed(self, target: Target, x: Exchange, text: str, patience: float) -> list[float] | None:
        """By the table."""
        return self.vectors.get(text)


def guarded(context: Context | None = None, **settings: Any) -> Guarded:
    return Guarded(Topics, TopicsConfig(**{"define": DEFINE, "deny": ("politics",), **settings}), context)


async def _code(guard: Guarded, body: Any, path: str = "/v1/chat/completions") -> tuple[int, str]:
    """The status of the refusal or 200, and what the receipt says."""
    x, reply = await guard.ask(body, path)
    if reply is None:
        guard.guard.on_close(x)
    return 200 if reply is None else reply.status, x.notes["topics"].partition(" in ")[0]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Where is my INVOICE?", 200),
        ("Где мой счёт?", 200),
        ("私の請求書です", 200),
        ("order #12345", 200),
        ("Hello!", 200),
        ("invoices", 400),
        ("Tell me a joke", 400),
        ("disorder 12345", 400),
    ],
)
async def test_only_what_is_allowed(text: str, status: int) -> None:
    assert (await _code(guarded(allow=("billing",)), text))[0] == status


async def test_what_is_off_topic_says_so() -> None:
    status, note = await _code(guarded(allow=("billing",)), "Tell me a joke")
    assert (status, note) == (400, "input blocked (block off_topic at the last user turn)")
    quiet = guarded(allow=("billing",), entities={"off_topic": "warn"})
    assert await _code(quiet, "Tell me a joke") == (200, "input warned (warn off_topic at the last user turn)")


async def test_a_denied_topic_is_denied_wherever_it_stands() -> None:
    """Also beside an allowed one, in what a tool brings, and where nothing is allowed by name."""
    said = [{"role": "user", "content": "My invoice?"}, {"role": "tool", "tool_call_id": "1", "content": "Wahl"}]
    body = {"model": "m", "messages": said}
    assert await _code(guarded(allow=("billing",)), body) == (
        400,
        "input blocked (block politics at messages[1].content)",
    )
    assert (await _code(guarded(allow=("billing",)), "My invoice for the election"))[0] == 400
    assert (await _code(guarded(), "Tell me a joke"))[0] == 200


async def test_only_the_last_turn_decides_what_is_allowed() -> None:
    asked = [{"role": "user", "content": "My invoice?"}, {"role": "assistant", "content": "Which?"}]
    body = {"model": "m", "messages": [*asked, {"role": "user", "content": "Tell me a joke"}]}
    assert (await _code(guarded(allow=("billing",)), body))[0] == 400
    body["messages"] = [{"role": "user", "content": "A joke?"}, {"role": "user", "content": "And my invoice"}]
    assert (await _code(guarded(allow=("billing",)), body))[0] == 200
    body["messages"] = [{"role": "system", "content": "The invoice"}]
    assert (await _code(guarded(allow=("billing",)), body))[0] == 400


@pytest.mark.parametrize(("text", "status"), [("The one of March, please", 200), ("And now a poem about the sea", 400)])
async def test_a_short_turn_goes_on_with_the_one_before(text: str, status: int) -> None:
    asked = [{"role": "user", "content": "My invoice?"}, {"role": "assistant", "content": "Which?"}]
    body = {"model": "m", "messages": [*asked, {"role": "user", "content": text}]}
    assert (await _code(guarded(allow=("billing",), follow_up=5), body))[0] == status
    assert (await _code(guarded(allow=("billing",), follow_up=5), text))[0] == 400


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/messages", {"messages": [{"role": "user", "content": [{"type": "text", "text": "My invoice"}]}]}, 200),
        ("/v1/messages", {"messages": [{"role": "user", "content": [{"type": "text", "text": "A joke"}]}]}, 400),
        ("/v1/responses", {"input": "My invoice"}, 200),
        ("/v1/completions", {"prompt": "A joke"}, 400),
        ("/v1/completions", {"prompt": "My invoice"}, 200),
        ("/v1/embeddings", {"input": ["A joke"]}, 400),
    ],
)
async def test_every_dialect_has_a_last_turn(path: str, body: dict[str, Any], status: int) -> None:
    assert (await _code(guarded(allow=("billing",)), {"model": "m", "max_tokens": 5, **body}, path))[0] == status


@pytest.mark.parametrize(
    ("says", "status", "note"),
    [
        ("billing", 200, "input clean"),
        ("SMALL_TALK", 200, "input clean"),
        ("politics", 400, "input blocked (block politics at the last user turn)"),
        ("NONE", 400, "input blocked (block off_topic at the last user turn)"),
        ("Who knows", 400, "input failed closed (nobody told the topic)"),
        (None, 400, "input failed closed (nobody told the topic)"),
    ],
)
async def test_a_judge_decides_what_words_do_not(says: str | None, status: int, note: str) -> None:
    context = Advised(says)
    guard = guarded(context, allow=("billing",), judge="cheap")
    assert await _code(guard, "What do I owe you?") == (status, note)
    assert len(context.asked) == 1
    assert (await _code(guard, "My invoice"))[0] == (await _code(guard, "Thanks!"))[0] == 200
    assert len(context.asked) == 1


async def test_a_judge_may_be_all_that_knows_a_denied_topic() -> None:
    """What it names has no words that could be redacted: then it is blocked."""
    define = {"politics": Topic(about="parties")}
    denied = guarded(Advised("politics"), define=define, judge="cheap", action="redact")
    assert (await _code(denied, "Who should govern?"))[0] == 400
    assert (await _code(guarded(Advised("NONE"), define=define, judge="cheap"), "A joke"))[0] == 200
    failed = guarded(Advised(None), define=define, judge="cheap", on_error="open")
    assert await _code(failed, "A joke") == (200, "input failed open (nobody told the topic)")


async def test_examples_are_compared() -> None:
    """A topic that is neither allowed nor denied draws its turns away; without a vector nothing is known."""
    vectors = {"How do I bake bread?": [1.0, 0.0], "Sourdough?": [0.9, 0.1], "Jokes?": [0.0, 1.0]}
    define = {**DEFINE, "cooking": COOKING}
    settings: dict[str, Any] = {"define": define, "embedder": "up/vectors"}
    allowing = guarded(Advised(vectors=vectors), allow=("cooking",), **settings)
    assert [(await _code(allowing, text))[0] for text in ("Sourdough?", "Jokes?")] == [200, 400]
    denying = guarded(Advised(vectors=vectors), **{**settings, "deny": ("cooking",)})
    assert await _code(denying, "Sourdough?") == (400, "input blocked (block cooking at the last user turn)")
    assert (await _code(denying, "Jokes?"))[0] == 200
    assert "nobody told the topic" in (await _code(denying, "Unknown"))[1]
    other = guarded(Advised(vectors=vectors), allow=("billing",), **settings)
    assert (await _code(other, "Sourdough?"))[1] == "input blocked (block off_topic at the last user turn)"


async def test_nobody_is_asked_where_it_is_only_explained() -> None:
    context = Advised("NONE")
    guard = guarded(context, allow=("billing",), judge="cheap")
    x = guard.request("What do I owe you?")
    x.explained = True
    assert await guard.guard.on_request(x) is None
    assert not context.asked
    assert guard.guard.explain(x).endswith("the user may speak of billing; cheap is asked about what is unclear")


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ("block", f"On {HALT}"),
        ("redact", "On [POLITICS] day; no elections."),
        ("warn", "On Election day; no elections."),
    ],
)
async def test_every_cut_of_an_answer_gives_the_same(action: str, left: str) -> None:
    guard = guarded(action=action)
    assert {await guard.answer(cut) for cut in cuts("On Election day; no elections.")} == {left}


async def test_an_answer_may_say_anything_that_is_not_denied() -> None:
    guard = guarded(allow=("billing",), deny=())
    assert await guard.answer(["An election, a joke"]) == "An election, a joke"
    x, _ = await guard.ask("My invoice")
    assert guard.guard.open_stream(x) is None


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        ({"deny": ()}, [""]),
        ({"deny": ("politic",)}, ["deny[0]", "define.billing", "define.politics"]),
        ({"allow": ("politics",)}, ["deny[0]", "define.billing"]),
        ({"allow": ("billing",), "on": "output"}, ["allow"]),
        ({"follow_up": 3}, ["follow_up", "define.billing"]),
        ({"allow": ("billing",), "follow_up": 3, "judge": "cheap"}, ["follow_up"]),
        ({"allow": ("billing",), "entities": {"billing": "warn", "off_topic": "warn"}}, ["entities.billing"]),
        ({"define": {"politics": Topic(patterns=("(",))}}, ["define.politics.patterns[0]"]),
        ({"define": {"politics": Topic(words=(" ",))}}, ["define.politics.words[0]"]),
        ({"define": {"politics": Topic()}}, ["define.politics"]),
        ({"define": {"politics": POLITICS, "off_topic": POLITICS}, "allow": ("off_topic",)}, ["define.off_topic"]),
        ({"define": {"politics": COOKING}}, [""]),
        ({"allow": ("billing",), "embedder": "up/vectors"}, ["embedder"]),
    ],
)
def test_what_makes_no_sense_is_said(settings: dict[str, Any], at: list[str]) -> None:
    assert [place for place, _ in guarded(Advised(), **settings).problems] == at
