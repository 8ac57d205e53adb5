"""JSON Schemas of tools and answers, written so that the target takes them: ``lower`` and the ``Rules`` of each."""

from proxy.dialects.json_schema.lower import lower
from proxy.dialects.json_schema.rules import (
    ANTHROPIC,
    ANTHROPIC_STRICT,
    BEDROCK,
    GEMINI,
    GEMINI_JSON,
    NOVA,
    OPENAI_STRICT,
    PLAIN,
    Rules,
)

__all__ = [
    "ANTHROPIC",
    "ANTHROPIC_STRICT",
    "BEDROCK",
    "GEMINI",
    "GEMINI_JSON",
    "NOVA",
    "OPENAI_STRICT",
    "PLAIN",
    "Rules",
    "lower",
]
