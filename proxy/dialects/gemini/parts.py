"""Turns of a client's request as neutral messages."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.chat import Foreign, Media, Message, Part, Reasoning, Text, ToolCall, ToolResult
from proxy.dialects.gemini.media import read_blob, read_file
from proxy.dialects.gemini.signature import read_mark
from proxy.dialects.gemini.wire import FOREIGN_PARTS, NAME, SIGNS, Content, FunctionResponse, PartWire
from proxy.dialects.reading import wrong

_ABOUT = (
    ("video_metadata", "videoMetadata"),
    ("media_resolution", "mediaResolution"),
    ("media_processing", "mediaProcessing"),
    ("part_metadata", "partMetadata"),
)
_ROLES = {"user": True, "model": False, "function": True, None: True, "": True}
_Waiting = list[tuple[str, str]]  # name and id of calls without a result


class Turns:
    """Reads the turns of one request, in order. ``extra`` takes what has no neutral name."""

    __slots__ = ("_extra", "_waiting")

    def __init__(self, extra: dict[str, Any]) -> None:
        self._extra = extra
        self._waiting: _Waiting = []

    def read(self, contents: list[Content]) -> list[Message]:
        """The messages; pieces of one turn of the model, as clients keep them of a stream, are one message again."""
        messages: list[Message] = []
        for at, content in enumerate(contents):
            if content.role not in _ROLES:
                raise wrong(f"contents[{at}].role", "must be `user` or `model`")
            is_user = _ROLES[content.role]
            parts = [
                self._part(part, f"contents[{at}].parts[{number}]", is_user)
                for number, part in enumerate(content.parts or ())
            ]
            if is_user:
                results = [part for part in parts if type(part) is ToolResult]
                if results and len(results) < len(parts):
                    parts = [*results, *(part for part in parts if type(part) is not ToolResult)]
                messages.append(Message("user", parts))
            elif messages and messages[-1].role == "assistant":
                messages[-1].parts += parts
            else:
                messages.append(Message("assistant", parts))
        for message in messages:
            if message.role == "assistant" and len(message.parts) > 1:
                message.parts = join(message.parts)
        return messages

    def _part(self, part: PartWire, at: str, is_user: bool) -> Part:
        if part.text is not None:
            return _text(part, part.text)
        for field, name in _ABOUT:
            if (value := getattr(part, field)) is not None:
                self._extra[f"{at}.{name}"] = value
        if part.inline_data is not None:
            return read_blob(part.inline_data, f"{at}.inlineData")
        if part.function_call is not None:
            return self._call(part, at, is_user)
        if part.function_response is not None:
            if not is_user:
                raise wrong(f"{at}.functionResponse", "must stand in a turn of the user")
            return self._result(part.function_response, f"{at}.functionResponse")
        if part.file_data is not None:
            return read_file(part.file_data, f"{at}.fileData")
        for field, name in FOREIGN_PARTS:
            if (value := getattr(part, field)) is not None:
                whole = {name: value}
                if part.thought_signature:
                    whole["thoughtSignature"] = part.thought_signature
                return Foreign(origin=NAME, what=f"{at}.{name}", value=whole)
        if part.thought_signature:
            return _text(part, "")
        raise wrong(at, "holds no data: `text`, `inlineData`, `fileData`, `functionCall` or `functionResponse`")

    def _call(self, part: PartWire, at: str, is_user: bool) -> ToolCall:
        call = part.function_call
        assert call is not None
        if is_user:
            raise wrong(f"{at}.functionCall", "must stand in a turn of the model")
        if not call.name:
            raise wrong(f"{at}.functionCall.name", "is required")
        arguments = _object(call.args, f"{at}.functionCall.args")
        # The same call has the same id in every request that repeats it, or no provider could cache what it began.
        identity = call.id or "call_" + hashlib.sha256(f"{at} {call.name}".encode()).hexdigest()[:24]
        self._waiting.append((call.name, identity))
        if not part.thought_signature:
            return ToolCall(id=identity, name=call.name, arguments=arguments)
        mark = read_mark(part.thought_signature)
        return ToolCall(id=identity, name=call.name, arguments=arguments, signature=mark.signature, origin=_whose(mark))

    def _result(self, result: FunctionResponse, at: str) -> ToolResult:
        if not result.name and not result.id:
            raise wrong(f"{at}.name", "is required")
        identity = result.id or self._find(result.name or "", at)
        self._waiting = [call for call in self._waiting if call[1] != identity]
        if result.will_continue:
            self._extra[f"{at}.willContinue"] = True
        if result.scheduling is not None:
            self._extra[f"{at}.scheduling"] = result.scheduling
        parts, is_error = _read_response(_object(result.response, f"{at}.response"))
        for number, one in enumerate(result.parts or ()):
            if one.inline_data is not None:
                parts.append(read_blob(one.inline_data, f"{at}.parts[{number}].inlineData"))
            elif one.file_data is not None:
                parts.append(read_file(one.file_data, f"{at}.parts[{number}].fileData"))
        return ToolResult(call_id=identity, parts=tuple(parts), is_error=is_error, name=result.name or None)

    def _find(self, name: str, at: str) -> str:
        """The id of the first call of that name that has no result yet."""
        for known, identity in self._waiting:
            if known == name:
                return identity
        return "call_" + hashlib.sha256(at.encode()).hexdigest()[:24]


def join(parts: list[Part]) -> list[Part]:
    """Neighbouring pieces of a thought, or of a text, as one. A signature ends what it signs."""
    joined: list[Part] = []
    for part in parts:
        if type(part) is Text and not part.text and part.signature is None:
            continue  # the end of a stream
        last = joined[-1] if joined else None
        if type(last) is Reasoning and type(part) is Reasoning:
            if last.signature is None and last.redacted is None and last.id is None:
                joined[-1] = replace(part, text=last.text + part.text)
                continue
        elif type(last) is Text and type(part) is Text and last.signature is None:
            joined[-1] = replace(part, text=last.text + part.text)
            continue
        joined.append(part)
    return joined


def _whose(mark: Any) -> str:
    return mark.origin if mark.signature is not None else ""


def _text(part: PartWire, text: str) -> Part:
    if not part.thought:
        if not part.thought_signature:
            return Text(text)
        mark = read_mark(part.thought_signature)
        return Text(text, signature=mark.signature, origin=_whose(mark))
    if not part.thought_signature:
        return Reasoning(text=text, origin=SIGNS)
    mark = read_mark(part.thought_signature)
    return Reasoning(
        text=text,
        signature=mark.signature,
        redacted=mark.redacted,
        origin=mark.origin,
        id=mark.id,
        is_summary=mark.is_summary,
    )


def _object(raw: msgspec.Raw, at: str) -> str:
    """The JSON text of an object, as it was written; ``{}`` for none."""
    written = bytes(raw)
    if not written or written == b"null":
        return "{}"
    try:
        text = written.decode()
    except UnicodeDecodeError:
        raise wrong(at, "is not UTF-8") from None
    if not text.startswith("{"):
        raise wrong(at, "must be an object")
    return text


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _read_response(text: str) -> tuple[list[Text | Media | Foreign], bool]:
    """What a tool said, and whether it failed: ``output`` or ``error``, or the whole object if it has neither."""
    members = _MEMBERS.decode(text)
    if len(members) == 1:
        ((name, raw),) = members.items()
        if name in ("output", "error"):
            inner = bytes(raw)
            said = msgspec.json.decode(inner, type=str) if inner.startswith(b'"') else inner.decode()
            return ([] if said in ("", "null") else [Text(said)]), name == "error"
    return ([Text(text)] if members else []), False
