"""The table of cuts keeps up with the source; whether the tests notice them is seen by ``make teeth``."""

from __future__ import annotations

import pytest

from tests.support.environment import ROOT
from tests.teeth.cuts import CUTS, Cut


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: f"{cut.name} {cut.what}")
def test_a_cut_fits_the_source(cut: Cut) -> None:
    """What it takes away stands there, once, and its tests exist."""
    assert (ROOT / cut.file).read_text().count(cut.old) == 1
    assert cut.old != cut.new
    assert all((ROOT / test.partition("::")[0]).is_file() for test in cut.tests.split())
