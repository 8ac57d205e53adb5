"""A schema comes out in the words of its target, means the same where nothing is named as lost, and stays bounded."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import Losses
from proxy.dialects.json_schema import (
    ANTHROPIC,
    ANTHROPIC_STRICT,
    BEDROCK,
    GEMINI,
    GEMINI_JSON,
    NOVA,
    OPENAI_STRICT,
    PLAIN,
    Rules,
    lower,
)
from proxy.errors import BadRequest
from tests.support.schemas import INSTANCES, JUNK, MILD_ROOTS, ROOTS

ALL: dict[str, Rules] = {
    "plain": PLAIN,
    "openai_strict": OPENAI_STRICT,
    "gemini": GEMINI,
    "gemini_json": GEMINI_JSON,
    "anthropic": ANTHROPIC,
    "anthropic_strict": ANTHROPIC_STRICT,
    "bedrock": BEDROCK,
    "nova": NOVA,
}
NAMES = st.sampled_from(sorted(ALL))


def lowered(schema: Any, rules: Rules) -> tuple[Any, list[str]]:
    losses = Losses()
    return lower(schema, rules, "p", losses), list(losses.names)


def accepts(schema: Any, value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


NODE = {
    "$defs": {
        "node": of(value={"type": "integer"}, next={"$ref": "#/$defs/node"}) | {"required": ["value"]},
        "list": of(items={"type": "array", "items": {"$ref": "#/$defs/list"}}) | {"required": ["items"]},
        "city": {"type": "string", "description": "a city"},
    },
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/city"}, "b": {"$ref": "#/$defs/city"}},
    "required": ["a", "b"],
}

# References


@pytest.mark.parametrize("name", ["gemini", "bedrock", "nova"])
def test_references_are_written_out_for_targets_that_do_not_follow_them(name: str) -> None:
    city = {"type": "string", "description": "a city"}
    assert lowered(NODE, ALL[name]) == (of(a=city, b=city) | {"required": ["a", "b"]}, [])


@pytest.mark.parametrize("name", ["openai_strict", "gemini_json", "anthropic_strict"])
def test_references_stay_where_the_target_follows_them_and_only_what_is_referred_to_stays(name: str) -> None:
    out, lost = lowered(NODE, ALL[name])
    assert out["properties"] == NODE["properties"]
    assert list(out["$defs"]) == ["city"]
    assert lost == []


@pytest.mark.parametrize(
    "reference",
    ["#/properties/x~1y", "#/$defs/a%20b/properties/deep", "#/properties/all/anyOf/1"],
)
def test_a_pointer_may_lead_anywhere_and_holds_escapes(reference: str) -> None:
    target = {"type": "string", "maxLength": 3}
    schema = of(**{"x/y": target, "r": {"$ref": reference}, "all": {"anyOf": [{"type": "null"}, target]}})
    schema["$defs"] = {"a b": of(deep=target)}
    assert lowered(schema, BEDROCK)[0]["properties"]["r"] == target


def test_words_beside_a_reference_win_over_those_behind_it() -> None:
    schema = of(a={"$ref": "#/$defs/city", "description": "where to"}) | {"$defs": NODE["$defs"]}
    for rules in (OPENAI_STRICT, GEMINI_JSON, GEMINI, ANTHROPIC_STRICT):
        out, lost = lowered(schema | {"required": ["a"]}, rules)
        assert out["properties"]["a"] == {"type": "string", "description": "where to"}
        assert lost == []


def test_a_circle_stays_where_the_target_follows_it() -> None:
    schema = {"$defs": NODE["$defs"], "type": "object", "properties": {"n": {"$ref": "#/$defs/node"}}}
    out, lost = lowered(schema, GEMINI_JSON)
    assert out["$defs"]["node"]["properties"]["next"] == {"$ref": "#/$defs/node"}
    assert lost == []
    out, lost = lowered(schema | {"required": ["n"]}, OPENAI_STRICT)
    assert out["$defs"]["node"]["properties"]["next"] == {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}
    assert lost == ["p.$defs.node.required"]


def test_a_circle_is_cut_where_the_target_follows_none() -> None:
    schema = {"$defs": NODE["$defs"], "type": "object", "properties": {"n": {"$ref": "#/$defs/node"}}}
    out, lost = lowered(schema, BEDROCK)
    leaf = of(value={"type": "integer"}) | {"required": ["value"]}
    assert out == of(n=of(value={"type": "integer"}, next=leaf) | {"required": ["value"]})
    assert lost == ["p.$defs.node.properties.next.$ref"]


def test_a_circle_through_required_properties_is_cut_where_it_may_not_stand_there() -> None:
    schema = {"$defs": NODE["$defs"], "type": "object", "properties": {"n": {"$ref": "#/$defs/list"}}}
    out, lost = lowered(schema | {"required": ["n"]}, GEMINI_JSON)
    inner = {"type": "array", "items": {"type": "object"}}
    outer = {"type": "array", "items": of(items=inner) | {"required": ["items"]}}
    assert out == of(n=of(items=outer) | {"required": ["items"]}) | {"required": ["n"]}
    assert lost == ["p.$defs.list.properties.items.items.$ref"]


def test_a_schema_that_refers_to_itself_as_a_whole_is_cut_or_kept() -> None:
    schema = of(value={"type": "string"}, child={"$ref": "#"})
    assert lowered(schema, ANTHROPIC) == (schema, [])
    out, lost = lowered(schema, BEDROCK)
    assert out["properties"]["child"] == of(value={"type": "string"})
    assert lost == ["p.properties.child.$ref"]


@pytest.mark.parametrize(
    ("schema", "param"),
    [
        ({"$ref": "#/$defs/none", "$defs": {}}, "p.$ref"),
        (of(a={"$ref": "#/properties/b"}), "p.properties.a.$ref"),
        ({"$ref": "#"}, "p"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "p"),
        ({"type": "object", "properties": 7, "x": {"$ref": "#"}}, "p.properties"),
        (of(a=7, b={"$ref": "#/x"}), "p.properties.a"),
        ([1], "p"),
        ("object", "p"),
    ],
)
def test_a_schema_that_makes_no_sense_is_refused_by_its_place(schema: Any, param: str) -> None:
    with pytest.raises(BadRequest) as error:
        lowered(schema, BEDROCK)
    assert error.value.param == param


def test_a_reference_out_of_the_schema_is_dropped_and_named() -> None:
    schema = of(a={"$ref": "https://example.org/a.json", "type": "string"})
    assert lowered(schema, BEDROCK) == (of(a={"type": "string"}), ["p.properties.a.$ref"])


def test_a_schema_that_explodes_is_refused() -> None:
    defs: dict[str, Any] = {"l0": {"type": "string"}}
    for level in range(1, 30):
        branch = {"$ref": f"#/$defs/l{level - 1}"}
        defs[f"l{level}"] = of(a=branch, b=branch)
    with pytest.raises(BadRequest, match="too large"):
        lowered({"$defs": defs, "$ref": "#/$defs/l29"}, BEDROCK)


@pytest.mark.parametrize("levels", [120, 3000])
def test_a_schema_that_is_nested_without_end_is_refused(levels: int) -> None:
    schema: dict[str, Any] = {"$ref": "#"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    with pytest.raises(BadRequest, match=r"deep|nested"):
        lowered(of(a=schema), BEDROCK)


# Keywords


@pytest.mark.parametrize(
    ("name", "schema", "expected", "lost"),
    [
        ("gemini_json", {"const": "a"}, {"type": "string", "enum": ["a"]}, []),
        ("gemini_json", {"const": True}, {}, [".enum"]),
        ("gemini_json", {"const": None}, {"type": "null"}, []),
        ("gemini_json", {"type": "boolean", "enum": [True, False]}, {"type": "boolean"}, []),
        (
            "gemini_json",
            {"type": ["string", "null"], "enum": ["a", None]},
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
            [],
        ),
        ("gemini_json", {"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}, []),
        ("gemini_json", {"type": "integer", "exclusiveMaximum": 2.5}, {"type": "integer", "maximum": 2}, []),
        ("gemini_json", {"type": "number", "exclusiveMinimum": 0}, {"type": "number"}, [".exclusiveMinimum"]),
        ("gemini_json", {"type": "string", "pattern": "a", "minLength": 0}, {"type": "string"}, [".pattern"]),
        ("gemini_json", {"type": "string", "format": "email"}, {"type": "string"}, [".format"]),
        ("gemini_json", {"type": "string", "format": "date"}, {"type": "string", "format": "date"}, []),
        (
            "gemini_json",
            {"type": "string", "nullable": True, "description": "d"},
            {"type": ["string", "null"], "description": "d"},
            [],
        ),
        (
            "gemini_json",
            {"type": "array", "items": [{"type": "string"}], "additionalItems": {"type": "null"}},
            {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "null"}},
            [],
        ),
        ("gemini", {"type": ["string", "null"]}, {"type": "string", "nullable": True}, []),
        (
            "gemini",
            {"type": ["string", "array", "null"], "maxLength": 2, "items": {"type": "null"}, "description": "d"},
            {
                "anyOf": [
                    {"type": "string", "maxLength": 2, "description": "d"},
                    {"type": "array", "items": {"type": "null"}, "description": "d"},
                ],
                "nullable": True,
            },
            [],
        ),
        (
            "gemini",
            {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"},
            {"type": "string", "description": "d", "nullable": True},
            [],
        ),
        ("gemini", {"enum": [1, 2]}, {"type": "integer", "enum": ["1", "2"]}, []),
        ("gemini", {"properties": {}}, {"type": "object", "properties": {}}, []),
        ("gemini", {}, {"type": "string"}, [".type"]),
        ("anthropic_strict", {"type": "array", "minItems": 2}, {"type": "array"}, [".minItems"]),
        ("anthropic_strict", {"type": "array", "minItems": 1}, {"type": "array", "minItems": 1}, []),
        ("anthropic_strict", {"type": "string", "pattern": "^a+$"}, {"type": "string", "pattern": "^a+$"}, []),
        ("anthropic_strict", {"type": "string", "pattern": "a(?=b)"}, {"type": "string"}, [".pattern"]),
        ("anthropic_strict", {"enum": [{}]}, {}, [".enum"]),
        ("openai_strict", {"type": "string", "default": "x"}, {"type": "string"}, [".default"]),
        (
            "openai_strict",
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            [],
        ),
        (
            "openai_strict",
            {"oneOf": [{"type": "string"}, {"enum": ["a"]}]},
            {"anyOf": [{"type": "string"}, {"enum": ["a"]}]},
            [".oneOf"],
        ),
        (
            "openai_strict",
            {"allOf": [{"type": "integer", "minimum": 1}, {"type": "number", "minimum": 3}], "description": "d"},
            {"type": "integer", "minimum": 3, "description": "d"},
            [],
        ),
        ("openai_strict", {"not": {"type": "string"}}, {}, [".not"]),
    ],
)
def test_a_keyword_is_said_otherwise_or_dropped_and_named(
    name: str, schema: dict[str, Any], expected: dict[str, Any], lost: list[str]
) -> None:
    root = of(x=schema) | {"required": ["x"], "additionalProperties": False}
    out, names = lowered(root, ALL[name])
    assert out["properties"]["x"] == expected
    assert [one for one in names if one != "p.additionalProperties"] == [f"p.properties.x{one}" for one in lost]


def test_branches_told_apart_by_a_constant_are_as_good_as_any_of_them() -> None:
    cat, dog = (
        {"type": "object", "properties": {"kind": {"const": kind}}, "required": ["kind"]} for kind in ("cat", "dog")
    )
    out, lost = lowered(of(pet={"oneOf": [cat, dog], "discriminator": {"propertyName": "kind"}}), GEMINI_JSON)
    assert lost == []
    assert len(out["properties"]["pet"]["anyOf"]) == 2


def test_every_object_is_closed_and_what_was_open_is_named() -> None:
    schema = of(a=of(b={"type": "string"}), c={"type": "object", "additionalProperties": {"type": "string"}})
    out, lost = lowered(schema, ANTHROPIC_STRICT)
    assert out["additionalProperties"] is out["properties"]["a"]["additionalProperties"] is False
    assert lost == ["p.properties.c.additionalProperties"]


def test_all_properties_are_required_where_the_target_wants_that() -> None:
    out, lost = lowered(of(a={"type": "string"}, b={"type": "string"}) | {"required": ["b"]}, OPENAI_STRICT)
    assert out["required"] == ["b", "a"]
    assert lost == ["p.required"]


@pytest.mark.parametrize("name", ["anthropic", "bedrock", "openai_strict"])
def test_a_union_outermost_becomes_one_object_with_all_properties(name: str) -> None:
    schema = {
        "anyOf": [
            of(a={"type": "string"}, k={"type": "string"}) | {"required": ["a", "k"]},
            of(b={"type": "string"}, k={"type": "string"}) | {"required": ["b", "k"]},
        ]
    }
    out, lost = lowered(schema, ALL[name])
    assert out["type"] == "object"
    assert list(out["properties"]) == ["a", "k", "b"]
    assert "anyOf" not in out
    assert "p.anyOf" in lost
    if name != "openai_strict":
        assert out["required"] == ["k"]


def test_only_three_keywords_stand_outermost_for_amazons_own_models() -> None:
    schema = of(a={"type": "string"}) | {"title": "T", "$schema": "s", "description": "d", "additionalProperties": True}
    assert lowered(schema, NOVA) == (of(a={"type": "string"}), ["p.description", "p.additionalProperties"])


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_schema_that_can_stay_is_the_same_object(name: str) -> None:
    schema = of(a={"type": "string", "description": "x"}) | {"required": ["a"]}
    if name in ("openai_strict", "anthropic_strict"):
        schema["additionalProperties"] = False
    assert lowered(schema, ALL[name])[0] is schema


# Properties


def _from_openapi(schema: Any) -> Any:
    """A schema of Gemini's kind in JSON Schema's words."""
    if isinstance(schema, list):
        return [_from_openapi(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {
        key: {name: _from_openapi(one) for name, one in value.items()} if key == "properties" else _from_openapi(value)
        for key, value in schema.items()
        if key != "nullable"
    }
    if "enum" in out and out["type"] in ("integer", "number"):
        out["enum"] = [_number(one) for one in out["enum"]]
    return {"anyOf": [out, {"type": "null"}]} if schema.get("nullable") is True else out


def _number(text: str) -> float | str:
    """A number, which stands as text there; of another text no value of that type is one."""
    try:
        return float(text)
    except ValueError:
        return text


def _schemas_in(schema: Any) -> list[dict[str, Any]]:
    """Every schema within ``schema``, itself included."""
    found = [schema]
    for key, value in schema.items():
        if key in ("properties", "$defs", "definitions"):
            inner = list(value.values())
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            inner = value
        else:
            inner = [value] if key in ("items", "additionalProperties", "not") and isinstance(value, dict) else []
        for one in inner:
            found += _schemas_in(one)
    return found


@given(root=ROOTS, name=NAMES)
def test_nothing_that_the_target_refuses_is_left(root: dict[str, Any], name: str) -> None:
    rules, before = ALL[name], copy.deepcopy(root)
    try:
        out, _ = lowered(root, rules)
    except BadRequest:
        return
    assert root == before
    if rules is PLAIN:
        assert out is root
        return
    for schema in _schemas_in(out):
        assert all(rules.takes(key) for key in schema)
        if rules.references == "none":
            assert "$ref" not in schema
        elif not rules.siblings and "$ref" in schema:
            assert len(schema) == 1
        if not rules.type_lists:
            assert isinstance(schema.get("type", ""), str)
            assert "anyOf" not in schema or schema.keys() <= {"anyOf", "nullable"}
        if rules.closed and schema.get("type") == "object":
            assert schema["additionalProperties"] is False
            assert not rules.all_required or set(schema["required"]) == set(schema["properties"])
    assert lowered(out, rules)[0] == out or rules in (GEMINI, OPENAI_STRICT)


@given(
    root=ROOTS | MILD_ROOTS | MILD_ROOTS,
    name=st.sampled_from(["gemini", "gemini_json", "anthropic", "anthropic_strict", "bedrock"]),
    values=INSTANCES,
)
def test_where_nothing_is_lost_both_schemas_accept_the_same(root: dict[str, Any], name: str, values: list[Any]) -> None:
    """By an independent validator; objects that are open by default are closed for strict targets, so not judged."""
    try:
        out, lost = lowered(root, ALL[name])
        if lost:
            return
        out = _from_openapi(out) if name == "gemini" else out
        for value in values:
            if name == "anthropic_strict":
                assert accepts(root, value) or not accepts(out, value)
            else:
                assert accepts(root, value) == accepts(out, value)
    except (BadRequest, RecursionError):
        return


@given(schema=JUNK, name=NAMES)
def test_whatever_stands_in_place_of_a_schema_is_lowered_or_refused(schema: Any, name: str) -> None:
    with contextlib.suppress(BadRequest):
        lowered(schema, ALL[name])
