"""AWS' own description of the service as the judge of what this dialect writes.

Botocore checks less than the service does: it leaves patterns, words of a choice, unions and upper limits to the
service. These stand in the description too, and are checked here.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec
from botocore.validate import ParamValidator  # type: ignore[import-untyped]

from tests.support.heard.bedrock import model

# Of a document: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
_DOCUMENT_NAME = re.compile(r"(?:[A-Za-z0-9\-()\[\]]| (?! ))+")


def check_request(body: bytes, operation: str = "Converse") -> dict[str, Any]:
    """``body`` as values, once the description has taken it."""
    value: dict[str, Any] = msgspec.json.decode(body)
    shape = model().operation_model(operation).input_shape
    asked = {**value, "modelId": "m"}
    report = ParamValidator().validate(asked, shape)
    assert not report.has_errors(), report.generate_report()
    wrong = _wrong(asked, shape, "$")
    assert not wrong, wrong
    return value


def check_conversation(messages: list[dict[str, Any]]) -> None:
    """What the description says in words only: turns alternate from the user's on, nothing is empty, words stand beside
    documents, results answer the calls before them, names of documents differ."""
    names: list[str] = []
    calls: list[str] = []
    for at, message in enumerate(messages):
        assert message["role"] == ("user", "assistant")[at % 2]
        blocks = message["content"]
        assert blocks
        assert all(block["text"].strip() for block in blocks if "text" in block)
        results = [block["toolResult"] for block in blocks if "toolResult" in block]
        assert {one["toolUseId"] for one in results} <= set(calls)
        calls = [block["toolUse"]["toolUseId"] for block in blocks if "toolUse" in block]
        assert "cachePoint" not in blocks[0]
        if any("document" in block for block in blocks):
            assert any("text" in block for block in blocks)
        inner = [*blocks, *(block for one in results for block in one["content"])]
        assert all(one["content"] for one in results)
        names += [block["document"]["name"] for block in inner if "document" in block]
    assert len(names) == len(set(names))
    assert all(_DOCUMENT_NAME.fullmatch(name) for name in names), names


def _wrong(value: Any, shape: Any, at: str) -> list[str]:
    if shape.type_name == "structure":
        return _wrong_structure(value, shape, at)
    limits = shape.metadata
    found: list[str] = []
    if shape.type_name == "list":
        found = [one for n, inner in enumerate(value) for one in _wrong(inner, shape.member, f"{at}[{n}]")]
    elif shape.type_name == "map":
        for key, inner in value.items():
            found += _wrong(key, shape.key, f"{at}<{key}>") + _wrong(inner, shape.value, f"{at}.{key}")
    elif shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            found.append(f"{at} is {value!r}")
        if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
            found.append(f"{at} is {value!r}, not {limits['pattern']}")
    elif shape.type_name == "blob":
        value = base64.b64decode(value, validate=True)
    size = value if shape.type_name in ("integer", "float", "long", "double", "boolean") else len(value)
    if not limits.get("min", size) <= size <= limits.get("max", size):
        found.append(f"{at} is of size {size}")
    return found


def _wrong_structure(value: Any, shape: Any, at: str) -> list[str]:
    if getattr(shape, "is_document_type", False):
        return []
    found = [f"{at}.{name} is unknown" for name in value if name not in shape.members]
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        found.append(f"{at} holds {sorted(value)}")
    for name, inner in value.items():
        found += _wrong(inner, shape.members[name], f"{at}.{name}")
    return found
