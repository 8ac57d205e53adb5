"""Writes a request for a provider that speaks OpenAI's chat format."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from proxy.chat import (
    Cache,
    Chat,
    Foreign,
    Losses,
    Media,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from proxy.dialects.dialect import Aim
from proxy.dialects.json_schema import OPENAI_STRICT, PLAIN, lower
from proxy.dialects.openai_chat.answer import write_call
from proxy.dialects.openai_chat.thought import write_detail
from proxy.dialects.openai_chat.wire import NAME
from proxy.dialects.thinking import effort_of

# What a provider may want otherwise; presets and kinds of providers name these.
QUIRKS = {
    "max_tokens": "knows the limit of the answer by its older name",
    "no_developer": "knows no developer messages: they are system messages there",
    "no_stream_options": "cannot be asked for the usage of a stream",
    "cache_control": "takes markers of Anthropic's form",
    "reasoning_content": "wants thoughts of earlier turns back, as text",
    "reasoning_details": "wants thoughts of earlier turns back, with their signatures (OpenRouter)",
    "random_seed": "calls the seed random_seed (Mistral)",
    "any": "says any where others say required (Mistral)",
    "low_to_high": "knows the efforts low, medium and high alone",
    "top_k": "takes top_k",
}
_FORMATS = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/L16": "pcm16",
}
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
# Members that have the same name and form in both.
_SAME = (
    "temperature",
    "top_p",
    "n",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "verbosity",
    "service_tier",
    "user",
    "metadata",
    "store",
    "modalities",
    "audio",
    "prediction",
    "prompt_cache_key",
)


def write_request(chat: Chat, aim: Aim, losses: Losses) -> bytes:
    """The body of a request for an answer."""
    quirks = aim.quirks
    body: dict[str, Any] = {"model": aim.model, "messages": _Messages(quirks, losses).write(chat.messages)}
    if chat.stream:
        body["stream"] = True
        if "no_stream_options" not in quirks:
            body["stream_options"] = {"include_usage": True}
    if chat.max_tokens is not None:
        body["max_tokens" if "max_tokens" in quirks else "max_completion_tokens"] = chat.max_tokens
    for name in _SAME:
        value = getattr(chat, name)
        if value is not None:
            body[name] = value
    if chat.stop:
        body["stop"] = chat.stop
    if chat.seed is not None:
        body["random_seed" if "random_seed" in quirks else "seed"] = chat.seed
    if chat.top_k is not None:
        if "top_k" in quirks:
            body["top_k"] = chat.top_k
        else:
            losses.add("top_k")
    _write_effort(chat, body, quirks, losses)
    _write_tools(chat, body, quirks, losses)
    _write_format(chat, body, losses)
    return msgspec.json.encode(body)


def _write_effort(chat: Chat, body: dict[str, Any], quirks: frozenset[str], losses: Losses) -> None:
    if chat.thinking is None:
        return
    effort: str | None = effort_of(chat.thinking)
    if effort is None:
        return
    if "low_to_high" in quirks:
        effort = _EFFORTS.get(effort)
        if effort is None:
            losses.add("thinking")
            return
    body["reasoning_effort"] = "xhigh" if effort == "max" else effort


def _write_format(chat: Chat, body: dict[str, Any], losses: Losses) -> None:
    wanted = chat.format
    if wanted is None:
        return
    if wanted.kind == "json_object":
        body["response_format"] = {"type": "json_object"}
        return
    rules = OPENAI_STRICT if wanted.strict else PLAIN
    schema: dict[str, Any] = {"name": wanted.name, "schema": lower(wanted.schema, rules, "format.schema", losses)}
    if wanted.description is not None:
        schema["description"] = wanted.description
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    body["response_format"] = {"type": "json_schema", "json_schema": schema}


def _write_tools(chat: Chat, body: dict[str, Any], quirks: frozenset[str], losses: Losses) -> None:
    tools = [
        written
        for at, tool in enumerate(chat.tools)
        if (written := _tool(tool, at, "cache_control" in quirks, losses)) is not None
    ]
    if tools:
        body["tools"] = tools
        if chat.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = chat.parallel_tool_calls
    choice = chat.tool_choice
    if choice is None or not tools:
        return
    custom = {tool.name for tool in chat.tools if tool.custom}
    if choice.mode == "tool" and choice.name is not None:
        body["tool_choice"] = _named(choice.name, custom)
    elif choice.allowed:
        allowed = {"mode": choice.mode, "tools": [_named(name, custom) for name in choice.allowed]}
        body["tool_choice"] = {"type": "allowed_tools", "allowed_tools": allowed}
    else:
        body["tool_choice"] = "any" if choice.mode == "required" and "any" in quirks else choice.mode


def _named(name: str, custom: set[str]) -> dict[str, Any]:
    kind = "custom" if name in custom else "function"
    return {"type": kind, kind: {"name": name}}


def _tool(tool: Tool, at: int, marks: bool, losses: Losses) -> dict[str, Any] | None:
    if tool.foreign is not None:
        if tool.foreign == NAME:
            value: dict[str, Any] = tool.value
            return value
        losses.add(f"tools[{at}]")
        return None
    kind = "custom" if tool.custom else "function"
    inner: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        inner["description"] = tool.description
    if tool.custom:
        if tool.format is not None:
            inner["format"] = tool.format
    else:
        if tool.parameters is not None:
            rules = OPENAI_STRICT if tool.strict else PLAIN
            inner["parameters"] = lower(tool.parameters, rules, f"tools[{at}].parameters", losses)
        if tool.strict is not None:
            inner["strict"] = tool.strict
    written: dict[str, Any] = {"type": kind, kind: inner}
    if marks and tool.cache is not None:
        written["cache_control"] = mark(tool.cache)
    return written


def mark(cache: Cache) -> dict[str, str]:
    """A marker in Anthropic's form."""
    return {"type": "ephemeral"} if cache.ttl == "5m" else {"type": "ephemeral", "ttl": cache.ttl}


