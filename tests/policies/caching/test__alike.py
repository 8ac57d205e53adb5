"""What is known of a request whose answer others may get."""

from __future__ import annotations

import pytest

from policies.caching._alike import Alike
from proxy.caching.control import Control
from proxy.semantic.guard import read


@pytest.mark.parametrize(("one", "other"), [(b"a", b"b"), (b"a", b"a")])
def test_an_answer_lies_under_its_partition_and_words(one: bytes, other: bytes) -> None:
    """So that nobody else's is found there."""
    first, second = read("Pay it"), read("Please pay it!")
    assert first is not None
    assert second is not None
    keys = [
        Alike(Control(), partition, question, wants_usage=False).asked.key
        for partition, question in ((one, first), (other, second))
    ]
    assert keys[0] != keys[1]
