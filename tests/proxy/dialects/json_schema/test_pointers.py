"""References are followed by JSON pointers, and circles are known as such."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.dialects.json_schema.pointers import Pointers, definition, is_local, steps
from proxy.errors import BadRequest

ROOT: dict[str, Any] = {
    "$defs": {
        "a": {"properties": {"b": {"$ref": "#/$defs/b"}}},
        "b": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/a"}]},
        "c": {"items": {"$ref": "#/$defs/a"}},
        "x/y~z %": {"type": "string"},
    }
}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("#", ROOT),
        ("#/$defs/b/anyOf/0", {"type": "null"}),
        ("#/$defs/x~1y~0z%20%25", {"type": "string"}),
    ],
)
def test_a_pointer_leads_to_its_place(reference: str, expected: Any) -> None:
    assert Pointers(ROOT, "p").resolve(reference, "p") == expected


@pytest.mark.parametrize("reference", ["#/$defs/none", "#/$defs/b/anyOf/2", "#/$defs/b/anyOf/-1", "#/$defs/b/anyOf/x"])
def test_a_pointer_to_nothing_is_refused(reference: str) -> None:
    with pytest.raises(BadRequest) as error:
        Pointers(ROOT, "p").resolve(reference, "p.items")
    assert error.value.param == "p.items.$ref"


@pytest.mark.parametrize(("name", "cyclic"), [("a", True), ("b", True), ("c", False)])
def test_a_circle_is_a_definition_that_leads_back_to_itself(name: str, cyclic: bool) -> None:
    assert Pointers(ROOT, "p").is_cyclic(f"#/$defs/{name}", "p") is cyclic


def test_too_many_different_references_are_refused() -> None:
    defs = {f"d{at}": {"$ref": f"#/$defs/d{at + 1}"} for at in range(1200)} | {"d1200": {}}
    with pytest.raises(BadRequest, match="references"):
        Pointers({"$defs": defs}, "p").is_cyclic("#/$defs/d0", "p")


def test_only_pointers_into_the_schema_itself_are_local() -> None:
    assert [is_local(one) for one in ("#", "#/a", "#name", "other.json#/a", "https://a.b")] == [True, True] + [
        False
    ] * 3
    assert steps("#/a/~01") == ["a", "~1"]
    assert definition("#/$defs/a") == ("$defs", "a")
    assert definition("#/properties/a") is None
