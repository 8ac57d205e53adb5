"""The neutral form of what a model says, piece by piece, for those who must see it as it flows."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["text", "reasoning", "arguments"]


class Delta(msgspec.Struct, frozen=True):
    """A piece of one choice's text, reasoning, or arguments of its tool call number ``tool``."""

    choice: int
    kind: Kind
    text: str
    tool: int = 0
