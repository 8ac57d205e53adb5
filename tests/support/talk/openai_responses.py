"""``openai``: the Responses API, without state on the server: every request holds all items."""

from __future__ import annotations

from typing import Any

from openai import AsyncOpenAI

from tests.support.heard import openai_responses as ear
from tests.support.heard.answer import Heard
from tests.support.talk.openai_chat import effort
from tests.support.talk.talk import OUT, Image, Result, Talk, Wishes, data_url, given


class OpenAIResponses(Talk):
    """Items in OpenAI's form; those of an answer go back as they came."""

    def __init__(self, origin: str, outbound: str, model: str, wishes: Wishes) -> None:
        super().__init__(model, wishes)
        self.client = AsyncOpenAI(
            base_url=f"{origin}/v1", api_key="sk-test", max_retries=0, timeout=20, default_headers={OUT: outbound}
        )
        self.instructions: str | None = None
        self.items: list[dict[str, Any]] = []

    def system(self, text: str) -> None:
        if self.instructions is None:
            self.instructions = text
        else:
            self.items.append({"role": "developer", "content": text})

    def user(self, *parts: str | Image) -> None:
        content = [
            {"type": "input_image", "image_url": data_url(part), "detail": "auto"}
            if isinstance(part, Image)
            else {"type": "input_text", "text": part}
            for part in parts
        ]
        self.items.append({"role": "user", "content": content})

    def results(self, *results: Result) -> None:
        for one in results:
            output: Any = one.text
            if one.image is not None:
                output = [
                    {"type": "input_text", "text": one.text},
                    {"type": "input_image", "image_url": data_url(one.image), "detail": "auto"},
                ]
            self.items.append({"type": "function_call_output", "call_id": one.call.id, "output": output})

    def _fields(self) -> dict[str, Any]:
        wishes = self.wishes
        tools = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.schema,
                "strict": False,
            }
            for tool in wishes.tools
        ]
        choice: Any = wishes.choice
        if choice not in (None, "auto", "none", "required"):
            choice = {"type": "function", "name": choice}
        shape = wishes.schema and {
            "format": {"type": "json_schema", "name": "answer", "schema": wishes.schema, "strict": True}
        }
        thought = None if wishes.thinks is None else {"effort": effort(wishes.thinks), "summary": "auto"}
        return given(
            model=self.model,
            input=self.items,
            instructions=self.instructions,
            tools=tools,
            tool_choice=choice,
            text=shape,
            reasoning=thought,
        )

    def _all_fields(self) -> dict[str, Any]:
        wishes = self.wishes
        return self._fields() | given(
            max_output_tokens=wishes.max_tokens,
            temperature=wishes.temperature,
            top_p=wishes.top_p,
            store=False,
            include=["reasoning.encrypted_content"] if wishes.thinks else None,
            # The API itself has no stop sequences; who needs them sends what the gateway's other formats have.
            extra_body={"stop": wishes.stop} if wishes.stop else None,
        )

    async def ask(self, *, stream: bool) -> Heard:
        fields = self._all_fields()
        if not stream:
            found = await self.client.responses.create(**fields)
            heard = ear.of_response(found)
        else:
            events = [event async for event in await self.client.responses.create(**fields, stream=True)]
            heard = ear.of_events(events)
            found = events[-1].response
        self.items += [item.to_dict() for item in found.output]
        return heard

    async def count(self) -> int | None:
        return (await self.client.responses.input_tokens.count(**self._fields())).input_tokens

    async def close(self) -> None:
        await self.client.close()
