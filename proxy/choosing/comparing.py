"""Two answers to one request, compared in figures: no text of either is in the result."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from proxy.chat import Completion, Text, ToolCall
from proxy.exchange import Attempt

Aspect = Literal["status", "latency", "cost", "length", "stop", "json", "exact", "similarity", "tools"]

MAX_WORDS = 20_000  # of a text that are compared
_NANO = 10**9
_WORD = re.compile(r"\w+|[^\w\s]")


class Side:
    """One of the two answers. Times in seconds from its start; ``completion`` None: no conversation, or unreadable.

    ``code``: the stable reason why there is no answer, or why it broke off. ``is_whole``: all of its body was kept.
    """

    __slots__ = ("attempts", "body", "code", "completion", "first", "is_sse", "is_whole", "status", "target", "total")

    def __init__(self) -> None:
        self.status = 0
        self.code: str | None = None
        self.first: float | None = None
        self.total: float | None = None
        self.body = b""
        self.is_whole = True
        self.is_sse = False
        self.target = ""
        self.attempts: Sequence[Attempt] = ()
        self.completion: Completion | None = None


class _Said:
    """What one answer says, of its first choice."""

    __slots__ = ("stop", "text", "tools")

    def __init__(self, completion: Completion) -> None:
        choice = completion.choices[0] if completion.choices else None
        parts = choice.parts if choice is not None else []
        self.text = "".join(part.text for part in parts if isinstance(part, Text))
        self.tools = [part.name for part in parts if isinstance(part, ToolCall)]
        self.stop = choice.stop if choice is not None else "other"


def compare(main: Side, shadow: Side, wanted: frozenset[str], *, is_json: bool) -> dict[str, Any]:
    """What is wanted of the two, by aspect: a figure for each side, whether they are the same, or how much.

    ``is_json``: the caller asked for JSON. What cannot be told of both is left out.
    """
    found: dict[str, Any] = {}
    if "status" in wanted:
        found["status"] = {"main": main.status, "shadow": shadow.status, "same": main.status == shadow.status}
    if "latency" in wanted:
        found["first_token_ms"] = {"main": _ms(main.first), "shadow": _ms(shadow.first)}
        found["total_ms"] = {"main": _ms(main.total), "shadow": _ms(shadow.total)}
    if "cost" in wanted:
        found["cost"] = {"main": _cost(main.attempts), "shadow": _cost(shadow.attempts)}
    if main.completion is not None and shadow.completion is not None:
        found |= _compare_words(_Said(main.completion), _Said(shadow.completion), wanted, is_json)
    return found


def _compare_words(main: _Said, shadow: _Said, wanted: frozenset[str], is_json: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "length" in wanted:
        found["length"] = {"main": len(main.text), "shadow": len(shadow.text)}
    if "stop" in wanted:
        found["stop"] = {"main": main.stop, "shadow": shadow.stop, "same": main.stop == shadow.stop}
    if "json" in wanted and is_json:
        valid = is_json_text(main.text), is_json_text(shadow.text)
        found["json"] = {"main": valid[0], "shadow": valid[1], "same": valid[0] == valid[1]}
    if "exact" in wanted:
        found["exact"] = {"same": main.text == shadow.text}
    if "similarity" in wanted:
        found["similarity"] = round(similarity(main.text, shadow.text), 3)
    if "tools" in wanted:
        found["tools"] = {"main": len(main.tools), "shadow": len(shadow.tools), "same": main.tools == shadow.tools}
    return found


def similarity(one: str, other: str) -> float:
    """From 0 to 1: twice the words that both have, by the words of both; order does not matter (Dice's coefficient)."""
    words, others = _words(one), _words(other)
    count = words.total() + others.total()
    return 2 * (words & others).total() / count if count else 1.0


def is_json_text(text: str) -> bool:
    """Whether a text is one JSON value."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def _words(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for count, word in enumerate(_WORD.finditer(text)):
        if count >= MAX_WORDS:
            break
        found[word[0]] += 1
    return found


def _cost(attempts: Sequence[Attempt]) -> float | None:
    """Dollars of all of them; None where one is not settled, or nothing was charged."""
    charges = [one.charge for one in attempts]
    if not charges or any(one is None or not one.is_settled for one in charges):
        return None
    return sum(one.cost for one in charges if one is not None) / _NANO


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
