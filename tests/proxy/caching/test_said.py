"""What the caller itself says."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.caching.said import said

TEXT = {"type": "text", "text": "One"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ""),
        ({"messages": [{"role": "user", "content": "One"}]}, "One"),
        ({"messages": [{"role": "user", "content": [TEXT, {"type": "text", "text": "Two"}]}]}, "One\nTwo"),
        ({"messages": [{"role": "user", "content": "One"}, {"role": "assistant", "content": "no"}]}, "One"),
        ({"messages": [{"role": "developer", "content": "no"}, {"role": "user", "content": "One"}]}, "One"),
        ({"system": "no", "messages": [{"role": "user", "content": [{"type": "tool_result", "content": "no"}]}]}, ""),
        ({"input": "One"}, "One"),
        ({"input": ["One", "Two"]}, "One\nTwo"),
        (
            {"instructions": "no", "input": [{"role": "user", "content": [{"type": "input_text", "text": "One"}]}]},
            "One",
        ),
        ({"input": [{"type": "function_call_output", "output": "no", "content": "no"}]}, ""),
        (
            {"contents": [{"role": "user", "parts": [{"text": "One"}]}, {"role": "model", "parts": [{"text": "no"}]}]},
            "One",
        ),
        ({"prompt": ["One", "Two"]}, "One\nTwo"),
        ({"query": "One", "documents": ["no"]}, "One"),
        ({"messages": 7, "input": [[1, None]]}, ""),
    ],
)
def test_words_of_the_caller(body: dict[str, Any], expected: str) -> None:
    """In every dialect; nothing of the system, of a model or of a tool."""
    assert said(body) == expected
