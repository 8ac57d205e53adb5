"""The two spellings of every member that Google's JSON allows, and the members that nobody else has a word for."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from proxy.dialects.gemini.wire import STRUCTS, TOP, GenerationConfig, Request

_CAMEL: dict[str, str] = {
    name: camel
    for struct in STRUCTS
    for name, camel in zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True)
}
_SNAKE = {name: camel for name, camel in _CAMEL.items() if "_" in name}
_NAMES = re.compile(rb'"([a-z]+_[a-z_]+)"\s*:')
_SNAKE_BYTES = frozenset(name.encode() for name in _SNAKE)
# What lies below these belongs to the caller: arguments, results, schemas.
_OPAQUE = frozenset(
    {
        "args", "labels", "parameters", "parametersJsonSchema", "partMetadata", "response", "responseJsonSchema",
        "responseSchema",
    }
)  # fmt: skip
_TOP = frozenset(Request.__struct_encode_fields__) | {"generateContentRequest"}
_CONFIG = frozenset(GenerationConfig.__struct_encode_fields__)


def in_camel_case(body: bytes) -> bytes:
    """``body`` with the members that we read in camelCase; nearly always it is that already.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is not JSON.
    """
    if b"_" not in body or _SNAKE_BYTES.isdisjoint(_NAMES.findall(body)):
        return body
    return msgspec.json.encode(_respell(msgspec.json.decode(body)))


def _respell(value: Any) -> Any:
    if isinstance(value, list):
        return [_respell(one) for one in value]
    if not isinstance(value, dict):
        return value
    respelled: dict[str, Any] = {}
    for name, inner in value.items():
        camel: str = _SNAKE.get(name) or name
        respelled[camel] = inner if camel in _OPAQUE else _respell(inner)
    return respelled


def others(body: bytes) -> dict[str, Any]:
    """Members of a request, and of its ``generationConfig``, that have no neutral name."""
    members = TOP.decode(body)
    found = {name: raw for name, raw in members.items() if name not in _TOP}
    config = members.get("generationConfig")
    if config is not None and bytes(config) != b"null":
        for member, value in TOP.decode(config).items():
            if member not in _CONFIG:
                found[f"generationConfig.{member}"] = value
    return {name: value for name, raw in found.items() if (value := msgspec.json.decode(raw)) is not None}


def foreign_tools(body: bytes) -> list[list[tuple[str, Any]]]:
    """For each of the request's tools, the members beside its functions: tools that Google runs itself."""
    tools = msgspec.json.decode(TOP.decode(body)["tools"], type=list[dict[str, msgspec.Raw]])
    return [
        [(name, msgspec.json.decode(raw)) for name, raw in tool.items() if name != "functionDeclarations"]
        for tool in tools
    ]
