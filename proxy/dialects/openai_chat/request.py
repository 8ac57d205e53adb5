"""Reads what a client of OpenAI's chat completions asks."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from proxy.chat import (
    Cache,
    Chat,
    Foreign,
    Format,
    Media,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from proxy.dialects.openai_chat.thought import read_chunk, read_thoughts, signature_of_text
from proxy.dialects.openai_chat.wire import (
    KNOWN,
    KNOWN_REQUEST,
    NAME,
    REQUEST,
    TOP,
    AssistantMessage,
    AudioPart,
    CacheControl,
    CalledFunction,
    CallWire,
    ChoiceWire,
    DocumentPart,
    FileContent,
    FilePart,
    FunctionMessage,
    FunctionWire,
    ImagePart,
    ImageUrl,
    InputAudio,
    KnownRequest,
    MessageWire,
    Named,
    Request,
    TextPart,
    ThinkingPart,
    ToolMessage,
    ToolWire,
    UserMessage,
    VideoPart,
)
from proxy.dialects.reading import MAX_MESSAGES, MAX_TOOLS, read_known, wrong
from proxy.errors import BadRequest

_AUDIO = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm16": "audio/L16"}
_HOUR = Cache("1h")
_FIVE = Cache("5m")


def read_request(body: bytes) -> Chat:
    """A request for an answer.

    Raises:
        BadRequest: with the place of what is wrong.
    """
    asked = read_known(body, KNOWN_REQUEST, REQUEST)
    _check(asked)
    chat = Chat(
        model=asked.model,
        messages=_messages(asked.messages),
        stream=bool(asked.stream),
        max_tokens=asked.max_tokens if asked.max_completion_tokens is None else asked.max_completion_tokens,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        n=asked.n,
        seed=asked.seed if asked.seed is not None else asked.random_seed,
        presence_penalty=asked.presence_penalty,
        frequency_penalty=asked.frequency_penalty,
        logit_bias=asked.logit_bias,
        logprobs=asked.logprobs,
        top_logprobs=asked.top_logprobs,
        parallel_tool_calls=asked.parallel_tool_calls,
        verbosity=asked.verbosity,
        service_tier=asked.service_tier,
        user=asked.user or asked.safety_identifier,
        metadata=asked.metadata,
        store=asked.store,
        modalities=asked.modalities,
        audio=asked.audio,
        prediction=asked.prediction,
        prompt_cache_key=asked.prompt_cache_key,
        cache=_cache(asked.cache_control),
        extra={} if type(asked) is KnownRequest else _extra(body),
    )
    if asked.stop is not None:
        chat.stop = [asked.stop] if isinstance(asked.stop, str) else asked.stop
    if asked.stream_options is not None:
        chat.include_usage = bool(asked.stream_options.include_usage)
    if asked.reasoning_effort is not None:
        chat.thinking = Thinking(effort=asked.reasoning_effort)
    if asked.tools or asked.functions:
        chat.tools = _tools(asked, body)
        if not asked.tools:
            chat.functions, chat.parallel_tool_calls = True, False
    chat.tool_choice = _choice(asked)
    chat.format = _format(asked)
    return chat


def _check(asked: Request) -> None:
    if not asked.model:
        raise wrong("model", "must not be empty")
    if not asked.messages:
        raise wrong("messages", "must hold at least one message")
    if len(asked.messages) > MAX_MESSAGES:
        raise wrong("messages", f"holds {len(asked.messages)} messages; at most {MAX_MESSAGES} are accepted")
    if len(asked.tools or asked.functions or ()) > MAX_TOOLS:
        raise wrong("tools", f"holds more than {MAX_TOOLS} tools")


def _messages(given: list[MessageWire]) -> list[Message]:
    """Turns; results of tools in a row are one turn of the user."""
    messages: list[Message] = []
    results: list[Part] | None = None
    older = _OlderCalls()
    for at, message in enumerate(given):
        if isinstance(message, ToolMessage | FunctionMessage):
            if results is None:
                results = []
                messages.append(Message("user", results))
            results.append(older.result(message) if isinstance(message, FunctionMessage) else _result(message))
            continue
        results = None
        if isinstance(message, UserMessage):
            messages.append(Message("user", _user(message.content, at), message.name))
        elif isinstance(message, AssistantMessage):
            parts = _assistant(message, at)
            if message.function_call is not None:
                parts.append(older.call(message.function_call))
            messages.append(Message("assistant", parts, message.name))
        else:
            role = "system" if message.__struct_config__.tag == "system" else "developer"
            messages.append(Message(role, _texts(message.content), message.name))  # type: ignore[arg-type]
    return messages


def _texts(content: str | list[TextPart]) -> list[Part]:
    if isinstance(content, str):
        return [Text(content)]
    return [Text(part.text, _mark(part)) for part in content]


def _user(content: str | list[Any], at: int) -> list[Part]:
    if isinstance(content, str):
        return [Text(content)]
    if not content:
        raise wrong(f"messages[{at}].content", "must hold at least one part")
    return [_part(part, f"messages[{at}].content[{index}]") for index, part in enumerate(content)]


def _part(part: Any, at: str) -> Part:
    if isinstance(part, TextPart):
        return Text(part.text, _mark(part))
    if isinstance(part, ImagePart):
        image = part.image_url
        return _image(ImageUrl(image) if isinstance(image, str) else image, _mark(part), at)
    if isinstance(part, AudioPart):
        return _audio(part.input_audio)
    if isinstance(part, VideoPart):
        return _by_url("video", part.video_url.url, _cache(part.cache_control), f"{at}.video_url.url")
    if isinstance(part, DocumentPart):
        document = _by_url("file", part.document_url, None, f"{at}.document_url")
        document.name = part.document_name
        return document
    assert isinstance(part, FilePart)
    return _file(part.file, _mark(part), at)


def _audio(audio: InputAudio | str) -> Media:
    if isinstance(audio, InputAudio):
        return Media(kind="audio", data=audio.data, media_type=_AUDIO.get(audio.format, f"audio/{audio.format}"))
    if audio.startswith(("https://", "http://")):
        return Media(kind="audio", url=audio)
    return Media(kind="audio", data=audio.rpartition(",")[2], media_type="audio/wav")


def _image(image: ImageUrl, cache: Cache | None, at: str) -> Media:
    if image.url.startswith("data:"):
        kind, data = _data_url(image.url, f"{at}.image_url.url")
        return Media(kind="image", data=data, media_type=kind, detail=image.detail, cache=cache)
    if not image.url.startswith(("https://", "http://", "gs://", "s3://")):
        raise wrong(f"{at}.image_url.url", "must be an http(s) URL or a data: URL")
    return Media(kind="image", url=image.url, detail=image.detail, cache=cache)


def _by_url(kind: Literal["video", "file"], url: str, cache: Cache | None, at: str) -> Media:
    if url.startswith("data:"):
        media_type, data = _data_url(url, at)
        return Media(kind=kind, data=data, media_type=media_type, cache=cache)
    return Media(kind=kind, url=url, cache=cache)


def _file(file: FileContent, cache: Cache | None, at: str) -> Media:
    if file.file_data is not None:
        kind, data = "application/pdf", file.file_data
        if data.startswith("data:"):
            kind, data = _data_url(data, f"{at}.file.file_data")
        return Media(kind="file", data=data, media_type=kind, name=file.filename, cache=cache)
    if file.file_id is None:
        raise wrong(f"{at}.file", "needs `file_data` or `file_id`")
    return Media(kind="file", file_id=file.file_id, name=file.filename, cache=cache)


def _data_url(url: str, at: str) -> tuple[str, str]:
    """Media type and base64 of a ``data:`` URL (RFC 2397)."""
    head, comma, data = url[len("data:") :].partition(",")
    kind, *marks = head.split(";")
    if not comma or "base64" not in marks or "/" not in kind:
        raise wrong(at, "a data: URL reads `data:image/png;base64,…`")
    return kind.lower(), data


def _assistant(message: AssistantMessage, at: int) -> list[Part]:
    parts: list[Part] = []
    thought = message.reasoning_content if message.reasoning_content is not None else message.reasoning
    if message.reasoning_details or thought:
        parts += read_thoughts(message.reasoning_details, thought)
    if isinstance(message.content, str):
        if message.content:
            signature, origin = signature_of_text(message.reasoning_details) or (None, "")
            parts.append(Text(message.content, signature=signature, origin=origin))
    else:
        parts += [_said(part) for part in message.content or ()]
    if message.refusal:
        parts.append(Refusal(message.refusal))
    for index, call in enumerate(message.tool_calls or ()):
        parts.append(_call(call, f"messages[{at}].tool_calls[{index}]"))
    if message.audio is not None:
        parts.append(Foreign(origin=NAME, what="audio", value={"id": message.audio.id}))
    return parts


def _said(part: Any) -> Part:
    if isinstance(part, TextPart):
        return Text(part.text, _mark(part))
    return Reasoning(text=read_chunk(part.thinking)) if isinstance(part, ThinkingPart) else Refusal(part.refusal)


def _call(call: CallWire, at: str) -> ToolCall:
    if call.type == "custom":
        if call.custom is None:
            raise wrong(f"{at}.custom", "is required")
        return ToolCall(id=call.id, name=call.custom.name, arguments=call.custom.input, custom=True)
    if call.function is None:
        raise wrong(f"{at}.function", "is required")
    signature = thought_signature(call.extra_content)
    return ToolCall(
        id=call.id,
        name=call.function.name,
        arguments=call.function.arguments,
        signature=signature,
        origin="" if signature is None else "gemini",
    )


def thought_signature(extra: Any) -> str | None:
    """Google's signature of a call. https://ai.google.dev/gemini-api/docs/thought-signatures"""
    google = extra.get("google") if isinstance(extra, dict) else None
    found = google.get("thought_signature") if isinstance(google, dict) else None
    return found if isinstance(found, str) and found else None


