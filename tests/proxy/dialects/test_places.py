"""Where parameters stand: the name of each is one that a conversation knows, and no two share a place."""

from __future__ import annotations

import pytest

from proxy.chat import Chat
from proxy.dialects.places import PLACES


@pytest.mark.parametrize("dialect", PLACES)
def test_neutral_names(dialect: str) -> None:
    """Those of the neutral form, so that what reads a request and what changes it speak of the same."""
    assert set(PLACES[dialect]) - {"reasoning_effort"} <= set(Chat.__struct_fields__)  # a part of another one there


@pytest.mark.parametrize("dialect", PLACES)
def test_a_place_is_one_parameters(dialect: str) -> None:
    """Else one would overwrite another."""
    spelled = [(place.within, name) for place in PLACES[dialect].values() for name in place.names]
    assert len(spelled) == len(set(spelled))
