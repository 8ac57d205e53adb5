"""A caller's bytes for Anthropic's models on Google Cloud: one member less, one more, all else untouched."""

from __future__ import annotations

import json
import random

import pytest

from proxy.errors import BadRequest
from proxy.providers.claude_on_vertex import for_vertex

VERSION = "vertex-2023-10-16"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b'{"model":"m","a":1}', b'{"a":1,"anthropic_version":"vertex-2023-10-16"}'),
        (b'{"a":1, "model" : "m"}', b'{"a":1,"anthropic_version":"vertex-2023-10-16"}'),
        (b'{"model":"m"}', b'{"anthropic_version":"vertex-2023-10-16"}'),
        (b'{ "anthropic_version":"x","model":"m" }', b'{ "anthropic_version":"x" }'),
    ],
)
def test_the_version_takes_the_place_of_the_model(body: bytes, sent: bytes) -> None:
    assert for_vertex(body, keeps_model=False) == sent


def test_a_question_for_tokens_keeps_its_model() -> None:
    assert json.loads(for_vertex(b'{"model":"m"}', keeps_model=True)) == {"model": "m", "anthropic_version": VERSION}


def test_whatever_the_order_and_the_spaces_nothing_else_changes() -> None:
    chance = random.Random(7)
    for _ in range(300):
        values = {"model": "m", "x": [1, {"model": "inner"}], 'y"': "model", "z": {"model": None}}
        names = chance.sample(list(values), len(values))
        value = {name: values[name] for name in names}
        body = json.dumps(value, indent=chance.choice([None, 1])).encode()
        sent = json.loads(for_vertex(body, keeps_model=False))
        assert sent == {name: one for name, one in value.items() if name != "model"} | {"anthropic_version": VERSION}


@pytest.mark.parametrize("body", [b"[]", b"", b'{"model"'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        for_vertex(body, keeps_model=False)