class _Messages:
    """Writes the messages of one request."""

    __slots__ = ("_losses", "_marks", "_quirks")

    def __init__(self, quirks: frozenset[str], losses: Losses) -> None:
        self._quirks = quirks
        self._losses = losses
        self._marks = "cache_control" in quirks

    def write(self, messages: list[Message]) -> list[dict[str, Any]]:
        """Messages on the wire: results of tools are messages of their own there."""
        written: list[dict[str, Any]] = []
        for at, message in enumerate(messages):
            if message.role == "assistant":
                written.append(self._assistant(message, at))
            elif message.role == "user":
                written += self._user(message, at)
            else:
                role = "system" if "no_developer" in self._quirks else message.role
                written.append(self._named(message, {"role": role, "content": self._content(message.parts, at)}))
        return written

    @staticmethod
    def _named(message: Message, written: dict[str, Any]) -> dict[str, Any]:
        if message.name is not None:
            written["name"] = message.name
        return written

    def _user(self, message: Message, at: int) -> list[dict[str, Any]]:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        if not results:
            return [self._named(message, {"role": "user", "content": self._content(message.parts, at)})]
        written = [self._result(result, at) for result in results]
        shown = [part for result in results for part in _shown(result)]
        rest = [*shown, *(part for part in message.parts if not isinstance(part, ToolResult))]
        if rest:
            written.append(self._named(message, {"role": "user", "content": self._content(rest, at)}))
        return written

    def _result(self, result: ToolResult, at: int) -> dict[str, Any]:
        """A result in words. What can only be seen or heard follows as the user's (``_shown``)."""
        texts = [part for part in result.parts if isinstance(part, Text)]
        if len(texts) == 1 or not texts:
            content: Any = _error(result, texts[0].text if texts else "")
        else:
            content = [{"type": "text", "text": part.text} for part in texts]
            content[0]["text"] = _error(result, texts[0].text)
        if any(isinstance(part, Foreign) for part in result.parts):
            self._losses.add(f"messages[{at}].tool_result")
        if not content and len(result.parts) > len(texts):
            content = "(see below)"
        return {"role": "tool", "tool_call_id": result.call_id, "content": content}

    def _content(self, parts: list[Part], at: int) -> Any:
        if len(parts) == 1:
            only = parts[0]
            if isinstance(only, Text) and not (self._marks and only.cache is not None):
                return only.text
        written = [one for part in parts if (one := self._part(part, at)) is not None]
        return written or ""

    def _part(self, part: Part, at: int) -> dict[str, Any] | None:
        written: dict[str, Any] | None = None
        if isinstance(part, Text):
            written = {"type": "text", "text": part.text}
        elif isinstance(part, Media):
            written = _media(part)
        if written is None:
            what = part.kind if isinstance(part, Media) else part.what if isinstance(part, Foreign) else "content"
            self._losses.add(f"messages[{at}].{what}")
        elif self._marks and isinstance(part, Text | Media) and part.cache is not None:
            written["cache_control"] = mark(part.cache)
        return written

    def _assistant(self, message: Message, at: int) -> dict[str, Any]:
        written: dict[str, Any] = {"role": "assistant"}
        texts: list[Text] = []
        thoughts: list[Reasoning] = []
        calls: list[dict[str, Any]] = []
        refusals: list[str] = []
        for part in message.parts:
            if isinstance(part, Text):
                texts.append(part)
            elif isinstance(part, ToolCall):
                calls.append(write_call(part))
            elif isinstance(part, Reasoning):
                thoughts.append(part)
            elif isinstance(part, Refusal):
                refusals.append(part.text)
            else:
                what = part.kind if isinstance(part, Media) else part.what if isinstance(part, Foreign) else "content"
                self._losses.add(f"messages[{at}].{what}")
        marked = self._marks and any(text.cache is not None for text in texts)
        if marked:
            written["content"] = [self._part(text, at) for text in texts]
        elif texts or not calls:
            written["content"] = "".join(text.text for text in texts)
        if refusals:
            written["refusal"] = "".join(refusals)
        if calls:
            written["tool_calls"] = calls
        if thoughts:
            self._thoughts(thoughts, written)
        return self._named(message, written)

    def _thoughts(self, thoughts: list[Reasoning], written: dict[str, Any]) -> None:
        if "reasoning_details" in self._quirks:
            written["reasoning_details"] = [write_detail(thought, at) for at, thought in enumerate(thoughts)]
        elif "reasoning_content" in self._quirks:
            written["reasoning_content"] = "".join(thought.text for thought in thoughts)
        else:
            self._losses.add("messages.reasoning")