def _result(message: ToolMessage) -> ToolResult:
    parts: Any = tuple(_texts(message.content))
    return ToolResult(call_id=message.tool_call_id, parts=parts, name=message.name)


class _OlderCalls:
    """Calls and results from before calls had ids: the last call of a name is answered. Ids are made of the names."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def call(self, called: CalledFunction) -> ToolCall:
        """A call, under an id that no other has."""
        self._last[called.name] = self._last.get(called.name, 0) + 1
        return ToolCall(id=self._id(called.name), name=called.name, arguments=called.arguments)

    def result(self, message: FunctionMessage) -> ToolResult:
        """What came of the last call of that name."""
        return ToolResult(call_id=self._id(message.name), parts=(Text(message.content or ""),), name=message.name)

    def _id(self, name: str) -> str:
        return f"{name}_{self._last.get(name, 1)}"


def _tools(asked: Request, body: bytes) -> list[Tool]:
    if not asked.tools:
        return [_function(function, None) for function in asked.functions or ()]
    return [_tool(tool, at, body) for at, tool in enumerate(asked.tools)]


def _function(function: FunctionWire, cache: Cache | None) -> Tool:
    return Tool(
        name=function.name,
        description=function.description,
        parameters=function.parameters,
        strict=function.strict,
        cache=cache,
    )


def _tool(tool: ToolWire, at: int, body: bytes) -> Tool:
    cache = _cache(tool.cache_control)
    if tool.type == "function":
        if tool.function is None:
            raise wrong(f"tools[{at}].function", "is required")
        return _function(tool.function, cache)
    if tool.type == "custom":
        if tool.custom is None:
            raise wrong(f"tools[{at}].custom", "is required")
        custom = tool.custom
        return Tool(name=custom.name, description=custom.description, custom=True, format=custom.format, cache=cache)
    value = msgspec.json.decode(TOP.decode(body)["tools"])[at]
    return Tool(name=tool.type, foreign=NAME, value=value, cache=cache)


def _choice(asked: Request) -> ToolChoice | None:
    choice: Any = asked.tool_choice if asked.tool_choice is not None else asked.function_call
    if choice is None:
        return None
    if isinstance(choice, str):
        return ToolChoice("required" if choice == "any" else choice)  # type: ignore[arg-type]
    if isinstance(choice, Named):
        return ToolChoice("tool", choice.name)
    assert isinstance(choice, ChoiceWire)
    if choice.type == "allowed_tools":
        if choice.allowed_tools is None:
            raise wrong("tool_choice.allowed_tools", "is required")
        names = [tool.function or tool.custom for tool in choice.allowed_tools.tools]
        return ToolChoice(choice.allowed_tools.mode, allowed=tuple(one.name for one in names if one is not None))
    named = choice.function if choice.type == "function" else choice.custom
    if named is None:
        raise wrong(f"tool_choice.{choice.type}", "is required")
    return ToolChoice("tool", named.name)


def _format(asked: Request) -> Format | None:
    wanted = asked.response_format
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return Format(kind="json_object")
    schema = wanted.json_schema
    if schema is None:
        raise wrong("response_format.json_schema", "is required")
    return Format(
        kind="json_schema",
        name=schema.name,
        schema=schema.schema,
        description=schema.description,
        strict=schema.strict,
    )


def _mark(part: TextPart | ImagePart | FilePart) -> Cache | None:
    """Anthropic's marker or OpenAI's, which lasts for half an hour at least."""
    if part.prompt_cache_breakpoint is not None and part.cache_control is None:
        return _HOUR
    return _cache(part.cache_control)


def _cache(control: CacheControl | None) -> Cache | None:
    if control is None or control.type != "ephemeral":
        return None
    return _HOUR if control.ttl == "1h" else _FIVE


def _extra(body: bytes) -> dict[str, Any]:
    """Members of the request that have no neutral name, unless they are null."""
    try:
        members = TOP.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}", code="invalid_json") from None
    unknown = members.keys() - KNOWN
    if not unknown:
        return {}
    return {name: True for name in members if name in unknown and bytes(members[name]) != b"null"}
