"""The error tree and its rendering."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from proxy import errors
from proxy.errors import GatewayError, RateLimited, UpstreamError, render_openai


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 415, 418, 422, 429, 500, 502, 503, 504])
def test_every_status_renders_as_openais_error_object(status: int) -> None:
    """Four members, a type that fits the status."""
    error = json.loads(render_openai(status, "some_code", 'a "quoted" word', "model"))["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"].endswith("_error")
    assert (error["type"] == "server_error") is (status >= 500)


def test_the_drawing_in_the_docstring_is_the_tree() -> None:
    """Each class with its status stands in the module's docstring."""
    drawing = errors.__doc__ or ""
    below = UpstreamError.__subclasses__()
    known: list[type[GatewayError]] = [GatewayError, *GatewayError.__subclasses__(), *below]
    kinds = [kind for kind in known if kind.__module__ == errors.__name__]  # others belong to one part each
    assert [kind.__name__ for kind in kinds if kind.__name__ not in drawing] == []
    assert {kind.meaning for kind in below} == set(get_args(errors.Meaning))


@pytest.mark.parametrize(("seconds", "header"), [(0.2, b"1"), (2.6, b"3"), (60, b"60")])
def test_retry_after_is_whole_seconds_and_never_zero(seconds: float, header: bytes) -> None:
    """As RFC 9110 writes it."""
    assert RateLimited("slow", retry_after=seconds).headers == ((b"retry-after", header),)
