"""What a model of a provider can do, and what is taken out of a request that it cannot."""

from __future__ import annotations

from typing import Literal

import msgspec

# none: does not think, or not on demand. effort: takes a word. budget: takes a number of tokens. adaptive: decides
# itself, guided by a word (Anthropic from 4.6 on). level: Gemini's word. always: thinks, and takes no instruction.
ThinkingStyle = Literal["none", "effort", "budget", "adaptive", "level", "always"]


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the capability table.

    ``refuses`` holds neutral names of parameters (members of ``proxy.chat.Chat``) that the format can say but this
    target does not take, ``refuses_thinking`` those that it does not take while it thinks. ``max_output`` and
    ``context`` are tokens, None where nothing is known. ``json_by_tool``: what shape of JSON it cannot be asked for is
    had by a tool that it must call. ``always_thinks``: it cannot be told not to.
    """

    vision: bool = True
    files: bool = True
    audio: bool = False
    video: bool = False
    tools: bool = True
    parallel_tools: bool = True
    json_object: bool = True
    json_schema: bool = True
    json_by_tool: bool = False
    thinking: ThinkingStyle = "none"
    always_thinks: bool = False
    prompt_cache: Literal["none", "automatic", "marks"] = "none"
    count_tokens: bool = False
    max_output: int | None = None
    context: int | None = None
    refuses: frozenset[str] = frozenset()
    refuses_thinking: frozenset[str] = frozenset()


# What a request may need of a target, as bits.
TOOLS, VISION, FILES, AUDIO, VIDEO, JSON_OBJECT, JSON_SCHEMA = (1 << bit for bit in range(7))
NEED_NAMES = {
    TOOLS: "tools",
    VISION: "images",
    FILES: "files",
    AUDIO: "audio",
    VIDEO: "video",
    JSON_OBJECT: "JSON mode",
    JSON_SCHEMA: "JSON schema",
}


class Needs(msgspec.Struct, frozen=True):
    """What a request needs: bits of the list above, and its estimated size in tokens (0: unknown).

    ``output_tokens``: what the caller allows at most, None if it does not say.
    """

    bits: int = 0
    input_tokens: int = 0
    output_tokens: int | None = None


class Growth(msgspec.Struct, frozen=True):
    """How a request grows on its way to a target: tokens added to it at most, and the most that its answer may have
    there, None where that is as the caller says."""

    input: int = 0
    output: int | None = None


AS_IT_IS = Growth()
NOTHING_NEEDED = Needs()


class Reach(msgspec.Struct, frozen=True):
    """What a target can be asked for: bits, and the tokens that its context holds (None: unknown)."""

    bits: int = (1 << 7) - 1
    context: int | None = None

    def lacks(self, needs: Needs) -> str | None:
        """Why this target cannot do what is needed, for people; None if it can."""
        missing = needs.bits & ~self.bits
        if missing:
            return "no " + ", ".join(name for bit, name in NEED_NAMES.items() if missing & bit)
        if self.context is not None and needs.input_tokens > self.context:
            return f"context of {self.context} tokens, the request has about {needs.input_tokens}"
        return None


def reach_of(can: Capabilities) -> Reach:
    """The same as bits."""
    bits = (
        TOOLS * can.tools
        | VISION * can.vision
        | FILES * can.files
        | AUDIO * can.audio
        | VIDEO * can.video
        | JSON_OBJECT * (can.json_object or can.json_by_tool)
        | JSON_SCHEMA * (can.json_schema or can.json_by_tool)
    )
    return Reach(bits, can.context)
