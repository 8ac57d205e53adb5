"""``openai``: chat completions."""

from __future__ import annotations

from typing import Any

from openai import AsyncOpenAI

from tests.support.heard import openai_chat as ear
from tests.support.heard.answer import Heard
from tests.support.talk.talk import OUT, Image, Result, Talk, Wishes, data_url, given

_EFFORTS = {0: "none", 1024: "minimal", 2048: "low", 8192: "medium", 24576: "high"}


def effort(thinks: int | None) -> str | None:
    """OpenAI's word for a number of tokens."""
    return None if thinks is None else _EFFORTS[thinks]


class OpenAIChat(Talk):
    """Messages in OpenAI's form. What the answer has beyond it goes back as it came, as services ask for it."""

    def __init__(self, origin: str, outbound: str, model: str, wishes: Wishes) -> None:
        super().__init__(model, wishes)
        self.client = AsyncOpenAI(
            base_url=f"{origin}/v1", api_key="sk-test", max_retries=0, timeout=20, default_headers={OUT: outbound}
        )
        self.messages: list[dict[str, Any]] = []

    def system(self, text: str) -> None:
        role = "developer" if any(one["role"] == "system" for one in self.messages) else "system"
        self.messages.append({"role": role, "content": text})

    def user(self, *parts: str | Image) -> None:
        content: Any = [
            {"type": "image_url", "image_url": {"url": data_url(part)}}
            if isinstance(part, Image)
            else {"type": "text", "text": part}
            for part in parts
        ]
        self.messages.append({"role": "user", "content": content})

    def results(self, *results: Result) -> None:
        for one in results:
            self.messages.append({"role": "tool", "tool_call_id": one.call.id, "content": one.text})
        # Tools say nothing but text in this format: their pictures are the user's.
        if pictures := [one.image for one in results if one.image is not None]:
            self.user(*pictures)

    def _fields(self) -> dict[str, Any]:
        wishes = self.wishes
        tools = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema},
            }
            for tool in wishes.tools
        ]
        choice: Any = wishes.choice
        if choice not in (None, "auto", "none", "required"):
            choice = {"type": "function", "function": {"name": choice}}
        shape = wishes.schema and {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": wishes.schema, "strict": True},
        }
        return given(
            model=self.model,
            messages=self.messages,
            max_completion_tokens=wishes.max_tokens,
            temperature=wishes.temperature,
            top_p=wishes.top_p,
            stop=wishes.stop,
            tools=tools,
            tool_choice=choice,
            response_format=shape,
            reasoning_effort=effort(wishes.thinks),
        )

    async def ask(self, *, stream: bool) -> Heard:
        fields = self._fields()
        if not stream:
            whole = await self.client.chat.completions.create(**fields)
            self.messages.append(whole.choices[0].message.to_dict())
            return ear.of_completion(whole)
        chunks = [
            chunk
            async for chunk in await self.client.chat.completions.create(
                **fields, stream=True, stream_options={"include_usage": True}
            )
        ]
        self.messages.append(_message(chunks))
        return ear.of_chunks(chunks)

    async def close(self) -> None:
        await self.client.close()


def _message(chunks: list[Any]) -> dict[str, Any]:
    """A streamed answer as the message that it was: what applications do with it."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    calls: dict[int, dict[str, Any]] = {}
    for delta in [choice.delta.to_dict() for chunk in chunks for choice in chunk.choices]:
        message["content"] += delta.get("content") or ""
        if delta.get("reasoning_content"):
            message["reasoning_content"] = message.get("reasoning_content", "") + delta["reasoning_content"]
        _details(message, delta.get("reasoning_details") or [])
        for call in delta.get("tool_calls") or []:
            known = calls.setdefault(call["index"], {**call, "function": {"arguments": ""}})
            known.pop("index", None)
            function = call.get("function") or {}
            known["function"]["name"] = function.get("name") or known["function"].get("name")
            known["function"]["arguments"] += function.get("arguments") or ""
    if calls:
        message["tool_calls"] = list(calls.values())
    message["content"] = message["content"] or None
    return message


def _details(message: dict[str, Any], details: list[dict[str, Any]]) -> None:
    """Pieces of the same index belong together, as OpenRouter's documentation says."""
    known: list[dict[str, Any]] = message.setdefault("reasoning_details", []) if details else []
    for piece in details:
        same = next((one for one in known if one.get("index") == piece.get("index")), None)
        if same is None:
            known.append({**piece})
            continue
        for name, value in piece.items():
            if name in ("text", "summary"):
                same[name] = (same.get(name) or "") + (value or "")
            elif value is not None:
                same[name] = value
