"""The task of a conversation, by rules: how often they are right on prompts written by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from proxy.chat import Chat, Format, Message, Text, Thinking, Tool, ToolResult
from proxy.choosing.tasks import LABELS, excerpt, task_of
from tests.policies.routing.sample import SAMPLE

FLOOR = 0.9  # of the sample; the rules were made while looking at it, so expect less of what others ask


def _chat(text: str, system: str = "", **more: object) -> Chat:
    messages = [Message("user", [Text(text)])]
    if system:
        messages.insert(0, Message("system", [Text(system)]))
    return Chat(model="m", messages=messages, **more)  # type: ignore[arg-type]


def test_the_rules_are_mostly_right(capsys: pytest.CaptureFixture[str]) -> None:
    """On a sample of at least 120 prompts; what they confuse is printed."""
    confusion: Counter[tuple[str, str]] = Counter()
    for label, prompts in SAMPLE.items():
        tools = [Tool(name="do")] if label == "tools" else []
        confusion.update((label, task_of(_chat(prompt, tools=tools)).label) for prompt in prompts)
    total = confusion.total()
    right = sum(count for (label, found), count in confusion.items() if label == found)
    with capsys.disabled():
        print(f"\nrules: {right} of {total} prompts right")
        for (label, found), count in sorted(confusion.items()):
            if label != found:
                print(f"  {label} taken for {found}: {count}")
    assert total >= 120
    assert right / total >= FLOOR
    assert {found for _, found in confusion} <= set(LABELS)


def test_the_instructions_count() -> None:
    """Where the user only brings the material."""
    assert task_of(_chat("Die Ware kam kaputt an.", "Classify the sentiment: positive, negative, neutral.")).label == (
        "classification"
    )


def test_the_form_of_the_request_counts() -> None:
    """A schema with a choice asks for a class, one without for facts; effort for thought; results go on with tools."""
    choice = {"type": "object", "properties": {"is": {"enum": ["a", "b"]}}}
    facts = {"type": "object", "properties": {"name": {"type": "string"}}}
    text = "Die Ware kam kaputt an."
    assert task_of(_chat(text, format=Format(kind="json_schema", schema=choice))).label == "classification"
    assert task_of(_chat(text, format=Format(kind="json_schema", schema=facts))).label == "extraction"
    assert task_of(_chat(text, thinking=Thinking(effort="high"))).label == "reasoning"
    chat = _chat("Compute the probability", tools=[Tool(name="do")])
    chat.messages.append(Message("user", [ToolResult(call_id="1", parts=(Text("12"),))]))
    assert task_of(chat).label == "tools"


def test_the_last_message_counts() -> None:
    """And both its ends, not its middle."""
    chat = _chat("Translate to French: hello")
    chat.messages += [Message("assistant", [Text("bonjour")]), Message("user", [Text("Now write a Python function")])]
    assert task_of(chat).label == "code"
    filler = "lorem ipsum " * 500
    assert task_of(_chat(f"{filler}\nSummarize the text above.")).label == "summary"
    assert task_of(_chat(f"{filler} python refactor {filler}")).label == "chat"


def test_what_is_looked_at_is_bounded() -> None:
    """Whatever is sent."""
    seen = excerpt(_chat("x" * 1_000_000, "y" * 1_000_000))
    assert len(seen.text) + len(seen.system) < 2_000
    assert len(task_of(_chat("python rust sql html css bash git regex numpy pandas react django " * 50)).signals) <= 12
