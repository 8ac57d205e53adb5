"""The dialect gemini."""

from __future__ import annotations

from proxy.chat import Chat, Completion, Losses
from proxy.dialects.dialect import Aim, Dialect, Reader, Writer


class Gemini(Dialect):
    """Being written."""

    name = "gemini"

    def read_request(self, body: bytes, model: str = "", stream: bool = False) -> Chat:
        raise NotImplementedError

    def write_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        raise NotImplementedError

    def read_answer(self, body: bytes) -> Completion:
        raise NotImplementedError

    def write_answer(self, completion: Completion, chat: Chat) -> bytes:
        raise NotImplementedError

    def reader(self) -> Reader:
        raise NotImplementedError

    def writer(self, chat: Chat) -> Writer:
        raise NotImplementedError
