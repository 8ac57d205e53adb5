"""The tags header."""

from __future__ import annotations

import pytest

from proxy.errors import BadRequest
from proxy.tags import read_tags


def test_tags_are_read() -> None:
    """Spaces and empty entries do not matter; the last of a name wins."""
    assert read_tags("user=ada, project=søk,,env=a=b,user=bob".encode()) == {
        "user": "bob",
        "project": "søk",
        "env": "a=b",
    }


@pytest.mark.parametrize(
    "value",
    [b"user", b"=x", b"user=", b"User=x", b"1a=x", b"a b=x", b"user=\x07", b"u=" + b"x" * 257, b"a" * 65 + b"=x",
     ",".join(f"t{n}=x" for n in range(17)).encode()],
)  # fmt: skip
def test_malformed_tags_are_refused(value: bytes) -> None:
    """A 400 that names the entry."""
    with pytest.raises(BadRequest, match="x-sluicegate-tags"):
        read_tags(value)
