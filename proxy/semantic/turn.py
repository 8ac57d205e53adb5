"""The last thing that a caller said, taken out of a request: what is left must be equal, and this only alike."""

from __future__ import annotations

from typing import Any, NamedTuple

_TOOLS = ("tools", "functions", "tool_choice", "function_call", "toolConfig")
_PLAIN_ROLES = frozenset({"system", "developer", "user", "assistant"})
_TEXTS = frozenset({"text", "input_text"})


class Turn(NamedTuple):
    """``text`` of the last turn, and the body without it."""

    text: str
    rest: dict[str, Any]


def last_turn(body: dict[str, Any]) -> Turn | str:
    """The turn; or why there is none that could be alike another, in few words."""
    if any(body.get(name) for name in _TOOLS):
        return "it has tools"
    if body.get("n") not in (None, 1):
        return "it asks for several answers"
    if isinstance(body.get("input"), str):
        return Turn(body["input"], {name: value for name, value in body.items() if name != "input"})
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "no conversation that is understood"
    if not all(_is_plain(message) for message in messages):
        return "there is more than text in it"
    last = messages[-1]
    if last["role"] != "user":
        return "the caller did not speak last"
    text = _text(last["content"])
    if text is None:
        return "there is more than text in it"
    blank = {name: value for name, value in last.items() if name != "content"}
    return Turn(text, body | {"messages": [*messages[:-1], blank]})


def _is_plain(message: Any) -> bool:
    """Whether a message says something, and nothing else."""
    return (
        isinstance(message, dict)
        and message.get("role") in _PLAIN_ROLES
        and not message.keys() & {"tool_calls", "function_call", "tool_call_id", "audio"}
        and _text(message.get("content")) is not None
    )


def _text(content: Any) -> str | None:
    """The text of a message; None if there is anything else."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    found = []
    for part in content:
        if not isinstance(part, dict) or part.get("type") not in _TEXTS or not isinstance(part.get("text"), str):
            return None
        found.append(part["text"])
    return "\n".join(found)
