"""What has been told and emitted of an answer that is read event by event."""

from __future__ import annotations

from proxy.chat import Begin, Delta, Event, Open, Reasoning, Refusal, Text, ToolCall, Total, Usage
from proxy.tokens.emitted import service_tier
from proxy.tokens.encodings import count

_MOST = 4 << 20  # characters that are kept to be counted; what comes after them counts as one token for each four


class Tally:
    """Sees the events of one answer. Holds its text, in case that the provider does not tell how long it was."""

    __slots__ = ("_beyond", "_room", "_texts", "_tier", "_usage")

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._texts: list[str] = []
        self._tier: str | None = None
        self._room = _MOST
        self._beyond = 0  # characters

    def feed(self, events: list[Event]) -> None:
        """These have come."""
        for event in events:
            kind = type(event)
            if kind is Delta:
                if event.kind != "signature":  # type: ignore[union-attr]
                    self._keep(event.text)  # type: ignore[union-attr]
            elif kind is Total:
                self._usage = event.usage  # type: ignore[union-attr]
            elif kind is Open:
                self._opened(event)  # type: ignore[arg-type]
            elif kind is Begin:
                self._usage = self._usage or event.usage  # type: ignore[union-attr]
                self._tier = event.service_tier  # type: ignore[union-attr]

    def _opened(self, event: Open) -> None:
        part = event.part
        if isinstance(part, (Text, Reasoning, Refusal)):
            self._keep(part.text)
        elif isinstance(part, ToolCall):
            self._keep(part.name)
            self._keep(part.arguments)

    def _keep(self, text: str) -> None:
        if not text:
            return
        if self._room > 0:
            self._texts.append(text)
            self._room -= len(text)
        else:
            self._beyond += len(text)

    @property
    def has_begun(self) -> bool:
        """Whether anything has been emitted."""
        return bool(self._texts)

    @property
    def size(self) -> int:
        """Characters of text that there are to count."""
        return _MOST - self._room

    def usage(self) -> Usage | None:
        """What the provider has told so far."""
        return self._usage

    def tier(self) -> str:
        """The service tier that has served it; "" for the usual one."""
        return service_tier(self._tier)

    def tokens(self, model: str) -> int:
        """What was emitted, counted as ``model`` would."""
        return count("".join(self._texts), model) + self._beyond // 4
