"""Plain values as YAML that people read: short maps on one line, comments above what they are about."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from proxy.config.problem import Path
from proxy.config.scalar import read_scalar

WIDTH = 120
_PLAIN = re.compile(r"[A-Za-z0-9_/.$][A-Za-z0-9_/.$% -]*")


def write(value: Mapping[str, Any], comments: Mapping[Path, str]) -> str:
    """A block for each top-level key. ``comments`` by the path of what they stand above."""
    blocks = []
    for key, inner in value.items():
        blocks.append("\n".join(_entry(key, inner, (key,), comments, 0)))
    return "\n\n".join(blocks) + "\n"


def comment(text: str, indent: int = 0) -> list[str]:
    """Lines of a comment, wrapped."""
    room, lines, line = WIDTH - indent - 2, list[str](), ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [f"{' ' * indent}# {one}" for one in [*lines, line]]


def _entry(key: str, value: Any, path: Path, comments: Mapping[Path, str], indent: int) -> list[str]:
    """One key of a map."""
    lines = comment(comments[path], indent) if path in comments else []
    head = f"{' ' * indent}{_scalar(key)}:"
    has_comments = any(len(at) > len(path) and at[: len(path)] == path for at in comments)
    short = f"{head} {_flow(value)}"
    is_map = isinstance(value, Mapping) and len(value) > 0
    if not has_comments and (
        not isinstance(value, (Mapping, list)) or (len(short) <= WIDTH and (indent or not is_map))
    ):
        return [*lines, short]
    lines.append(head)
    if isinstance(value, list):
        return lines + [line for item in value for line in _item(item, indent + 2)]
    for name, inner in value.items():
        lines += _entry(name, inner, (*path, name), comments, indent + 2)
    return lines


def _item(value: Any, indent: int) -> list[str]:
    """One entry of a list."""
    short = f"{' ' * indent}- {_flow(value)}"
    if not isinstance(value, (Mapping, list)) or len(short) <= WIDTH or not value:
        return [short]
    if isinstance(value, list):
        inner = [line for item in value for line in _item(item, indent + 2)]
    else:
        inner = [line for key, item in value.items() for line in _entry(key, item, (), {}, indent + 2)]
    return [f"{' ' * indent}- {inner[0].lstrip()}", *inner[1:]]


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """In quotes, unless it is read as the same without."""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text == text.strip():
        try:
            if read_scalar(text) == text:
                return text
        except ValueError:  # digits without end
            pass
    return json.dumps(text, ensure_ascii=False)
