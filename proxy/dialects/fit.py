"""Cuts a request to what a target can take, and names what went.

Runs before every writer of requests, so that writers meet only what their format and the target know. The caller's
request is never changed, as the next attempt may go to a target that can do more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from proxy.chat import Chat, Format, Losses, Media, Message, Part, Text, Thinking, Tool, ToolCall, ToolResult
from proxy.choosing.capability import Capabilities

# The order in which losses are told, and what "nothing" looks like in each member.
_NOTHING: dict[str, Any] = {
    name: Chat(model="", messages=[]).__getattribute__(name)
    for name in Chat.__struct_fields__
    if name not in ("model", "messages", "stream", "extra")
}
_ORDER = {name: at for at, name in enumerate(_NOTHING)}
REFUSABLE = frozenset(_NOTHING)
# Values that ask for nothing but what happens anyway: many clients send them always, and without them nothing is lost.
_IDLE: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "top_p": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "parallel_tool_calls": (True,),
    "service_tier": ("auto", "default"),
    "metadata": ({},),
    "modalities": ([], ["text"]),
    "store": (False,),
    "include_usage": (True,),
}
# Hints about caching: without them the answer is the same.
_HINTS = frozenset({"cache", "prompt_cache_key"})
_LEFT_OUT = "({} left out)"


def fit(chat: Chat, lacks: frozenset[str], capabilities: Capabilities, losses: Losses) -> Chat:
    """``chat`` without what the format (``lacks``) or the target (``capabilities``) cannot take; the same object if
    nothing has to go.

    For a target without tools, calls and results of earlier turns become text, since such targets refuse them.
    """
    changes = _without(chat, lacks, losses) if lacks else {}
    if capabilities.refuses:
        changes |= _without(chat, capabilities.refuses, losses)
    if capabilities.refuses_thinking and chat.thinking is not None and _wants_thoughts(chat.thinking):
        changes |= _without(chat, capabilities.refuses_thinking, losses)
    if chat.extra:
        for name in chat.extra:
            losses.add(name)
        changes["extra"] = {}
    if "logprobs" in changes and chat.top_logprobs is not None:
        changes["top_logprobs"] = None
    if chat.thinking is not None and capabilities.thinking in ("none", "always") and "thinking" not in changes:
        changes["thinking"] = None
        if capabilities.thinking == "always" or _wants_thoughts(chat.thinking):
            losses.add("thinking")
    if chat.max_tokens is not None and (most := capabilities.max_output) is not None and chat.max_tokens > most:
        changes.setdefault("max_tokens", most)
        losses.add("max_tokens")
    if chat.format is not None and "format" not in changes:
        _fit_format(chat.format, capabilities, changes, losses)
    if chat.tools or chat.tool_choice is not None or chat.parallel_tool_calls is not None:
        _fit_tools(chat, capabilities, changes, losses)
    keeps_marks = capabilities.prompt_cache == "marks"
    if chat.cache is not None and not keeps_marks:
        changes["cache"] = None
    cutter = _Cutter(capabilities, keeps_marks, losses)
    if cutter.is_needed and (messages := cutter.messages(chat.messages)) is not None:
        changes["messages"] = messages
    return replace(chat, **changes) if changes else chat


def _without(chat: Chat, names: frozenset[str], losses: Losses) -> dict[str, Any]:
    """The members of ``names`` that are set, as what they are to become: nothing."""
    found = [name for name in names if name in _NOTHING and getattr(chat, name) != _NOTHING[name]]
    if len(found) > 1:
        found.sort(key=_ORDER.__getitem__)
    for name in found:
        if not is_idle(name, getattr(chat, name)):
            losses.add(name)
    return {name: _NOTHING[name] for name in found}


def is_idle(name: str, value: Any) -> bool:
    """Whether nothing is lost without this value of a parameter."""
    return value is None or name in _HINTS or value in _IDLE.get(name, ())


def _wants_thoughts(thinking: Thinking) -> bool:
    """Whether a target that does not think leaves this wish unfulfilled."""
    if thinking.budget is not None:
        return thinking.budget != 0
    return thinking.effort not in (None, "none") or bool(thinking.visible)


def _fit_format(wanted: Format, capabilities: Capabilities, changes: dict[str, Any], losses: Losses) -> None:
    """A schema that cannot be enforced still asks for JSON, where that can be said."""
    if capabilities.json_by_tool and capabilities.tools:
        return
    if wanted.kind == "json_schema":
        if capabilities.json_schema:
            return
        changes["format"] = Format(kind="json_object") if capabilities.json_object else None
        losses.add("format.schema" if capabilities.json_object else "format")
    elif not capabilities.json_object:
        changes["format"] = None
        losses.add("format")


def _fit_tools(chat: Chat, capabilities: Capabilities, changes: dict[str, Any], losses: Losses) -> None:
    if not capabilities.tools:
        if chat.tools and "tools" not in changes:
            losses.add("tools")
        changes |= {"tools": [], "tool_choice": None, "parallel_tool_calls": None}
        return
    if chat.parallel_tool_calls is not None and not capabilities.parallel_tools:
        # Forbidding them is what happens anyway.
        changes["parallel_tool_calls"] = None
        if chat.parallel_tool_calls:
            losses.add("parallel_tool_calls")
    if capabilities.prompt_cache != "marks" and any(tool.cache is not None for tool in chat.tools):
        changes.setdefault("tools", [_unmarked(tool) for tool in chat.tools])


def _unmarked(tool: Tool) -> Tool:
    return tool if tool.cache is None else replace(tool, cache=None)


class _Cutter:
    """Takes out of messages what one target cannot take."""

    __slots__ = ("_keeps_marks", "_kinds", "_losses", "_takes_tools", "is_needed")

    def __init__(self, capabilities: Capabilities, keeps_marks: bool, losses: Losses) -> None:
        self._kinds = _MISSING[capabilities.vision, capabilities.files, capabilities.audio, capabilities.video]
        self._keeps_marks = keeps_marks
        self._takes_tools = capabilities.tools
        self._losses = losses
        self.is_needed = bool(self._kinds) or not (keeps_marks and capabilities.tools)

    def messages(self, messages: list[Message]) -> list[Message] | None:
        """The messages with those replaced that change; None if none does."""
        cut: list[Message] | None = None
        for at, message in enumerate(messages):
            for part in message.parts:
                if type(part) is Text and part.cache is None:
                    continue
                if self._changes(part):
                    if cut is None:
                        cut = list(messages)
                    cut[at] = Message(message.role, self._parts(message.parts, at), message.name)
                    break
        return cut

    def _changes(self, part: Part) -> bool:
        kind = type(part)
        if kind is Media and part.kind in self._kinds:  # type: ignore[union-attr]
            return True
        if kind is ToolResult:
            if not self._takes_tools or any(self._changes(inner) for inner in part.parts):  # type: ignore[union-attr]
                return True
        elif kind is ToolCall and not self._takes_tools:
            return True
        return not self._keeps_marks and getattr(part, "cache", None) is not None

    def _parts(self, parts: Sequence[Part], at: int) -> list[Part]:
        """What is left of ``parts``; a sentence where nothing would be."""
        kept: list[Part] = []
        missing: list[str] = []
        for part in parts:
            if isinstance(part, Media) and part.kind in self._kinds:
                self._losses.add(f"messages[{at}].{part.kind}")
                missing.append(part.kind)
            else:
                kept.append(self._part(part, at))
        return kept or [Text(_LEFT_OUT.format(" and ".join(dict.fromkeys(missing))))]

    def _part(self, part: Part, at: int) -> Part:
        if isinstance(part, ToolResult):
            inner: Any = tuple(self._parts(part.parts, at)) if part.parts else ()
            if not self._takes_tools:
                self._losses.add(f"messages[{at}].tool_result")
                return _told(part, inner)
            return replace(part, parts=inner, cache=part.cache if self._keeps_marks else None)
        if isinstance(part, ToolCall) and not self._takes_tools:
            self._losses.add(f"messages[{at}].tool_calls")
            return Text(f"(called the tool {part.name} with {part.arguments or '{}'})")
        if not self._keeps_marks and isinstance(part, Text | Media | ToolCall) and part.cache is not None:
            return replace(part, cache=None)
        return part


def _told(result: ToolResult, parts: Sequence[Part]) -> Text:
    """A result of a tool as text; what is not text in it is named."""
    said = "\n".join(
        part.text if isinstance(part, Text) else _LEFT_OUT.format(getattr(part, "kind", "something")) for part in parts
    )
    whose = f" {result.name}" if result.name else ""
    return Text(f"(the tool{whose} {'failed' if result.is_error else 'answered'}: {said})")


def _missing_kinds(vision: bool, files: bool, audio: bool, video: bool) -> frozenset[str]:
    taken = {"image": vision, "file": files, "audio": audio, "video": video}
    return frozenset(kind for kind, is_taken in taken.items() if not is_taken)


_BOTH = (True, False)
_MISSING = {
    (vision, files, audio, video): _missing_kinds(vision, files, audio, video)
    for vision in _BOTH
    for files in _BOTH
    for audio in _BOTH
    for video in _BOTH
}
