"""Names of requests."""

from __future__ import annotations

import re

from proxy.request_ids import RequestIds


def test_each_is_another_and_looks_like_all_of_them() -> None:
    """Over more than are made at once, and in two processes."""
    some, others = RequestIds(), RequestIds()
    found = [some.new() for _ in range(1000)] + [others.new() for _ in range(1000)]
    assert len(set(found)) == 2000
    assert all(re.fullmatch(r"req_[0-9a-f]{24}", one) for one in found)
