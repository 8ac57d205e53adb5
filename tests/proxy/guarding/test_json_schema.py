"""Schemas and values of strangers: what is right, what is wrong where, and what never ends."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.guarding.json_schema import MAX_PROBLEMS, Schema, unknown

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Z]{2}\\d+$"},
        "items": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/item"}},
        "properties": {"type": "string"},
    },
    "required": ["id"],
    "additionalProperties": False,
    "$defs": {"item": {"type": "object", "properties": {"price": {"type": "number", "minimum": 0}}}},
}


def test_what_follows_has_no_problem() -> None:
    assert Schema(ORDER).problems({"id": "AB1", "items": [{"price": 1}, {"price": 2}], "properties": "x"}) == []


@pytest.mark.parametrize(
    ("value", "place", "keyword"),
    [
        ({}, "$", "required"),
        ({"id": "ab"}, "$.id", "pattern"),
        ({"id": "AB1", "items": [{"price": 1}, {"price": -1}]}, "$.items[1].price", "minimum"),
        ({"id": "AB1", "items": [{"price": 1}, {"price": 1}]}, "$.items", "uniqueItems"),
        ({"id": "AB1", "x": 1}, "$", "additionalProperties"),
        ([], "$", "type"),
    ],
)
def test_what_does_not_is_told_with_its_place(value: Any, place: str, keyword: str) -> None:
    (problem,) = Schema(ORDER).problems(value)
    assert (problem.place, problem.keyword) == (place, keyword)


def test_problems_are_few_and_short() -> None:
    found = Schema({"items": {"const": "a" * 900}}).problems(["b" * 900] * 50)
    assert len(found) == MAX_PROBLEMS
    assert max(len(problem.message) for problem in found) <= 200


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ([], "is an object"),
        ({"type": "intger"}, r"no JSON Schema: \$\.type"),
        ({"properties": {"a": {"minimum": "1"}}}, r"\$\.properties\.a\.minimum"),
        ({"anyOf": [{"patternProperties": {"(a+)+$": {}}}]}, "`patternProperties` cannot be checked"),
    ],
)
def test_what_is_no_schema(schema: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Schema(schema)


def test_a_property_may_have_any_name() -> None:
    schema = Schema({"properties": {"patternProperties": {"type": "string"}}, "enum": [{"patternProperties": "x"}]})
    assert schema.problems({"patternProperties": "x"}) == []


def _doubling(depth: int) -> dict[str, Any]:
    defs: dict[str, Any] = {"d0": {"type": "string"}}
    for at in range(1, depth):
        defs[f"d{at}"] = {"allOf": [{"$ref": f"#/$defs/d{at - 1}"}] * 2}
    return {"$defs": defs, "$ref": f"#/$defs/d{depth - 1}"}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$ref": "#"}, "too long"),
        (_doubling(40), "too long"),
        ({"$ref": "https://schemas.example/x.json"}, "refers to what is not in it"),
        ({"$ref": "#/$defs/nothing"}, "refers to what is not in it"),
        ({"pattern": "(?=a)"}, "none of RE2's"),
    ],
)
def test_what_cannot_be_checked_says_so(schema: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Schema(schema).problems("aaaa")


def test_a_pattern_takes_no_longer_than_its_text() -> None:
    """Of which Python's own expressions would take years."""
    (problem,) = Schema({"pattern": "^(a+)+$"}).problems("a" * 5000 + "b")
    assert problem.keyword == "pattern"


def test_mistakes_in_typing_are_found() -> None:
    assert list(unknown(ORDER)) == []
    wrong = {"properties": {"a": {"tpye": "string"}}, "anyOf": [{}, {"requierd": []}], "enum": [{"x": 1}]}
    assert list(unknown(wrong)) == [(".properties.a.tpye", "tpye"), (".anyOf[1].requierd", "requierd")]
