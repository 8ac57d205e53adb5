"""``anthropic``: the Messages API."""

from __future__ import annotations

from typing import Any

from anthropic import AsyncAnthropic

from tests.support.heard import anthropic_messages as ear
from tests.support.heard.answer import Heard
from tests.support.talk.talk import OUT, Image, Result, Talk, Wishes, given


class AnthropicMessages(Talk):
    """Messages in Anthropic's form; the blocks of an answer go back as they came."""

    def __init__(self, origin: str, outbound: str, model: str, wishes: Wishes) -> None:
        super().__init__(model, wishes)
        self.client = AsyncAnthropic(
            base_url=origin, api_key="sk-test", max_retries=0, timeout=20, default_headers={OUT: outbound}
        )
        self.rules: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []

    def system(self, text: str) -> None:
        self.rules.append({"type": "text", "text": text})

    def user(self, *parts: str | Image) -> None:
        content = [_image(part) if isinstance(part, Image) else {"type": "text", "text": part} for part in parts]
        self.messages.append({"role": "user", "content": content})

    def results(self, *results: Result) -> None:
        content = []
        for one in results:
            said: Any = one.text
            if one.image is not None:
                said = [{"type": "text", "text": one.text}, _image(one.image)]
            block = {"type": "tool_result", "tool_use_id": one.call.id, "content": said}
            content.append(block | ({"is_error": True} if one.failed else {}))
        self.messages.append({"role": "user", "content": content})

    def _fields(self) -> dict[str, Any]:
        wishes = self.wishes
        tools = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema} for tool in wishes.tools
        ]
        words: dict[str | None, Any] = {"auto": {"type": "auto"}, "none": {"type": "none"}, "required": {"type": "any"}}
        words[None] = None
        shape = wishes.schema and {"format": {"type": "json_schema", "schema": wishes.schema}}
        thinking = None
        if wishes.thinks is not None:
            thinking = {"type": "enabled", "budget_tokens": wishes.thinks}
        return given(
            model=self.model,
            system=self.rules,
            messages=self.messages,
            tools=tools,
            tool_choice=words.get(wishes.choice, {"type": "tool", "name": wishes.choice}),
            output_config=shape,
            thinking=thinking,
        )

    def _all_fields(self) -> dict[str, Any]:
        wishes = self.wishes
        most = wishes.max_tokens or 500
        # A budget must be below the limit.
        return self._fields() | given(
            max_tokens=most if wishes.thinks is None else most + wishes.thinks,
            stop_sequences=wishes.stop,
            # The newest models take no such thing, and the client has no words for it any more; older ones do.
            extra_body=given(temperature=wishes.temperature, top_p=wishes.top_p) or None,
        )

    async def ask(self, *, stream: bool) -> Heard:
        fields = self._all_fields()
        if not stream:
            found = await self.client.messages.create(**fields)
            self.messages.append({"role": "assistant", "content": [one.to_dict() for one in found.content]})
            return ear.of_message(found)
        async with self.client.messages.stream(**fields) as events:
            final = await events.get_final_message()
        self.messages.append({"role": "assistant", "content": [one.to_dict() for one in final.content]})
        return ear.of_message(final)

    async def count(self) -> int | None:
        return (await self.client.messages.count_tokens(**self._fields())).input_tokens

    async def close(self) -> None:
        await self.client.close()


def _image(image: Image) -> dict[str, Any]:
    source = {"type": "base64", "media_type": image.media_type, "data": image.data}
    return {"type": "image", "source": {"type": "url", "url": image.url} if image.url else source}
