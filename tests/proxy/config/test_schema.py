"""The published schema, and the reference that is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from policies.table import POLICIES, TARGETS
from proxy.config.flags import MARKS
from proxy.config.load import load
from proxy.config.schema import SCHEMAS, bundle, reference
from proxy.providers.table import PROVIDERS

ROOT = SCHEMAS.parent
_VALUES = ("string", "integer", "number", "boolean", "array")


def _schemas(schema: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        if "type" in schema and isinstance(schema["type"], str):
            yield where, schema
        for key, value in schema.items():
            if key not in ("examples", "default", "enum", "const", "if"):  # which describe nothing
                yield from _schemas(value, f"{where}/{key}")
    elif isinstance(schema, list):
        for at, item in enumerate(schema):
            yield from _schemas(item, f"{where}/{at}")


def test_the_bundle_is_one_valid_document() -> None:
    found = bundle()
    jsonschema.Draft202012Validator.check_schema(found)
    references = [part for part in json.dumps(found).split('"') if part.endswith(".json") or ".json#" in part]
    assert references == []
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_bundle_is_not_shared() -> None:
    """Whoever changes what they were given changes nothing here."""
    bundle()["$defs"].clear()
    assert bundle()["$defs"]


def test_every_map_is_closed() -> None:
    """A key that nobody knows must never be accepted in silence."""
    open_maps = [
        where
        for where, schema in _schemas(bundle())
        if schema["type"] == "object"
        and schema.get("additionalProperties") in (None, True)
        and not where.endswith("provider")
        and schema.get("x-entry") != "KEYWORD"  # a JSON Schema, whose words are checked where it is compiled
    ]
    assert open_maps == []


def test_every_key_says_what_it_is() -> None:
    silent = []
    for where, schema in _schemas(bundle()):
        for name, value in schema.get("properties", {}).items():
            if "$ref" not in value and not {"title", "description", "examples"} <= value.keys():
                silent.append(f"{where}.{name}")
            if value.get("format") in ("duration", "size") and not {"x-unit", "x-min", "x-max"} <= value.keys():
                silent.append(f"{where}.{name}: no unit")
    assert silent == []


def test_every_list_is_bounded() -> None:
    assert [
        where for where, schema in _schemas(bundle()) if schema["type"] == "array" and "maxItems" not in schema
    ] == []


def test_every_example_and_default_fits_its_own_schema() -> None:
    found = bundle()
    wrong = []
    for where, schema in _schemas(found):
        checker = jsonschema.Draft202012Validator({**schema, "$defs": found["$defs"]})
        for value in [*schema.get("examples", ()), *([schema["default"]] if "default" in schema else ())]:
            if "properties" in schema and value == where.rpartition(".")[2]:
                continue  # a policy by its bare name
            wrong += [f"{where}: {value!r}: {error.message}" for error in checker.iter_errors(value)]
    assert wrong == []


def test_what_can_be_compiled_is_what_the_schema_names() -> None:
    defs = bundle()["$defs"]
    entry, target = defs["policy_entry"]["oneOf"][1], defs["target"]["oneOf"][1]
    assert list(entry["properties"]) == ["use", *POLICIES, *MARKS]
    assert list(target["properties"]) == [*TARGETS, "model", *MARKS]
    assert defs["provider"]["properties"]["kind"]["enum"] == list(PROVIDERS)
    assert len(defs["provider"]["allOf"]) == len(PROVIDERS)


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "gateway.yaml",
        *sorted((ROOT / "examples").glob("*/gateway.yaml")),
        *sorted((ROOT / "tests/golden/config").glob("good-*.yaml")),
    ],
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_an_editor_underlines_nothing_in_a_good_file(path: Path) -> None:
    """Any validator reads the published schema as we do, references unresolved."""
    value = load(path, dict.fromkeys(("SET", "OPENAI_API_KEY", "GROQ_API_KEY"), "x")).value
    errors = jsonschema.Draft202012Validator(bundle()).iter_errors(value)
    assert [f"{list(error.absolute_path)}: {error.message}" for error in errors] == []


def test_the_reference_is_what_the_schemas_say() -> None:
    """If not: python -m proxy.config.schema --write"""
    assert (SCHEMAS / "README.md").read_text(encoding="utf-8") == reference()


def test_the_reference_names_every_key() -> None:
    text = reference()
    missing = {
        name for _, schema in _schemas(bundle()) for name in schema.get("properties", ()) if f"`{name}`" not in text
    }
    headings = {line.lstrip("# ") for line in text.splitlines() if line.startswith("##")}
    assert missing <= headings | {"use"}
