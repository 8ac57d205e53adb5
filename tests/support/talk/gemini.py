"""``google-genai``: generateContent."""

from __future__ import annotations

import base64
from typing import Any

from google import genai
from google.genai import types

from tests.support.heard import gemini as ear
from tests.support.heard.answer import Heard
from tests.support.talk.talk import OUT, Image, Result, Talk, Wishes, given

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


class Gemini(Talk):
    """Contents in Google's form; those of an answer go back as they came, with the signatures in them."""

    def __init__(self, origin: str, outbound: str, model: str, wishes: Wishes) -> None:
        super().__init__(model, wishes)
        options = types.HttpOptions(
            base_url=origin,
            headers={OUT: outbound},
            timeout=20_000,
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        self.client = genai.Client(api_key="sk-test", http_options=options)
        self.rules: list[types.Part] = []
        self.contents: list[types.Content] = []

    def system(self, text: str) -> None:
        self.rules.append(types.Part(text=text))

    def user(self, *parts: str | Image) -> None:
        self.contents.append(
            types.Content(
                role="user",
                parts=[_image(part) if isinstance(part, Image) else types.Part(text=part) for part in parts],
            )
        )

    def results(self, *results: Result) -> None:
        parts = []
        for one in results:
            pictures = None
            if one.image is not None:
                data = base64.b64decode(one.image.data)
                blob = types.FunctionResponseBlob(mime_type=one.image.media_type, data=data)
                pictures = [types.FunctionResponsePart(inline_data=blob)]
            answer = types.FunctionResponse(
                id=one.call.id or None,
                name=one.call.name,
                response={"error" if one.failed else "output": one.text},
                parts=pictures,
            )
            parts.append(types.Part(function_response=answer))
        self.contents.append(types.Content(role="user", parts=parts))

    def _config(self) -> types.GenerateContentConfig:
        wishes = self.wishes
        declared = [
            types.FunctionDeclaration(name=tool.name, description=tool.description, parameters_json_schema=tool.schema)
            for tool in wishes.tools
        ]
        choice = None
        if wishes.choice is not None:
            named = None if wishes.choice in _MODES else [wishes.choice]
            calling = types.FunctionCallingConfig(
                mode=types.FunctionCallingConfigMode(_MODES.get(wishes.choice, "ANY")), allowed_function_names=named
            )
            choice = types.ToolConfig(function_calling_config=calling)
        thinks = None
        if wishes.thinks is not None:
            thinks = types.ThinkingConfig(include_thoughts=True, thinking_budget=wishes.thinks)
        fields: dict[str, Any] = given(
            system_instruction=types.Content(parts=self.rules) if self.rules else None,
            max_output_tokens=wishes.max_tokens,
            temperature=wishes.temperature,
            top_p=wishes.top_p,
            stop_sequences=wishes.stop,
            tools=[types.Tool(function_declarations=declared)] if declared else None,
            tool_config=choice,
            response_mime_type="application/json" if wishes.schema else None,
            response_json_schema=wishes.schema,
            thinking_config=thinks,
        )
        return types.GenerateContentConfig(**fields)

    async def ask(self, *, stream: bool) -> Heard:
        models, contents = self.client.aio.models, self._contents()
        if stream:
            flow = await models.generate_content_stream(model=self.model, contents=contents, config=self._config())
            found = [response async for response in flow]
        else:
            found = [await models.generate_content(model=self.model, contents=contents, config=self._config())]
        said = [
            part
            for response in found
            for candidate in response.candidates or []
            for part in (candidate.content.parts if candidate.content else None) or []
        ]
        self.contents.append(types.Content(role="model", parts=said))
        return ear.of_responses(found)

    def _contents(self) -> Any:
        return [*self.contents]

    async def count(self) -> int | None:
        found = await self.client.aio.models.count_tokens(model=self.model, contents=self._contents())
        return found.total_tokens

    async def close(self) -> None:
        await self.client.aio.aclose()
        self.client.close()


def _image(image: Image) -> types.Part:
    if image.url:
        return types.Part(file_data=types.FileData(file_uri=image.url, mime_type=image.media_type))
    blob = types.Blob(mime_type=image.media_type, data=base64.b64decode(image.data))
    return types.Part(inline_data=blob)
