"""Addresses: what of a client's path and query reaches a provider."""

from __future__ import annotations

import pytest

from proxy.errors import BadRequest
from proxy.providers.address import below, check_base_url, clean_query


@pytest.mark.parametrize("path", ["/files/file-1", "/files/a%20b", "/responses/resp_1/input_items", "/files/..a/b"])
def test_an_honest_path_is_kept_as_it_is(path: str) -> None:
    """Byte for byte."""
    assert str(below("http://x/v1", path)) == f"http://x/v1{path}"


@pytest.mark.parametrize(
    "path",
    [
        "/..",
        "/a/../b",
        "/a/.",
        "/a/./b",
        "/%2e%2e/b",
        "/a/.%2E/b",
        "/a%2fb",
        "/a%5cb",
        "/a%00",
        "//host/b",
        "/a\\b",
        "/a?b",
        "/a#b",
        "/a b",
        "",
        "/é",
    ],
)
def test_a_dishonest_path_is_refused(path: str) -> None:
    """Whatever another server might read as something else."""
    with pytest.raises(BadRequest):
        below("http://x/v1", path)


@pytest.mark.parametrize(
    ("query", "model", "expected"),
    [
        (b"", None, ""),
        (b"limit=2&after=a%20b", None, "limit=2&after=a%20b"),
        (b"api_key=1&API-KEY=2&key=3&access_token=4&token=5&sig=6&limit=2", None, "limit=2"),
        (b"api%5Fkey=1&a", None, "a"),
        (b"model=x&a=1", "y z", "a=1&model=y%20z"),
        (b"model=x", None, "model=x"),
        (b"&&a=1&", None, "a=1"),
    ],
)
def test_a_query_passes_without_credentials(query: bytes, model: str | None, expected: str) -> None:
    """However they are spelled."""
    assert clean_query(query, model) == expected


@pytest.mark.parametrize("query", [b"a b", b"a=\xff", b"a=1\r\nx", b"a#b"])
def test_a_query_with_stray_bytes_is_refused(query: bytes) -> None:
    """They must be percent-encoded."""
    with pytest.raises(BadRequest):
        clean_query(query, None)


def test_a_base_url_loses_its_last_slash() -> None:
    """So that paths can be put behind it."""
    found = check_base_url("http://x/v1//", lambda message, at: None)
    assert str(found) == "http://x/v1"
