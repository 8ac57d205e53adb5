"""What a model is asked that goes on with the answer of another."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.chat import Chat, Message, Text, Thinking
from proxy.choosing.capability import Capabilities
from proxy.dialects.dialect import Aim
from proxy.dialects.resume import PROMPT, resume
from proxy.exchange import Begun

_ASKED = Message("user", [Text("Hi")])
_MORE = Message("user", [Text(PROMPT)])


def _resume(text: str, *, dialect: str = "openai_chat", model: str = "m", thinking: Any = "none", **chat: Any) -> Chat:
    aim = Aim(model=model, capabilities=Capabilities(thinking=thinking))
    return resume(Chat(**{"model": "m", "messages": [_ASKED], **chat}), Begun(text, 5), aim, dialect)


def test_the_text_so_far_and_a_word_what_to_do() -> None:
    """For a model that would begin anew."""
    assert _resume("One, tw").messages == [_ASKED, Message("assistant", [Text("One, tw")]), _MORE]


@pytest.mark.parametrize("text", ["", " \n"])
def test_without_a_text_the_question_is_the_same(text: str) -> None:
    """Some providers refuse a message of white space."""
    assert _resume(text).messages == [_ASKED]


@pytest.mark.parametrize(
    ("dialect", "model", "thinking", "text", "takes"),
    [
        ("anthropic_messages", "claude-sonnet-4-5", "budget", "One,", True),
        ("anthropic_messages", "claude-3-haiku", "none", "One,", True),
        ("anthropic_messages", "claude-sonnet-4-5", "budget", "One, ", False),
        ("anthropic_messages", "claude-opus-4-6", "adaptive", "One,", False),
        ("anthropic_messages", "another", "none", "One,", False),
        ("openai_chat", "claude-sonnet-4-5", "budget", "One,", False),
    ],
)
def test_claude_goes_on_by_itself(dialect: str, model: str, thinking: Any, text: str, takes: bool) -> None:
    """Where it does not refuse to."""
    found = _resume(text, dialect=dialect, model=model, thinking=thinking).messages
    assert found == [_ASKED, Message("assistant", [Text(text)])] + ([] if takes else [_MORE])


def test_an_answer_that_the_caller_has_begun_is_one() -> None:
    """Its beginning and what was told of the rest are one text."""
    own = Message("assistant", [Text("In short: ")])
    found = _resume("yes", messages=[_ASKED, own]).messages
    assert found == [_ASKED, Message("assistant", [Text("In short: yes")]), _MORE]
    assert own.parts == [Text("In short: ")]


@pytest.mark.parametrize(("most", "left"), [(None, None), (100, 95), (3, 1)])
def test_no_more_tokens_than_are_left(most: int | None, left: int | None) -> None:
    """And no thoughts: they were before the text."""
    found = _resume("One", max_tokens=most, thinking="none")
    assert found.max_tokens == left
    aim = Aim(model="m")
    asked = Chat(model="m", messages=[_ASKED], thinking=Thinking(effort="high"))
    assert resume(asked, Begun("One", 5), aim, "openai_chat").thinking is None
