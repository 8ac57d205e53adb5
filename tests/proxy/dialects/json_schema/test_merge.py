"""Two schemas as one mean both, or the merge says that they do not."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.json_schema.merge import are_disjoint, merge, same

_LEAVES: Any = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["integer", "number", "string", "object", ["string", "integer"]]),
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "enum": st.lists(st.sampled_from(["a", 1, 0, True, False, 1.5]), min_size=1, max_size=3),
        "minLength": st.integers(0, 2),
        "description": st.just("d"),
    },
)
_SCHEMAS: Any = st.recursive(
    _LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.just("object"),
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "required": st.lists(st.sampled_from("ab"), unique=True),
            "additionalProperties": st.booleans() | inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
        },
    ),
    max_leaves=5,
)
_VALUES: Any = st.recursive(
    st.sampled_from(["a", "", 1, 0, -2, 1.5, True, None]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=4,
)


def accepts(schema: Any, value: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


@given(first=_SCHEMAS, second=_SCHEMAS, values=st.lists(_VALUES, min_size=1, max_size=5))
def test_an_exact_merge_accepts_what_both_accept(first: Any, second: Any, values: list[Any]) -> None:
    merged, is_exact = merge(first, second)
    if is_exact:
        for value in values:
            assert accepts(merged, value) == (accepts(first, value) and accepts(second, value))


@given(branches=st.lists(_SCHEMAS, min_size=2, max_size=3), values=st.lists(_VALUES, min_size=1, max_size=5))
def test_no_value_fits_two_disjoint_schemas(branches: list[Any], values: list[Any]) -> None:
    if are_disjoint(branches):
        assert all(sum(accepts(branch, value) for branch in branches) < 2 for value in values)


@pytest.mark.parametrize(
    ("one", "other", "expected"), [(1, True, False), (1, 1.0, True), ("1", 1, False), (0, 0, True)]
)
def test_equality_is_that_of_json(one: Any, other: Any, expected: bool) -> None:
    assert same(one, other) is expected
