"""What a reload changes, as a diff of meaning: ``1m`` for ``60s`` is no change, and no secret is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from proxy.config.flags import MARKS
from proxy.config.model import GatewayConfig, PolicyConfig
from proxy.config.problem import Path, render_path
from proxy.units import Duration, Percent, Secret

_MAX_LINES = 100
_MAX_SHOWN = 80
_MISSING = object()
# Maps whose values are for the provider alone, whatever their type.
_HIDDEN = frozenset({"headers", "set"})


def changes(old: GatewayConfig | None, new: GatewayConfig | None) -> list[str]:
    """One line per difference, in the order of the file."""
    lines: list[str] = []
    for line in _differences(old, new, ()):
        if len(lines) == _MAX_LINES:
            return [*lines, "…"]
        lines.append(line)
    return lines


def _differences(old: Any, new: Any, path: Path) -> Iterator[str]:
    if old == new and type(old) is type(new):
        return
    if isinstance(old, PolicyConfig) and isinstance(new, PolicyConfig) and old.name == new.name:
        yield from _differences(old.settings, new.settings, (*path, old.name))
        for mark in MARKS:
            yield from _differences(getattr(old, mark), getattr(new, mark), (*path, mark))
    elif isinstance(old, msgspec.Struct) and type(old) is type(new) and not isinstance(old, PolicyConfig):
        for name, public in zip(old.__struct_fields__, old.__struct_encode_fields__, strict=True):
            yield from _differences(getattr(old, name), getattr(new, name), (*path, public))
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), (*path, key))
    elif _alike(old, new):
        for at, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(before, after, (*path, at))
    else:
        yield f"{render_path(path)}{_step(old, new, path)}"


def _alike(old: Any, new: Any) -> bool:
    """Whether two lists are to be compared item by item: lists of maps of one length, not lists of plain words."""
    lists = isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)) and len(old) == len(new)
    return lists and any(isinstance(item, (dict, msgspec.Struct)) for item in old)


def _step(old: Any, new: Any, path: Path) -> str:
    if isinstance(old, msgspec.Struct) or isinstance(new, msgspec.Struct) or _MISSING in (old, new):
        if old is _MISSING or old is None:
            return " added"
        if new is _MISSING or new is None:
            return " removed"
    if _HIDDEN & set(path) or _holds_secret(old) or _holds_secret(new):
        return " changed"
    return f": {_show(old)} → {_show(new)}"


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_secret, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_secret, value))
    return isinstance(value, Secret)


def _show(value: Any) -> str:
    if value is None:
        return "default"
    if isinstance(value, Duration):
        return f"{value:g}s"
    if isinstance(value, Percent):
        return f"{value * 100:g}%"
    text = value if isinstance(value, str) else json.dumps(value, default=_plain, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _plain(value: Any) -> Any:
    if isinstance(value, PolicyConfig):
        return value.name if value.name != "use" else f"use {value.settings}"
    return str(value)
