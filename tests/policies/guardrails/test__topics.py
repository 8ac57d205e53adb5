"""What a user has said last, small talk, and what a judge is asked and understood to say."""

from __future__ import annotations

import re
from typing import Any

import pytest

from policies.guardrails._topics import SmallTalk, Turns, question, turns_of, understood
from proxy.chat import Chat, Media, Message, Text, ToolCall, ToolResult

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
