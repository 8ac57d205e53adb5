"""Anthropic's Messages API: https://docs.claude.com/en/api/messages."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from proxy.chat import Chat, Completion, Losses
from proxy.dialects.anthropic_messages import answer, body, request
from proxy.dialects.anthropic_messages.reader import StreamReader
from proxy.dialects.anthropic_messages.wire import NAME, SIGNS
from proxy.dialects.anthropic_messages.writer import StreamWriter
from proxy.dialects.dialect import Aim, Dialect, Reader, Writer, decode
from proxy.dialects.endpoint import End
from proxy.dialects.paths import MESSAGE_ENDS


class _Counted(msgspec.Struct):
    input_tokens: int


class AnthropicMessages(Dialect):
    """``/v1/messages`` and ``/v1/messages/count_tokens``.

    Quirk: ``system_anywhere``, of models that take messages of the system between the turns.
    """

    name = NAME
    counts = True
    signs = SIGNS
    ends: ClassVar[tuple[End, ...]] = MESSAGE_ENDS
    lacks = frozenset(
        {
            "n",
            "seed",
            "presence_penalty",
            "frequency_penalty",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "verbosity",
            "metadata",
            "modalities",
            "audio",
            "prediction",
            "prompt_cache_key",
            "store",
            "previous",
            "guardrail",
        }
    )

    def is_ours(self, body: bytes) -> bool:
        """Never: what providers cannot read is cut out of a request that passes, see ``alien``."""
        return False

    def read_request(self, body: bytes, model: str = "", stream: bool = False) -> Chat:
        """The model and whether to stream stand in the body."""
        return request.read_request(body)

    def read_count_request(self, body: bytes, model: str = "") -> Chat:
        """The same without ``max_tokens``, which that question does not have."""
        return request.read_request(body, counts=True)

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
        """The number of input tokens."""
        return b'{"input_tokens":%d}' % tokens

    def read_count(self, body: bytes) -> int:
        """The number of input tokens."""
        return max(0, decode(body, _Counted).input_tokens)

    def write_count_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        """The question for their number."""
        return body.write_count_request(chat, aim, losses)
