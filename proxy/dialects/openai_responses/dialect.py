"""OpenAI's Responses API: https://platform.openai.com/docs/api-reference/responses."""

from __future__ import annotations

from typing import ClassVar

from proxy.chat import Chat, Completion, Losses
from proxy.dialects.dialect import Aim, Dialect, Reader, Writer
from proxy.dialects.endpoint import End
from proxy.dialects.openai import RESPONSE_ENDS
from proxy.dialects.openai_responses import answer, body, count, request
from proxy.dialects.openai_responses.ids import names_own
from proxy.dialects.openai_responses.reader import StreamReader
from proxy.dialects.openai_responses.wire import NAME, SIGNS
from proxy.dialects.openai_responses.writer import StreamWriter


class OpenAIResponses(Dialect):
    """``/v1/responses`` and ``/v1/responses/input_tokens``."""

    name = NAME
    counts = True
    signs = SIGNS
    ends: ClassVar[tuple[End, ...]] = RESPONSE_ENDS
    lacks = frozenset(
        {
            "top_k",
            "stop",
            "n",
            "seed",
            "presence_penalty",
            "frequency_penalty",
            "logit_bias",
            "modalities",
            "audio",
            "prediction",
            "cache",
            "guardrail",
        }
    )

    def is_ours(self, body: bytes) -> bool:
        """Answers and their items have ids of ours too."""
        return names_own(body) or super().is_ours(body)

    def read_request(self, body: bytes, model: str = "", stream: bool = False) -> Chat:
        """The model and whether to stream stand in the body."""
        return request.read_request(body, model)

    def write_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        """See ``body``."""
        return body.write_request(chat, aim, losses)

    def read_answer(self, body: bytes) -> Completion:
        """See ``answer``."""
        return answer.read_answer(body)

    def write_answer(self, completion: Completion, chat: Chat) -> bytes:
        """See ``answer``."""
        return answer.write_answer(completion, chat)

    def reader(self) -> Reader:
        """See ``reader``."""
        return StreamReader()

    def writer(self, chat: Chat) -> Writer:
        """See ``writer``."""
        return StreamWriter(chat)

    def write_count(self, tokens: int) -> bytes:
        """See ``count``."""
        return count.write_count(tokens)

    def read_count(self, body: bytes) -> int:
        """See ``count``."""
        return count.read_count(body)

    def write_count_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        """See ``body``."""
        return body.write_count_request(chat, aim, losses)
