"""JSON Schemas (2020-12) against values, both of them strangers': nothing is fetched, and everything ends.

What could take for ever is bounded: the number of checks, and regular expressions by RE2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import jsonschema
import msgspec
import re2
from referencing import Registry
from referencing.exceptions import Unresolvable

MAX_CHECKS = 50_000  # keywords that are applied to a value
MAX_PROBLEMS = 5  # that are told
_LONGEST = 200  # characters of a sentence
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_BASE = jsonschema.Draft202012Validator
# What is checked by Python's regular expressions, which may take for ever, and cannot be had otherwise.
_REFUSED = ("patternProperties", "unevaluatedProperties")
# Members of a schema whose members are no keywords.
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_PLAIN = frozenset({"enum", "const", "default", "examples"})
_KNOWN = frozenset(_BASE.VALIDATORS) | {
    "$anchor", "$comment", "$defs", "$dynamicAnchor", "$id", "$schema", "contentEncoding", "contentMediaType",
    "default", "definitions", "deprecated", "description", "else", "examples", "maxContains", "minContains",
    "readOnly", "then", "title", "writeOnly",
}  # fmt: skip


class Problem(NamedTuple):
    """What is wrong with a value. ``place`` (``$.items[0].price``) and ``keyword`` show nothing of it but names."""

    place: str
    keyword: str
    message: str


class Schema:
    """A schema that is known to be one. Every method takes as long as the value is large: not for the loop."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        """Check it.

        Raises:
            ValueError: it is none, or holds what cannot be checked; with a sentence for the reader.
        """
        if not isinstance(value, dict):
            raise ValueError("a JSON Schema is an object")
        try:
            if (refused := _refused(value)) is not None:
                raise ValueError(f"`{refused}` cannot be checked here; name the properties")
            error = next(_bounded(_BASE.META_SCHEMA).iter_errors(value), None)
        except (RecursionError, _TooMany):
            raise ValueError("the schema is too deep or too large") from None
        if error is not None:
            raise ValueError(f"this is no JSON Schema: {_place(error)}: {error.message[:_LONGEST]}")
        self.value = value

    def problems(self, value: Any) -> list[Problem]:
        """What is wrong with ``value``; nothing if it follows the schema.

        Raises:
            ValueError: that cannot be said: the schema refers to something that is not there, or never ends.
        """
        try:
            found = list(islice(_bounded(self.value).iter_errors(value), MAX_PROBLEMS))
        except (RecursionError, _TooMany):
            raise ValueError("the schema takes too long to be checked") from None
        except Unresolvable as error:
            raise ValueError(f"the schema refers to what is not in it: {error.ref!r:.100}") from None
        return [Problem(_place(error), str(error.validator), error.message[:_LONGEST]) for error in found]


class _TooMany(Exception):
    """More checks than anybody waits for."""


def _bounded(schema: Any) -> Any:
    """A validator for one value."""
    left = MAX_CHECKS

    def counted(check: Callable[..., Any]) -> Callable[..., Any]:
        def run(validator: Any, keyword: Any, instance: Any, around: Any) -> Iterator[Any]:
            nonlocal left
            left -= 1
            if left < 0:
                raise _TooMany
            yield from check(validator, keyword, instance, around) or ()

        return run

    checks = {**_BASE.VALIDATORS, "pattern": _pattern, "uniqueItems": _unique}
    kind = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
        _BASE, {name: counted(check) for name, check in checks.items()}
    )
    return kind(schema, registry=Registry())


def _pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[Any]:
    if not isinstance(instance, str):
        return
    try:
        found = re2.compile(pattern, _OPTIONS).search(instance)
    except re2.error:
        raise ValueError(f"the pattern {pattern!r:.100} is none of RE2's") from None
    if found is None:
        yield jsonschema.ValidationError(f"{instance!r:.100} does not match {pattern!r:.100}")


def _unique(validator: Any, wanted: bool, instance: Any, _: Any) -> Iterator[Any]:
    if wanted and isinstance(instance, list):
        written = {msgspec.json.encode(item, order="deterministic") for item in instance}
        if len(written) < len(instance):
            yield jsonschema.ValidationError("it holds something twice")


def _place(error: Any) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return ("$" + "".join(steps))[:_LONGEST]


def _refused(schema: Any) -> str | None:
    """A keyword of ``schema`` that cannot be checked."""
    if isinstance(schema, list):
        return next((found for one in schema if (found := _refused(one)) is not None), None)
    if not isinstance(schema, dict):
        return None
    for name, value in schema.items():
        if name in _REFUSED:
            return str(name)
        if name in _PLAIN:
            continue
        inner = list(value.values()) if name in _NAMED and isinstance(value, dict) else value
        if (found := _refused(inner)) is not None:
            return found
    return None


def unknown(schema: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Members of a schema that are no keywords, as mistakes in typing are: place and name."""
    if isinstance(schema, list):
        for index, one in enumerate(schema):
            yield from unknown(one, f"{at}[{index}]")
    if not isinstance(schema, dict):
        return
    for name, value in schema.items():
        if name not in _KNOWN:
            yield f"{at}.{name}", name
        elif name in _NAMED and isinstance(value, dict):
            for inner, one in value.items():
                yield from unknown(one, f"{at}.{name}.{inner}")
        elif name not in _PLAIN:
            yield from unknown(value, f"{at}.{name}")
