"""An error of the provider is told by what it means."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.dialects.openai_responses.failure import failure_of
from proxy.errors import (
    BadAnswer,
    BadCredential,
    ContentRefused,
    ContextTooLong,
    ModelNotFound,
    Overloaded,
    RateLimited,
    Rejected,
    Unavailable,
    UpstreamTimeout,
)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"code": "server_error", "message": "sorry"}, Unavailable),
        ({"code": "rate_limit_exceeded", "message": "slow"}, RateLimited),
        ({"code": "insufficient_quota"}, RateLimited),
        ({"code": "context_length_exceeded"}, ContextTooLong),
        ({"code": "invalid_prompt"}, ContentRefused),
        ({"code": "misalignment_policy_violation"}, ContentRefused),
        ({"code": "image_content_policy_violation"}, ContentRefused),
        ({"code": "invalid_image_url"}, Rejected),
        ({"code": "image_too_large"}, Rejected),
        ({"code": "failed_to_download_image"}, Rejected),
        ({"code": "model_not_found"}, ModelNotFound),
        ({"code": "server_is_overloaded"}, Overloaded),
        ({"code": "vector_store_timeout"}, UpstreamTimeout),
        ({"code": None, "type": "invalid_request_error"}, Rejected),
        ({"type": "error", "error": {"type": "authentication_error"}}, BadCredential),
        ({"type": "error", "code": "rate_limit_exceeded"}, RateLimited),
        ({"code": 429}, RateLimited),
        ({}, Unavailable),
        (None, BadAnswer),
        ("no", BadAnswer),
    ],
)
def test_the_code_decides(told: Any, kind: type[Exception]) -> None:
    assert type(failure_of(told)) is kind


def test_the_providers_own_words_are_not_repeated() -> None:
    """They may tell of the gateway's account."""
    assert "org-secret" not in failure_of({"code": "rate_limit_exceeded", "message": "limit of org-secret"}).message
