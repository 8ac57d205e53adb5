"""A cache of prompts, as providers have one for each account: what was read before is told by the usage."""

from __future__ import annotations

import json
from typing import Any

from tests.upstream.say import Tokens

LEAST = 1024  # tokens
_PER_TOKEN = 4  # characters


class Memory:
    """What each account has read, apart by model: all of it, or ``by_marks`` up to the last one."""

    def __init__(self) -> None:
        self._read: dict[str, set[str]] = {}

    def read(self, account: str, fields: dict[str, Any], *, by_marks: bool) -> Tokens:
        """The usage of one request."""
        pieces = [fields[name] for name in ("tools", "system") if fields.get(name)] + list(fields.get("messages") or [])
        texts = [json.dumps(_bare(piece), sort_keys=True) for piece in pieces]
        prefixes = ["".join(texts[: at + 1]) for at in range(len(texts))]
        total = _tokens(prefixes[-1]) if prefixes else 0
        marked = [at for at, piece in enumerate(pieces) if "cache_control" in json.dumps(piece)]
        end = (marked[-1] + 1 if marked else 0) if by_marks else len(prefixes)
        kept = [prefix for prefix in prefixes[:end] if _tokens(prefix) >= LEAST]
        seen = self._read.setdefault(account, set())
        cached = max((_tokens(prefix) for prefix in kept if prefix in seen), default=0)
        written = (_tokens(kept[-1]) if kept else 0) - cached if by_marks else 0
        seen.update(kept)
        hour = '"ttl": "1h"' in json.dumps(pieces)
        return Tokens(
            input=total - cached - written,
            cached_read=cached,
            cache_write_5m=0 if hour else written,
            cache_write_1h=written if hour else 0,
        )


def _tokens(text: str) -> int:
    return len(text) // _PER_TOKEN


def _bare(value: Any) -> Any:
    """Without marks, and a text without the list around it."""
    if isinstance(value, list):
        found = [_bare(one) for one in value]
        if len(found) == 1 and isinstance(found[0], dict) and found[0].keys() == {"type", "text"}:
            return found[0]["text"]
        return found
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in value.items() if name != "cache_control"}
    return value
