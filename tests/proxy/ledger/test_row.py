"""A row: what a new one says, and how it is kept."""

from __future__ import annotations

import msgspec

from proxy.ledger.row import PriceTerms, Row
from tests.support.ledger import opened, settled


def test_a_new_row_is_open_and_has_cost_nothing() -> None:
    """All that nobody has said is empty or 0."""
    row = Row("att_1", "req_1", 1, 5)
    assert (row.id, row.request, row.number, row.opened, row.status) == ("att_1", "req_1", 1, 5, "open")
    told = {"id", "request", "number", "opened", "status", "stream"}
    rest = {name: getattr(row, name) for name in Row.__struct_fields__ if name not in told}
    assert set(rest.values()) == {"", 0}
    assert row.stream is False


def test_a_row_is_kept_as_a_list_and_read_back() -> None:
    """As in a journal; what an older version wrote, without the last fields, is read too."""
    row = settled(opened(1, cache="exact", saved=7, saved_output=3, cached_read=7, bound_cost=2**62))
    kept = msgspec.msgpack.encode(row)
    assert isinstance(msgspec.msgpack.decode(kept), list)
    assert msgspec.msgpack.decode(kept, type=Row) == row
    older = msgspec.msgpack.decode(kept)[:-4]
    assert msgspec.convert(older, Row) == msgspec.structs.replace(row, cache="", saved=0, saved_input=0, saved_output=0)


def test_terms_of_a_price_cannot_be_changed() -> None:
    """Rows name them by their version: equal ones are one."""
    assert len({PriceTerms("v", b"{}"), PriceTerms("v", b"{}")}) == 1
