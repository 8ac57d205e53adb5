"""Where each flag stands, and what is set for it."""

from __future__ import annotations

from proxy.flags.flag import Flags, Setting
from proxy.flags.table import Place, Table

ONE, TWO = Place("chat", "routes.chat.target", "sim/x", True, "10% by user"), Place("side", "y", "quota", False, None)


def test_a_name_has_its_places_once_and_what_is_set() -> None:
    flags = Flags()
    table = Table(flags)
    for place in (ONE, TWO, ONE):
        table.add("new", place)
    flags.take({"new": Setting("on", True), "gone": Setting("off", False)})
    assert table.places == {"new": [ONE, TWO]}
    assert table.settings == {"new": "on", "gone": "off"}
    assert (table.value("new"), table.value("other")) == ("on", "default")
