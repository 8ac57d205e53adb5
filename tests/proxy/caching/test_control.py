"""What callers say of caching."""

from __future__ import annotations

import pytest

from proxy.caching.control import Control, read_control
from tests.support.caching import asked


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"", Control()),
        (b"no-cache", Control(no_cache=True)),
        (b"No-Store , no-semantic", Control(no_store=True, no_semantic=True)),
        (b"max-age=60", Control(max_age=60)),
        (b"max-age=60, max-age=5", Control(max_age=5)),
        (b"max-age=0", Control(no_cache=True, no_store=True, max_age=0)),
    ],
)
def test_what_is_understood(said: bytes, expected: Control) -> None:
    assert read_control(asked(control=said)) == expected


@pytest.mark.parametrize("said", [b"only-if-cached", b"max-age=", b"max-age=-1", b"max-age=99999999999", b"no-cache=1"])
def test_what_is_not(said: bytes) -> None:
    with pytest.raises(ValueError, match="x-cache-control takes"):
        read_control(asked(control=said))
