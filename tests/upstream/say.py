"""What a model "says", apart from any wire format: each dialect of the fake upstream renders it as its own."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["text", "reasoning", "redacted", "call", "refusal"]
Stop = Literal["stop", "stop_sequence", "length", "tool_calls", "content_filter", "refusal"]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a statement comes from: a page of the web, and the piece of the answer that stands on it."""

    url: str
    title: str
    start: int
    end: int
    quoted: str = ""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A piece of an answer, in the pieces in which it is streamed: text, thoughts, or the arguments of a call."""

    kind: Kind
    pieces: list[str] = []
    name: str = ""  # of the tool
    id: str = ""  # of the call
    signature: str = ""
    sources: list[Source] = []

    @property
    def whole(self) -> str:
        """All pieces."""
        return "".join(self.pieces)


class Tokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Usage by class, each token in one of them."""

    input: int = 11
    cached_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    output: int = 7
    reasoning: int = 0
    output_audio: int = 0

    @property
    def prompt(self) -> int:
        """Everything that was read."""
        return self.input + self.cached_read + self.cache_write_5m + self.cache_write_1h + self.input_audio

    @property
    def completion(self) -> int:
        """Everything that was written."""
        return self.output + self.reasoning + self.output_audio


class Say(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One answer. ``tangled``: the pieces of parallel calls come in turns, where a format can do that."""

    parts: list[Part] = []
    stop: Stop = "stop"
    sequence: str | None = None
    usage: Tokens | None = Tokens()
    tangled: bool = False
    id: str = "said"

    def of(self, *kinds: Kind) -> list[Part]:
        """Its parts of these kinds."""
        return [part for part in self.parts if part.kind in kinds]

    def text(self, *kinds: Kind) -> str:
        """Everything said in parts of these kinds."""
        return "".join(part.whole for part in self.of(*kinds))


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What of a request shows in the answer."""

    model: str
    stream: bool = False
    include_usage: bool = True


def said(text: list[str], usage: Tokens | None = None) -> Say:
    """Plain text."""
    return Say(parts=[Part(kind="text", pieces=text)], usage=usage or Tokens())
