"""Every member that we read is one that the official types know, by the same name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from google.genai import types

from proxy.dialects.gemini import wire

PAIRS: list[tuple[type[msgspec.Struct], Any]] = [
    (wire.Blob, types.Blob),
    (wire.FileData, types.FileData),
    (wire.PartialArg, types.PartialArg),
    (wire.FunctionCall, types.FunctionCall),
    (wire.FunctionResponse, types.FunctionResponse),
    (wire.PartWire, types.Part),
    (wire.Content, types.Content),
    (wire.Declaration, types.FunctionDeclaration),
    (wire.CallingConfig, types.FunctionCallingConfig),
    (wire.ToolConfig, types.ToolConfig),
    (wire.ThinkingConfig, types.ThinkingConfig),
    (wire.GenerationConfig, types.GenerationConfig),
    (wire.UsageWire, types.GenerateContentResponseUsageMetadata),
    (wire.Candidate, types.Candidate),
]


@pytest.mark.parametrize(("ours", "official"), PAIRS)
def test_members_have_the_official_names(ours: type[msgspec.Struct], official: Any) -> None:
    names = {field.alias or name for name, field in official.model_fields.items()}
    assert set(ours.__struct_encode_fields__) <= names
