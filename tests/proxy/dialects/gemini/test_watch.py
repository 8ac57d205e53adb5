"""A stream that passes untouched tells at its end whether it was whole."""

from __future__ import annotations

import pytest

from proxy.dialects.gemini.watch import Watch


@pytest.mark.parametrize(
    ("chunks", "complete"),
    [
        ([b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\n'], False),
        ([b'data: {"candidates":[{"finishReason":"STOP"}]}\n\n', b": x\n\n"], True),
        ([b'data: {"candidates":[{"finishReason": "MAX_TOKENS"}]}\n\n'], True),
        ([b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n'], True),
        ([b'data: {"text":"a \\"finishReason\\" in words"}\n\n'], False),
        ([], False),
    ],
)
def test_only_a_reason_to_stop_makes_a_stream_whole(chunks: list[bytes], complete: bool) -> None:
    watch = Watch()
    for chunk in chunks:
        watch.see(chunk)
    assert watch.is_complete() is complete
