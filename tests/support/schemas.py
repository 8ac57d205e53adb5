"""Schemas and values at random, for what must hold for all of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from proxy.dialects.json_schema import GEMINI

_SCALARS: Any = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "é", 0.5])
_LEAVES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("integer")},
        optional={key: st.integers(-3, 3) for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")},
    ),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(0, 3),
            "pattern": st.sampled_from(["^a", "b$", "a(?=b)"]),
            "description": st.just("d"),
            "title": st.just("t"),
        },
    ),
    st.fixed_dictionaries({"type": st.sampled_from(["boolean", "null", "number"])}),
    st.fixed_dictionaries({"type": st.lists(st.sampled_from(["string", "null", "integer"]), min_size=1, unique=True)}),
    st.fixed_dictionaries({"enum": st.lists(_SCALARS, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"const": _SCALARS}),
    st.builds(lambda name: {"$ref": f"#/$defs/{name}"}, st.sampled_from("xyz")),
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    many = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)},
            optional={
                "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2),
                "additionalProperties": st.booleans(),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={"minItems": st.integers(0, 2), "uniqueItems": st.booleans()},
        ),
        st.sampled_from(["anyOf", "oneOf", "allOf"]).flatmap(lambda key: many.map(lambda found: {key: found})),
        many.map(lambda found: {"prefixItems": found, "type": "array"}),
        inner.map(lambda found: {"not": found}),
    )


_SCHEMAS = st.recursive(_LEAVES, _nested, max_leaves=8)
# Schemas of which most targets take nearly everything, so that few losses keep the oracle from judging.
_MILD_LEAVES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("integer")}, optional={"minimum": st.integers(-3, 3), "exclusiveMaximum": st.integers(-3, 3)}
    ),
    st.fixed_dictionaries({"type": st.sampled_from(["string", "boolean", "null", "number"])}),
    st.fixed_dictionaries({"type": st.lists(st.sampled_from(["string", "null", "integer"]), min_size=1, unique=True)}),
    st.fixed_dictionaries({"enum": st.lists(st.none() | st.sampled_from(["a", "b", 1, 2.0]), min_size=1, max_size=3)}),
    st.fixed_dictionaries({"const": st.sampled_from(["a", 1])}),
    st.fixed_dictionaries(
        {"$ref": st.sampled_from(["#/$defs/x", "#/$defs/y", "#/$defs/z"])}, optional={"description": st.just("d")}
    ),
)
_MILD = st.recursive(
    _MILD_LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)},
            optional={"required": st.lists(st.sampled_from("abc"), unique=True, max_size=2)},
        ),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.builds(
            lambda key, found, beside: {key: found, **beside},
            st.sampled_from(["anyOf", "allOf", "allOf"]),
            st.lists(inner, min_size=1, max_size=2),
            st.just({}) | st.just({"type": "string"}) | st.just({"description": "d"}),
        ),
    ),
    max_leaves=6,
)


def _roots(schemas: st.SearchStrategy[Any], **more: Any) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda properties, required, defs: {
            "type": "object",
            "properties": properties,
            "required": required,
            "$defs": defs,
            **more,
        },
        st.dictionaries(st.sampled_from("abc"), schemas, min_size=1, max_size=3),
        st.lists(st.sampled_from("abc"), unique=True, max_size=3),
        st.fixed_dictionaries({"x": schemas, "y": schemas, "z": schemas}),
    )


ROOTS = _roots(_SCHEMAS, additionalProperties=False)
MILD_ROOTS = _roots(_MILD)
_VALUES: Any = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=5,
)
INSTANCES = st.lists(st.dictionaries(st.sampled_from("abc"), _VALUES, max_size=3), min_size=1, max_size=6)

JUNK: Any = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                sorted(
                    (GEMINI.keywords or frozenset())
                    | {"$ref", "$defs", "allOf", "oneOf", "const", "not", "prefixItems"}
                )
            ),
            inner | st.sampled_from(["object", "#", "#/$defs/x", "#/properties", "null", ["null", "string"]]),
            max_size=4,
        )
    ),
    max_leaves=15,
)
