"""Whether a JSON value is what a client's request types say: strict, down to unknown members."""

from __future__ import annotations

import collections.abc
import types as python
from functools import lru_cache
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin
from typing import Required as MoreRequired

from typing_extensions import TypeAliasType, get_type_hints, is_typeddict

_LISTS = (list, tuple, collections.abc.Iterable, collections.abc.Sequence)
_WRAPPERS = (Required, NotRequired, MoreRequired, Annotated)
_SCALARS: dict[Any, Any] = {str: str, int: int, float: (int, float), bool: bool, type(None): type(None)}


def complaints(value: Any, kind: Any, at: str = "$", allowed: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with ``value``, each with its place. ``allowed`` are members that no type knows, anywhere."""
    while get_origin(kind) in _WRAPPERS:
        kind = get_args(kind)[0]
    if isinstance(kind, TypeAliasType):
        kind = kind.__value__
    origin = get_origin(kind)
    if kind is Any or kind is object:
        return []
    if origin is Literal:
        return [] if value in get_args(kind) else [f"{at}: {value!r} is none of {get_args(kind)}"]
    if origin is Union or origin is python.UnionType:
        return _one_of(value, get_args(kind), at, allowed)
    if is_typeddict(kind):
        return _members(value, kind, at, allowed)
    if origin in (dict, collections.abc.Mapping):
        if not isinstance(value, dict):
            return [f"{at}: {value!r} is no object"]
        inner = get_args(kind)[1]
        return [one for name, item in value.items() for one in complaints(item, inner, f"{at}.{name}", allowed)]
    if origin in _LISTS or getattr(origin, "__name__", "") == "SequenceNotStr":
        if not isinstance(value, list):
            return [f"{at}: {value!r} is no list"]
        inner = get_args(kind)[0]
        return [one for at_, item in enumerate(value) for one in complaints(item, inner, f"{at}[{at_}]", allowed)]
    return _scalar(value, kind, at)


def _scalar(value: Any, kind: Any, at: str) -> list[str]:
    wanted = _SCALARS.get(kind)
    if wanted is None:  # a file, a client's own class: nothing that JSON has
        return [f"{at}: {kind} is no JSON"]
    fits = isinstance(value, wanted) and (kind is bool or not isinstance(value, bool))
    return [] if fits else [f"{at}: {value!r} is no {kind.__name__}"]


def _one_of(value: Any, kinds: tuple[Any, ...], at: str, allowed: frozenset[str]) -> list[str]:
    found: list[list[str]] = []
    for kind in kinds:
        wrong = complaints(value, kind, at, allowed)
        if not wrong:
            return []
        found.append(wrong)
    # The nearest miss says most: the one that got deepest.
    return max(found, key=lambda wrong: max(one.count(".") + one.count("[") for one in wrong))


@lru_cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _members(value: Any, kind: Any, at: str, allowed: frozenset[str]) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: {value!r} is no object"]
    hints = _hints(kind)
    needed = {name for name, hint in hints.items() if get_origin(hint) in (Required, MoreRequired)}
    needed |= kind.__required_keys__ & hints.keys() if getattr(kind, "__total__", False) else set()
    found = [f"{at}.{name}: missing" for name in sorted(needed - value.keys())]
    found += [f"{at}.{name}: unknown" for name in value if name not in hints and name not in allowed]
    for name in (value.keys() & hints.keys()) - allowed:
        found += complaints(value[name], hints[name], f"{at}.{name}", allowed)
    return found
