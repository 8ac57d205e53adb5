"""What a target can be asked for."""

from __future__ import annotations

import pytest

from proxy.choosing.capability import NEED_NAMES, TOOLS, VISION, Capabilities, Needs, Reach, reach_of


@pytest.mark.parametrize("bit", NEED_NAMES)
def test_each_need_is_looked_at(bit: int) -> None:
    """A target without it lacks it, one with it does not, and the reason names it."""
    every = sum(NEED_NAMES)
    assert Reach(every).lacks(Needs(bit)) is None
    assert Reach(every & ~bit).lacks(Needs(bit)) == f"no {NEED_NAMES[bit]}"
    assert Reach(every & ~bit).lacks(Needs(every & ~bit)) is None


def test_all_that_is_missing_is_named() -> None:
    """In one sentence."""
    assert Reach(0).lacks(Needs(TOOLS | VISION)) == "no tools, images"


def test_the_context_is_a_limit() -> None:
    """Where it is known."""
    assert Reach(context=1000).lacks(Needs(0, 1000)) is None
    assert Reach(context=1000).lacks(Needs(0, 1001)) == "context of 1000 tokens, the request has about 1001"
    assert Reach().lacks(Needs(0, 10**9)) is None


def test_a_row_of_the_table_as_bits() -> None:
    """JSON by a tool is JSON."""
    can = Capabilities(vision=False, tools=False, json_schema=False, json_object=False, json_by_tool=True, context=9)
    reach = reach_of(can)
    assert reach.lacks(Needs(TOOLS)) == "no tools"
    assert reach.lacks(Needs(VISION)) == "no images"
    assert reach.lacks(Needs(sum(bit for bit, name in NEED_NAMES.items() if "JSON" in name))) is None
    assert reach.context == 9
