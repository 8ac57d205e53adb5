"""OpenAI's chat completions: the format that most services speak, and most applications."""

from __future__ import annotations

from proxy.chat import Chat, Completion, Losses
from proxy.dialects.dialect import Aim, Dialect, Reader, Writer
from proxy.dialects.openai import DONE
from proxy.dialects.openai_chat.answer import read_answer, write_answer
from proxy.dialects.openai_chat.body import write_request
from proxy.dialects.openai_chat.reader import StreamReader
from proxy.dialects.openai_chat.request import read_request
from proxy.dialects.openai_chat.wire import NAME
from proxy.dialects.openai_chat.writer import StreamWriter


class OpenAIChat(Dialect):
    """``/v1/chat/completions``."""

    name = NAME
    ends = DONE
    lacks = frozenset({"cache", "guardrail"})

    def is_ours(self, body: bytes) -> bool:
        """Never: signatures of others stand under their own names here, and nothing is sealed."""
        return False

    def read_request(self, body: bytes, model: str = "", stream: bool = False) -> Chat:
        """See ``Dialect``; model and stream stand in the body."""
        return read_request(body)

    def write_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        """See ``Dialect``; ``body.QUIRKS`` lists what a provider may want otherwise."""
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
