"""What the caller itself says in a request of any dialect: for rules that look at words.

System prompts, earlier answers and results of tools are left out: a word in them says nothing about the question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_ROOTS = ("messages", "input", "contents", "prompt", "query")
_INNER = ("content", "parts", "text")
_OTHERS = frozenset({"system", "developer", "assistant", "model", "tool", "function"})
_RESULTS = frozenset({"tool_result", "function_call_output"})


def said(body: Mapping[str, Any]) -> str:
    """All of it, a line each. ``body``: of ``proxy.caching.key.read_body``."""
    return "\n".join(text for name in _ROOTS for text in _texts(body.get(name)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict) and value.get("role") not in _OTHERS and value.get("type") not in _RESULTS:
        for name in _INNER:
            yield from _texts(value.get(name))
