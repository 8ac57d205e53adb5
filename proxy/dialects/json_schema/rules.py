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


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What one target takes. The defaults are those of a target that takes everything.

    ``keywords``: those it takes, None for all; ``root`` the same for the outermost schema.
    ``references``: which ``$ref`` may stay: ``any``; ``definitions``, those into ``$defs``; ``acyclic``, those into
    ``$defs`` that do not lead back to themselves; ``none``. ``cycles_optional``: a circle may stay only where every
    round of it passes a property that may be left out. ``siblings``: keywords may stand beside a ``$ref``.
    ``enum``: what may stand in an enum: ``any``, ``scalars``, ``words`` (strings and numbers), ``strings``.
    ``closed``: every object says ``additionalProperties: false``; ``all_required``: and requires all its properties.
    ``root_object``: the outermost schema says ``type: object`` and is no union.
    ``trigger``: what in the schema's JSON calls for a closer look; None: always look.
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
    trigger: re.Pattern[bytes] | None = None

    def takes(self, keyword: str) -> bool:
        """Whether a schema within the outermost one may have ``keyword``."""
        return self.keywords is None or keyword in self.keywords


def _trigger(taken: frozenset[str], formats: frozenset[str], *more: str) -> re.Pattern[bytes]:
    """Finds refused keywords in compact JSON. A property of such a name is found too, which costs time alone."""
    refused = "|".join(sorted(_VOCABULARY - taken))
    allowed = "|".join(sorted(formats))
    choices = [rf'"(?:{refused}|\$ref|\$schema|\$id|\$anchor|definitions)":', rf'"format":(?!"(?:{allowed})")', *more]
    return re.compile("|".join(choices).encode())


_ENUM_OF_MORE_THAN_STRINGS = r'"enum":\[(?:"(?:[^"\\]|\\.)*+",?)*+[^\]]'

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

_GEMINI_JSON_KEYWORDS = frozenset(
    {
        "$defs", "$ref", "additionalProperties", "anyOf", "description", "enum", "format", "items", "maxItems",
        "maximum", "minItems", "minimum", "prefixItems", "properties", "propertyOrdering", "required", "title", "type",
    }
)  # fmt: skip
_GEMINI_JSON_FORMATS = frozenset({"date", "date-time", "double", "float", "int32", "int64", "time"})
# `responseJsonSchema` and `parametersJsonSchema`: the same reference. Circles are unrolled by the provider, and may
# stand only in properties that are not required.
GEMINI_JSON = Rules(
    keywords=_GEMINI_JSON_KEYWORDS,
    references="definitions",
    cycles_optional=True,
    siblings=False,
    formats=_GEMINI_JSON_FORMATS,
    enum="words",
    trigger=_trigger(_GEMINI_JSON_KEYWORDS, _GEMINI_JSON_FORMATS, _ENUM_OF_MORE_THAN_STRINGS),
)

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
