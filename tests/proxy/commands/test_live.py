"""The live view without a terminal: what it shows, and what keys do."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from proxy.commands.live import MOST, View, heading, keys, row
from proxy.ledger.shown import Style
from tests.support.receipts import shown_as_json


def _receipt(id: str = "req_1", **more: Any) -> dict[str, Any]:
    return shown_as_json(id) | more


def _view(*ids: str) -> View:
    view = View("here", zone=UTC)
    for id in ids:
        view.add(_receipt(id, route=id))
    return view


def _marked(view: View) -> str:
    """The route of the selected line."""
    (line,) = [line for line in view.screen(120, 12) if line.startswith(">")]
    return line.split()[2]


def test_a_line() -> None:
    found = row(_receipt(organisation="acme", team="search", key="web", cache="hit"), UTC)
    assert found.split() == [
        *("07:59:59", "200", "chat", "fast", "→", "up/fast", "9", "14", "$0.0000015"),
        *("25", "30", "1", "hit", "acme/search/web"),
    ]
    assert len(heading().split()) == len(found.split())


def test_a_line_keeps_its_columns_and_moves_no_cursor() -> None:
    """Whatever callers call their models."""
    wild = row(_receipt(model="\x1b[2J" + "x" * 300, first_byte_ms=None, target=None), UTC)
    assert "\x1b" not in wild
    assert len(wild) <= len(row(_receipt(), UTC)) + 30
    assert wild.index("$") == row(_receipt(), UTC).index("$")


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (b"\x1b[A\x1b[B", ["up", "down"]),
        (b"jk\r", ["down", "up", "open"]),
        (b"\x1b", ["back"]),
        (b"\x1bOAq", ["up", "quit"]),
        (b"zz\x1b[5~", ["page_up"]),
        (b"", []),
    ],
)
def test_keys(typed: bytes, names: list[str]) -> None:
    assert list(keys(typed)) == names


def test_a_screen_has_the_size_it_should() -> None:
    view = _view(*(str(number) for number in range(50)))
    for width, height in ((80, 24), (20, 5), (200, 3), (10, 2)):
        lines = view.screen(width, height)
        assert max(map(len, lines)) <= width
        assert len(lines) == max(height, 3)


def test_the_newest_is_selected_until_somebody_selects() -> None:
    """Then that one stays selected while others come."""
    view = _view("a", "b")
    assert _marked(view) == "b"
    view.add(_receipt("c", route="c"))
    assert _marked(view) == "c"
    view.press("down")
    assert _marked(view) == "b"
    view.add(_receipt("d", route="d"))
    assert _marked(view) == "b"
    view.press("end")
    assert _marked(view) == "a"
    view.press("down")
    assert _marked(view) == "a"
    view.press("home")
    assert _marked(view) == "d"


def test_a_receipt_is_opened_scrolled_and_closed() -> None:
    """What comes meanwhile does not take its place."""
    view = _view("a", "b")
    view.press("down")
    view.press("open")
    opened = view.screen(100, 10)
    assert opened[1] == "a"
    view.add(_receipt("c"))
    view.press("down")
    assert view.screen(100, 10)[1] == opened[2]
    view.press("back")
    assert _marked(view) == "a"
    assert not view.is_over
    view.press("quit")
    assert view.is_over


def test_nothing_can_be_opened_where_nothing_is() -> None:
    view = View("here")
    for key in ("open", "up", "down", "page_down", "end", "home", "back"):
        view.press(key)
    assert "0 requests" in view.screen(80, 5)[-1]


def test_the_foot_tells_what_is_wrong() -> None:
    """Until something comes."""
    view = _view("a")
    view.add({"missed": 3})
    view.add({"missed": 4})
    view.problem = "no gateway\x1b[2J"
    assert view.screen(200, 5)[-1].startswith("no gateway?[2J  here  1 requests  7 came too fast")
    view.add(_receipt("b"))
    assert view.screen(200, 5)[-1].startswith("here  2 requests")


def test_what_is_known_does_not_come_again() -> None:
    """A gateway that was lost and found tells its latest once more."""
    view = _view("a", "b", "a")
    assert "2 requests" in view.screen(100, 5)[-1]


def test_it_forgets_the_oldest() -> None:
    view = View("here")
    for number in range(MOST + 5):
        view.add(_receipt(str(number)))
        if number == 10:
            view.press("down")
    assert f"{MOST} requests" in view.screen(100, 5)[-1]
    view.press("open")
    assert view.screen(100, 5)[1] == "9"


def test_colours_only_where_there_are_some() -> None:
    view = View("here", Style(True))
    view.add(_receipt("a", status=500))
    view.add(_receipt("b"))
    lines = view.screen(100, 5)
    assert lines[1].startswith("\x1b[7m")
    assert lines[2].startswith("\x1b[31m")
    assert not any("\x1b" in line for line in _view("a").screen(100, 5))


def test_hints_stand_below_while_there_is_room() -> None:
    """Broken at the edge of the screen, not cut: they are to be copied."""
    view = View("here", zone=UTC, hints=["Ready.", "x" * 130])
    lines = view.screen(100, 8)
    assert lines[4:7] == ["Ready.", "x" * 100, "x" * 30]
    for id in "abc":
        view.add(_receipt(id, route=id))
    assert len(view.screen(100, 8)) == 8
    assert "Ready." not in view.screen(100, 8)
    assert "Ready." in view.screen(100, 9)
    assert len(view.screen(0, 0)) == 3  # a terminal that has no size yet
    view.press("open")
    assert "Ready." not in view.screen(100, 40)
