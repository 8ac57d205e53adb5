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
