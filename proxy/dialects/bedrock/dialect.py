"""AWS Bedrock's Converse and ConverseStream. Providers speak it; applications are not offered it."""

from __future__ import annotations

import msgspec

from proxy.chat import Chat, Completion, Losses
from proxy.dialects.bedrock.answer import read_answer, write_answer
from proxy.dialects.bedrock.body import write_count_request, write_request
from proxy.dialects.bedrock.reader import StreamReader
from proxy.dialects.bedrock.request import read_count_request, read_request
from proxy.dialects.bedrock.words import NAME, SIGNS
from proxy.dialects.bedrock.writer import StreamWriter
from proxy.dialects.dialect import Aim, Dialect, Frames, Reader, Writer, decode
from proxy.dialects.eventstream import Messages


class Bedrock(Dialect):
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"""

    name = NAME
    counts = True
    signs = SIGNS
    stream_type = b"application/vnd.amazon.eventstream"
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
            "modalities",
            "audio",
            "prediction",
            "prompt_cache_key",
            "cache",
            "store",
            "previous",
        }
    )

    def read_request(self, body: bytes, model: str = "", stream: bool = False) -> Chat:
        """See ``Dialect``; model and stream stand in the path."""
        return read_request(body, model, stream)

    def read_count_request(self, body: bytes, model: str = "") -> Chat:
        """See ``Dialect``; the question holds a request."""
        return read_count_request(body, model)

    def write_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        """See ``Dialect``."""
        return write_request(chat, aim, losses)

    def read_answer(self, body: bytes) -> Completion:
        """See ``Dialect``."""
        return read_answer(body)

    def write_answer(self, completion: Completion, chat: Chat) -> bytes:
        """See ``Dialect``."""
        return write_answer(completion, chat)

    def reader(self) -> Reader:
        """See ``Dialect``."""
        return StreamReader()

    def writer(self, chat: Chat) -> Writer:
        """See ``Dialect``."""
        return StreamWriter(chat)

    def frames(self) -> Frames:
        """Messages of AWS' event stream."""
        return Messages()

    def write_count_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        """See ``Dialect``."""
        return write_count_request(chat, aim, losses)

    def read_count(self, body: bytes) -> int:
        """See ``Dialect``."""
        return max(0, decode(body, _Counted).inputTokens)

    def write_count(self, tokens: int) -> bytes:
        """See ``Dialect``."""
        return b'{"inputTokens":%d}' % tokens


class _Counted(msgspec.Struct):
    inputTokens: int
