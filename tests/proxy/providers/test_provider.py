"""What every account does with a body before sending it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("body", "path", "model", "expected"),
    [
        (b'{"model":"a","x":1}', "/v1/embeddings", "b", b'{"model":"b","x":1}'),
        (b'{"model":"a","x":1}', "/v1/embeddings", "a", b'{"model":"a","x":1}'),
        (b'{"model":"a","x":1}', "/v1/embeddings", None, b'{"model":"a","x":1}'),
        (b"whatever", "/v1/batches", "b", b"whatever"),
    ],
)
async def test_the_body_changes_only_for_another_model(
    account: Make, exchange: Make, body: bytes, path: str, model: str | None, expected: bytes
) -> None:
    """Where a model stands in it at all."""
    assert account("simulated").outbound_body(exchange(body, path), model) == expected
