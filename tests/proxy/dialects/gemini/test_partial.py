"""Arguments that come in pieces are put together, and nowhere else than they say."""

from __future__ import annotations

import json

import pytest

from proxy.dialects.gemini import partial
from proxy.dialects.gemini.partial import Arguments, assemble
from proxy.dialects.gemini.wire import PartialArg
from proxy.errors import BadAnswer


def _text(path: str, text: str) -> PartialArg:
    return PartialArg(json_path=path, string_value=text)


def test_pieces_of_a_text_are_joined_and_values_find_their_place() -> None:
    arguments = Arguments()
    arguments.add([_text("$.city", "Pa"), PartialArg(json_path="$.days", number_value=3)])
    arguments.add([_text("$.city", "ris"), PartialArg(json_path="$.deep['a.b'].on", bool_value=True)])
    arguments.add([_text("$.list[0].name", "x"), _text('$.list[1]["na\\"me"]', "y"), PartialArg(json_path="$.none")])
    assert json.loads(arguments.text()) == {
        "city": "Paris",
        "days": 3,
        "deep": {"a.b": {"on": True}},
        "list": [{"name": "x"}, {'na"me': "y"}],
        "none": None,
    }


def test_pieces_that_come_together_are_one_text() -> None:
    assert assemble([_text("$.a", "1"), _text("$.a", "2")]) == '{"a":"12"}'


@pytest.mark.parametrize("path", ["", "a", "$a", "$.a[99]", "$[0]", "$.a[", "$.a..b", "$.t.x", "$.t[0]"])
def test_a_path_that_leads_nowhere_is_a_failure(path: str) -> None:
    with pytest.raises(BadAnswer):
        assemble([_text("$.t", "text"), _text(path, "x")])


def test_the_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial, "MAX_ARGUMENTS", 100)
    with pytest.raises(BadAnswer):
        assemble([_text("$.a", "x" * 101)])
