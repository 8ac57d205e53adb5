"""OpenAI's operations."""

from __future__ import annotations

from proxy.dialects.openai import EXACT


def test_every_stream_has_an_end() -> None:
    """An endpoint that can stream knows what its last event looks like."""
    streaming = {"chat.completions", "completions", "responses", "images.generations", "images.edits", "audio.speech"}
    assert streaming <= {endpoint.name for endpoint in EXACT.values() if endpoint.ends}
