"""The capability table for people: every row of it, or the targets of one file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proxy.choosing.capability import Capabilities
from proxy.providers.capabilities import table
from proxy.runtime import Runtime

_FLAGS = (
    ("vision", "image"),
    ("files", "file"),
    ("audio", "audio"),
    ("video", "video"),
    ("tools", "tools"),
    ("parallel_tools", "parallel"),
    ("json_object", "json"),
    ("json_schema", "schema"),
    ("count_tokens", "count"),
)
_HEAD = ["target", *(short for _, short in _FLAGS), "thinking", "cache", "output", "context", "refuses"]
_THOUSAND = 1000
Row = tuple[str, Capabilities]


def built_in() -> Iterator[Row]:
    """Every row of the table, as ``kind/glob``."""
    for kind, glob, found in table():
        yield f"{kind}/{glob}", found


def of_runtime(runtime: Runtime) -> Iterator[Row]:
    """The targets of a file, each once, in the order of its routes."""
    leaves = dict.fromkeys(leaf for entry in runtime.router.entries for leaf in entry.pipeline.target.leaves())
    for leaf in leaves:
        name, _, model = leaf.partition("/")
        yield leaf, runtime.providers[name].aim(model).capabilities


def as_data(rows: Iterator[Row]) -> list[dict[str, Any]]:
    """For programs."""
    found = []
    for target, can in rows:
        row: dict[str, Any] = {"target": target}
        for name in Capabilities.__struct_fields__:
            value = getattr(can, name)
            row[name] = sorted(value) if isinstance(value, frozenset) else value
        found.append(row)
    return found


def as_text(rows: Iterator[Row]) -> str:
    """Aligned columns. A tool in place of JSON is told as such; of what is refused only by a model that thinks too."""
    lines = [_HEAD, *(_cells(target, can) for target, can in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cells(target: str, can: Capabilities) -> list[str]:
    flags = [_flag(name, can) for name, _ in _FLAGS]
    thinking = f"{can.thinking}!" if can.always_thinks and can.thinking not in ("none", "always") else can.thinking
    refused = sorted(can.refuses) + [f"({name})" for name in sorted(can.refuses_thinking - can.refuses)]
    return [
        target,
        *flags,
        "-" if thinking == "none" else thinking,
        "-" if can.prompt_cache == "none" else can.prompt_cache,
        _tokens(can.max_output),
        _tokens(can.context),
        " ".join(refused) or "-",
    ]


def _flag(name: str, can: Capabilities) -> str:
    if getattr(can, name):
        return "yes"
    return "tool" if can.json_by_tool and name in ("json_object", "json_schema") else "-"


def _tokens(count: int | None) -> str:
    """1047576 as 1048k: nobody compares the last digits."""
    if count is None:
        return "?"
    return str(count) if count < _THOUSAND else f"{round(count / _THOUSAND)}k"


LEGEND = (
    "tool: had by a tool that the model must call; !: cannot be told not to think; (name): refused only while it "
    "thinks; ?: not known, and not checked"
)
