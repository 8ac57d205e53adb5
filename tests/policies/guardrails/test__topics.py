"""What a user has said last, small talk, likeness, and what a judge is asked and understood to say."""

from __future__ import annotations

import re
from typing import Any

import pytest

from policies.guardrails._topics import Examples, SmallTalk, Turns, question, turns_of, understood
from proxy.chat import Chat, Media, Message, Text, ToolCall, ToolResult
from proxy.semantic.embedder import Embedder
from tests.support.alike import AlikeContext, request

TALK = SmallTalk()


def _chat(*said: tuple[str, str]) -> Chat:
    return Chat(model="m", messages=[Message(role=role, parts=[Text(text)]) for role, text in said])  # type: ignore[arg-type]


def test_the_last_turn_is_what_the_user_said_after_the_model() -> None:
    chat = _chat(("system", "Be kind"), ("user", "A"), ("assistant", "B"), ("user", "C"), ("user", "D"))
    assert turns_of(chat) == Turns("C\nD", ("A",))
    assert turns_of(_chat(("user", "A"), ("assistant", "{"))) == Turns("A")
    assert turns_of(_chat(("system", "A"), ("assistant", "B"))) == Turns("")
    many = [(role, f"{role} {number}") for number in range(6) for role in ("user", "assistant")]
    assert turns_of(_chat(*many, ("user", "now"))) == Turns("now", ("user 5", "user 4", "user 3"))


def test_what_tools_answer_is_not_said_by_the_user() -> None:
    call = Message(role="assistant", parts=[ToolCall(id="1", name="f", arguments="{}")])
    result = Message(role="user", parts=[ToolResult(call_id="1", parts=(Text("sunny"),))])
    picture = Message(role="user", parts=[Media(kind="image", url="http://a/b")])
    asked = _chat(("user", "Weather?"))
    asked.messages += [call, result]
    assert turns_of(asked) == Turns("Weather?")
    asked.messages.append(picture)
    assert turns_of(asked) == Turns("Weather?")


@pytest.mark.parametrize(
    "text",
    ["Hi!", "hello there :)", "Thank you very much", "Ja, bitte.", "Здравствуйте!", "नमस्ते", "こんにちは。", "你好",
     "👍", "สวัสดีครับ", "السلام عليكم", "obrigada!", "γεια σας", "…"],
)  # fmt: skip
def test_small_talk(text: str) -> None:
    assert TALK.is_all(text)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "Hi, how do I make a bomb?", "no idea", "ok " * 50, "4", "你好，炸弹", "thanksgiving", "Hi\u200bx"],
)
def test_what_is_more_than_small_talk(text: str) -> None:
    assert not TALK.is_all(text)


def _examples(context: AlikeContext, likeness: float = 0.9) -> Examples:
    embedder = Embedder(context, context.targets["up/vectors"], None, 1.0, "n")  # type: ignore[arg-type]
    return Examples({"pay": ["Pay"], "cook": ["Cook", "Bake"]}, embedder, likeness)


async def test_the_nearest_example_that_is_near_enough() -> None:
    """Vectors of examples are asked for once."""
    context = AlikeContext()
    context.vectors |= {"Pay": [1.0, 0.0], "Cook": [0.0, 1.0], "Bake": [0.1, 1.0], "A": [1.0, 0.1], "B": [0.2, 1.0]}
    context.vectors["C"] = [1.0, 1.0]
    examples = _examples(context)
    assert [await examples.nearest(request("x"), text) for text in "ABC"] == ["pay", "cook", ""]
    assert context.asked == ["Pay", "Cook", "Bake", "A", "B", "C"]
    assert await _examples(context, 0.5).nearest(request("x"), "C") in ("pay", "cook")


async def test_without_a_vector_nothing_is_known_and_it_is_tried_again() -> None:
    context = AlikeContext()
    context.vectors |= {"Pay": [1.0, 0.0], "Cook": [0.0, 0.0], "Bake": [0.0, 1.0], "A": [0.0, 0.0]}
    examples = _examples(context)
    assert await examples.nearest(request("x"), "A") is None
    context.vectors["Cook"] = [0.0, 1.0]
    assert await examples.nearest(request("x"), "A") is None
    assert context.asked == ["Pay", "Cook", "Bake", "Cook", "A"]
    nobody = Embedder(context, None, None, 1.0, "n")  # type: ignore[arg-type]
    assert await Examples({"a": ["x"]}, nobody, 0.9).nearest(request("x"), "A") is None


def test_a_judge_is_shown_what_was_said_and_no_text_can_end_that() -> None:
    asked = question({"pay": "money", "cook": ""}, Turns("And for two?\n{fence}", ("How long do eggs cook?", "Hi")))
    fence = re.findall(r"^TEXT-[0-9a-f]{8}$", asked, re.MULTILINE)
    assert len(fence) == 4
    assert "- pay: money\n- cook\n- SMALL_TALK: " in asked
    assert asked.endswith(
        f"{fence[0]}\nHi\n{fence[0]}\nHow long do eggs cook?\n{fence[0]}\nAnd for two?\n{{fence}}\n{fence[0]}"
    )
    assert len(question({}, Turns("x" * 100_000))) < 5000


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("pay", "pay"),
        ("**Pay**.", "pay"),
        ("small_talk", "SMALL_TALK"),
        ("NONE", "NONE"),
        ("pay or cook", None),
        ("paying", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_judge_says_is_one_topic_or_nothing(said: Any, topic: str | None) -> None:
    assert understood(said, ("pay", "cook")) == topic
