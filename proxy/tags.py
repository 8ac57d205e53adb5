"""The request header ``x-sluicegate-tags: user=ada,project=search``."""

from __future__ import annotations

import re

from proxy.errors import BadRequest

TAGS_HEADER = b"x-sluicegate-tags"
MAX_TAGS = 16
MAX_VALUE = 256

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


def is_tag_name(name: str) -> bool:
    """Lower-case letters, digits, ``_ . -``, at most 64, a letter first."""
    return _NAME.fullmatch(name) is not None


def is_tag_value(value: str) -> bool:
    """Printable, not empty, at most ``MAX_VALUE`` characters: it goes into logs and headers."""
    return 0 < len(value) <= MAX_VALUE and value.isprintable()


def read_tags(value: bytes) -> dict[str, str]:
    """Tags by name.

    Raises:
        BadRequest: more than ``MAX_TAGS``, or an entry that is not ``name=value``.
    """
    tags: dict[str, str] = {}
    for entry in value.decode("utf-8", "replace").split(","):
        if not entry.strip():
            continue
        name, _, text = entry.strip().partition("=")
        if not is_tag_name(name) or not is_tag_value(text.strip()):
            raise BadRequest(f"x-sluicegate-tags: {entry.strip()[:80]!r} is not name=value.", code="invalid_tags")
        tags[name] = text.strip()
    if len(tags) > MAX_TAGS:
        raise BadRequest(f"x-sluicegate-tags: at most {MAX_TAGS} tags.", code="invalid_tags")
    return tags