def _error(result: ToolResult, text: str) -> str:
    """The format cannot say that a tool has failed, so its result does."""
    if not result.is_error or text[:5].lower() == "error":
        return text
    return f"Error: {text}" if text else "Error"


def _shown(result: ToolResult) -> list[Part]:
    """What of a result is no text, with a word on where it comes from."""
    media: list[Part] = [part for part in result.parts if isinstance(part, Media)]
    return [Text(f"(result of the tool call {result.call_id})"), *media] if media else []


def _media(part: Media) -> dict[str, Any] | None:
    """A part of content; None where the format has no word for it."""
    if part.kind == "image" and part.file_id is None:
        url = part.url if part.url is not None else f"data:{part.media_type or 'image/png'};base64,{part.data}"
        image: dict[str, Any] = {"url": url}
        if part.detail is not None:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image}
    if part.kind == "audio" and part.data is not None:
        form = _FORMATS.get(part.media_type or "", (part.media_type or "audio/wav").partition("/")[2])
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": form}}
    if part.kind == "file":
        return _document(part)
    return None


def _document(part: Media) -> dict[str, Any] | None:
    if part.file_id is not None:
        return {"type": "file", "file": {"file_id": part.file_id}}
    if part.data is None:
        return None
    if part.media_type is not None and part.media_type.startswith("text/"):
        try:
            text = base64.b64decode(part.data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return {"type": "text", "text": f"{part.name}:\n{text}" if part.name else text}
    kind = part.media_type or "application/pdf"
    return {
        "type": "file",
        "file": {"filename": part.name or "document", "file_data": f"data:{kind};base64,{part.data}"},
    }
