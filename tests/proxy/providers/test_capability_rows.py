"""The rows of the table are sound data."""

from __future__ import annotations

from proxy.choosing.capability import Capabilities
from proxy.dialects.fit import REFUSABLE
from proxy.providers.capability_rows import ROWS, SAME_AS


def test_every_kind_has_a_row_for_models_that_have_none() -> None:
    assert all("*" in rows for rows in ROWS.values())
    assert all(kind in ROWS for kind in SAME_AS.values())


def test_rows_name_only_capabilities_and_parameters_that_exist() -> None:
    for rows in ROWS.values():
        for row in rows.values():
            assert set(row) <= set(Capabilities.__struct_fields__)
            assert row.get("refuses", frozenset()) | row.get("refuses_thinking", frozenset()) <= REFUSABLE


def test_a_model_that_cannot_be_told_not_to_think_does_think() -> None:
    for rows in ROWS.values():
        for row in rows.values():
            assert not row.get("always_thinks") or row["thinking"] != "none"
            assert not row.get("refuses_thinking") or row["thinking"] != "none"
