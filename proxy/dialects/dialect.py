"""What a dialect is: one wire format of conversations, read into the neutral form and written from it.

A reader of a stream is fed frames (whole SSE events, or whole messages of AWS' event stream) and gives neutral events;
a writer is fed neutral events and gives bytes. Both are state machines without input or output, one object per answer.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from proxy.chat import SEAL, Chat, Completion, Event, Losses
from proxy.choosing.capability import Capabilities
from proxy.dialects.endpoint import End
from proxy.errors import BadAnswer, Header
from proxy.wire.sse import Splitter

T = TypeVar("T")
MAX_COUNT = 10**12  # tokens: what a provider tells beyond that is not believed
# How a signature begins in JSON that one provider made and another is shown: with its origin.
_SEALED = b'"' + SEAL.encode()
_SEALED_BY = re.compile(re.escape(_SEALED) + rb"[a-z]+(?:@[a-z]+)?\.")


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is written for: the model's name at the provider, what it can do, and the provider's quirks.

    ``quirks`` are names that a dialect's writer knows (see its own list); a preset or a provider sets them. ``adds``:
    members of the body that the account puts into every request.
    """

    model: str
    capabilities: Capabilities = Capabilities()
    quirks: frozenset[str] = frozenset()
    adds: dict[str, Any] = {}


class Reader(Protocol):
    """Reads one streamed answer."""

    def feed(self, frame: bytes) -> list[Event]:
        """Events of one whole frame; none for comments and for what is unknown and harmless.

        Raises:
            UpstreamError: the frame is an error of the provider, by meaning, or cannot be read (``BadAnswer``).
        """

    def finish(self) -> list[Event]:
        """The stream is over.

        Raises:
            BadAnswer: before its time.
        """


class Writer(Protocol):
    """Writes one streamed answer."""

    def feed(self, events: list[Event]) -> bytes:
        """The bytes of these events; ``End`` gives what ends the stream in this dialect."""


class Frames(Protocol):
    """Cuts a stream into frames. ``proxy.wire.sse.Splitter`` is one."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Frames that ``chunk`` has completed."""

    def finish(self) -> list[bytes]:
        """What is left at the end."""


class Dialect(ABC):
    """One wire format. Stateless; one object per process, in ``proxy.dialects.table.DIALECTS``."""

    name: ClassVar[str]
    # Whose signatures its providers make and understand; "" if they sign nothing.
    signs: ClassVar[str] = ""
    # How a complete event stream of this format ends, for streams that pass untouched.
    ends: ClassVar[tuple[End, ...]] = ()
    # Members of Chat that the format has no word for.
    lacks: ClassVar[frozenset[str]] = frozenset()
    # Whether a provider that speaks it can be asked for the number of tokens, by the methods that end the class.
    counts: ClassVar[bool] = False
    stream_type: ClassVar[bytes] = b"text/event-stream; charset=utf-8"

    def is_ours(self, body: bytes) -> bool:
        """Whether a request goes on from an answer that no provider would understand: it must be written anew, even
        for one that speaks this dialect. By its looks: a needless translation does no harm."""
        return _SEALED in body and _SEALED_BY.search(body) is not None

    @abstractmethod
    def read_request(self, body: bytes, model: str = "", stream: bool = False) -> Chat:
        """``body`` as the neutral form; ``model`` and ``stream`` where they stand in the path.

        Raises:
            BadRequest: with ``param`` naming the member that is wrong (``messages[0].content[1].type``).
        """

    def read_count_request(self, body: bytes, model: str = "") -> Chat:
        """The question for the number of input tokens; where it has the form of a request, that is what it is."""
        return self.read_request(body, model)

    @abstractmethod
    def write_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        """The body to send. ``chat`` has been fitted to the target and is not changed; further losses are noted.

        Raises:
            BadRequest: ``chat`` cannot be said at all in this format (a tool result without its call …).
        """

    @abstractmethod
    def read_answer(self, body: bytes) -> Completion:
        """A provider's whole answer.

        Raises:
            UpstreamError: it cannot be read (``BadAnswer``), or is an error under status 200.
        """

    @abstractmethod
    def write_answer(self, completion: Completion, chat: Chat) -> bytes:
        """The answer for a client that asked ``chat`` in this dialect."""

    @abstractmethod
    def reader(self) -> Reader:
        """For one streamed answer of a provider."""

    @abstractmethod
    def writer(self, chat: Chat) -> Writer:
        """For one streamed answer to a client that asked ``chat`` in this dialect."""

    def frames(self) -> Frames:
        """What cuts this format's streams."""
        return Splitter()

    def write_count(self, tokens: int) -> bytes:
        """The answer to a question for the number of input tokens, where the dialect has one."""
        raise NotImplementedError

    def read_count(self, body: bytes) -> int:
        """Input tokens as a provider counted them.

        Raises:
            BadAnswer: there is no such number in it.
        """
        raise NotImplementedError

    def write_count_request(self, chat: Chat, aim: Aim, losses: Losses) -> bytes:
        """The body that asks for the number of input tokens."""
        raise NotImplementedError


def counted(number: float | None) -> int:
    """What a provider counted: whole, not negative, and not beyond belief; nothing is 0."""
    return 0 if number is None else int(max(0, min(number, MAX_COUNT)))


def tells(value: Any, type_: type[T]) -> T | None:
    """What a provider tells beside its answer, as ``type_``. None where it is nothing of that shape: an answer is not
    lost over it, and what it cost is counted instead."""
    if value is None:
        return None
    try:
        return msgspec.convert(value, type_, strict=False)
    except msgspec.ValidationError:
        return None


def json_headers(dialect: Dialect, stream: bool) -> list[Header]:
    """What an answer of ours in this dialect says about itself."""
    return [(b"content-type", dialect.stream_type if stream else b"application/json")]


def decode(body: bytes, type_: type[T]) -> T:
    """A provider's JSON (never a client's) as ``type_``.

    Raises:
        BadAnswer: it is not JSON, or not of that shape.
    """
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer(f"the provider's answer cannot be read: {error}") from error
