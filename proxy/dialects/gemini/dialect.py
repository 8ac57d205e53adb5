"""Google's generateContent: https://ai.google.dev/api/generate-content."""

from __future__ import annotations

import msgspec

from proxy.chat import Chat, Completion, Losses
from proxy.dialects.dialect import Aim, Dialect, Reader, Writer, decode
from proxy.dialects.gemini import answer, body, request
from proxy.dialects.gemini.reader import StreamReader
from proxy.dialects.gemini.wire import NAME, SIGNS
from proxy.dialects.gemini.writer import StreamWriter

# How the base64 of a sealed signature begins.
_SEALED = b'"c2cu'


class _Counted(msgspec.Struct, rename="camel"):
    total_tokens: int


class Gemini(Dialect):
    """``generateContent``, ``streamGenerateContent?alt=sse`` and ``countTokens``.

    Its streams have no mark at their end; ``watch`` tells whether one that passes untouched was complete.
    Quirks: ``counts_plain`` (Google Cloud, where the question for tokens is not wrapped).
    """

    name = NAME
    counts = True
    signs = SIGNS
    lacks = frozenset(
        {
            "logit_bias",
            "parallel_tool_calls",
            "verbosity",
            "user",
            "audio",
            "prediction",
            "prompt_cache_key",
            "cache",
            "store",
            "previous",
            "guardrail",
        }
    )

    def is_ours(self, body: bytes) -> bool:
        """Sealed signatures are in base64 here, as all are."""
        return _SEALED in body

    def read_request(self, body: bytes, model: str = "", stream: bool = False) -> Chat:
        """The model and whether to stream stand in the path."""
        return request.read_request(body, model, stream)

    def read_count_request(self, body: bytes, model: str = "") -> Chat:
        """The same, or a request within it."""
        return request.read_count_request(body, model)

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
        return b'{"totalTokens":%d}' % tokens

    def read_count(self, body: bytes) -> int:
        """The number of input tokens."""
        return max(0, decode(body, _Counted).total_tokens)

    def write_count_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        """The question for their number."""
        return body.write_count_request(chat, aim, losses)
