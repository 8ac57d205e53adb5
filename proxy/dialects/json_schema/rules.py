"""What each target takes of JSON Schema, by its documentation."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

# Every keyword that restricts or describes; those that only name things are dropped without a word.
_VOCABULARY = frozenset(
    {
        "additionalItems", "additionalProperties", "allOf", "anyOf", "const", "contains", "contentEncoding",
        "contentMediaType", "contentSchema", "default", "dependencies", "dependentRequired", "dependentSchemas",
        "deprecated", "description", "else", "enum", "example", "examples", "exclusiveMaximum", "exclusiveMinimum",
        "format", "if", "items", "maxContains", "maxItems", "maxLength", "maxProperties", "maximum", "minContains",
        "minItems", "minLength", "minProperties", "minimum", "multipleOf", "not", "nullable", "oneOf", "pattern",
        "patternProperties", "prefixItems", "properties", "propertyNames", "propertyOrdering", "readOnly", "required",
        "then", "type", "unevaluatedItems", "unevaluatedProperties", "uniqueItems", "writeOnly",
    }
)  # fmt: skip
# What may go without a word: it names the schema, or repeats what other keywords say.
SILENT = frozenset(
    {
        "$anchor", "$comment", "$defs", "$dynamicAnchor", "$id", "$schema", "$vocabulary", "definitions",
        "discriminator", "id", "title",
    }
)  # fmt: skip
_LOOKED_INTO = _VOCABULARY | SILENT
_NAMES = re.compile(r'"(\$?\w+)":')
_FORMATS = re.compile(rb'"format":"?([\w-]*)')
# A list under `items`, or an enum of more than strings.
_UNCOMMON = re.compile(rb'"items":\[|"enum":\[(?:"(?:[^"\\]|\\.)*+",?)*+[^\]]')


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What one target takes. The defaults are those of a target that takes everything.

    ``keywords``: those it takes, None for all; ``root`` the same for the outermost schema.
    ``references``: which ``$ref`` may stay: ``any``; ``definitions``, those into ``$defs``; ``acyclic``, those into
    ``$defs`` that do not lead back to themselves; ``none``. ``cycles_optional``: a circle may stay only where every
    round of it passes a property that may be left out. ``siblings``: keywords may stand beside a ``$ref``.
    ``enum``: what may stand in an enum: ``any``, ``scalars``, ``words`` (strings and numbers), ``strings``.
    ``closed``: every object says ``additionalProperties: false``; ``all_required``: and requires all its properties.
    ``root_object``: the outermost schema says ``type: object`` and is no union.
    ``glances``: a look at the schema's JSON may do, see ``stays``.
    """

    keywords: frozenset[str] | None = None
    root: frozenset[str] | None = None
    references: Literal["any", "definitions", "acyclic", "none"] = "any"
    cycles_optional: bool = False
    siblings: bool = True
    formats: frozenset[str] | None = None
    enum: Literal["any", "scalars", "words", "strings"] = "any"
    type_lists: bool = True
    most_min_items: int | None = None
    plain_patterns: bool = False
    closed: bool = False
    all_required: bool = False
    root_object: bool = False
    glances: bool = False

    def takes(self, keyword: str) -> bool:
        """Whether a schema within the outermost one may have ``keyword``."""
        return self.keywords is None or keyword in self.keywords

    def stays(self, raw: bytes) -> bool:
        """Whether a schema, as compact JSON, plainly has nothing that must change. Most of them have nothing.

        Properties that are called like keywords only make this say no.
        """
        if not self.glances or self.keywords is None:
            return False
        names = set(_NAMES.findall(raw.decode()))
        if any(name not in self.keywords for name in names & _LOOKED_INTO) or "$ref" in names:
            return False
        if _UNCOMMON.search(raw):
            return False
        return self.formats is None or all(found.decode() in self.formats for found in _FORMATS.findall(raw))


# Nothing has to change: OpenAI's schemas that are not strict, and all who read schemas as a hint.
PLAIN = Rules()

# https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
OPENAI_STRICT = Rules(
    keywords=frozenset(
        {
            "$defs", "$ref", "additionalProperties", "anyOf", "const", "definitions", "description", "enum",
            "exclusiveMaximum", "exclusiveMinimum", "format", "items", "maxItems", "maximum", "minItems", "minimum",
            "multipleOf", "pattern", "properties", "required", "title", "type",
        }
    ),
    siblings=False,
    formats=frozenset({"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"}),
    closed=True,
    all_required=True,
    root_object=True,
)  # fmt: skip

# The OpenAPI subset: `Schema` in the reference of generateContent. A number stands in an enum as a string.
GEMINI = Rules(
    keywords=frozenset(
        {
            "anyOf", "default", "description", "enum", "example", "format", "items", "maxItems", "maxLength",
            "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "nullable", "pattern",
            "properties", "propertyOrdering", "required", "title", "type",
        }
    ),
    references="none",
    siblings=False,
    formats=frozenset({"date-time", "double", "enum", "float", "int32", "int64"}),
    enum="strings",
    type_lists=False,
)  # fmt: skip

# `responseJsonSchema` and `parametersJsonSchema`: the same reference. Circles are unrolled by the provider, and may
# stand only in properties that are not required.
GEMINI_JSON = Rules(
    keywords=frozenset(
        {
            "$defs", "$ref", "additionalProperties", "anyOf", "description", "enum", "format", "items", "maxItems",
            "maximum", "minItems", "minimum", "prefixItems", "properties", "propertyOrdering", "required", "title",
            "type",
        }
    ),
    references="definitions",
    cycles_optional=True,
    siblings=False,
    formats=frozenset({"date", "date-time", "double", "float", "int32", "int64", "time"}),
    enum="words",
    glances=True,
)  # fmt: skip

# Tools that are not strict: any JSON Schema, but an object outermost.
ANTHROPIC = Rules(root_object=True)

# https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
ANTHROPIC_STRICT = Rules(
    keywords=frozenset(
        {
            "$defs", "$ref", "additionalProperties", "anyOf", "const", "default", "definitions", "description", "enum",
            "format", "items", "minItems", "pattern", "properties", "required", "title", "type",
        }
    ),
    references="acyclic",
    siblings=False,
    formats=frozenset(
        {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"}
    ),
    enum="scalars",
    most_min_items=1,
    plain_patterns=True,
    closed=True,
)  # fmt: skip

# Converse: an object outermost; not every model behind it follows references.
BEDROCK = Rules(references="none", root_object=True)
# Amazon's own models take three keywords outermost: https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html
NOVA = Rules(references="none", root_object=True, root=frozenset({"properties", "required", "type"}))
