"""What earlier answers left behind: conversations of the Responses API, and proofs of thought that clients lose.

A conversation is kept under the id of its answer, for whoever asked it and for nobody else. So a request can go on
from it whatever the provider was, and the answer can be fetched and deleted like one that OpenAI stores.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.chat import Chat, Completion, Foreign, Message, Part, Reasoning, ToolCall
from proxy.dialects.openai_responses import ids
from proxy.dialects.openai_responses.items import Items
from proxy.dialects.openai_responses.listing import list_items
from proxy.dialects.openai_responses.wire import NAME as RESPONSES
from proxy.dialects.openai_responses.wire import Answer
from proxy.dialects.reading import Again
from proxy.errors import BadRequest
from proxy.store import Store

PREFIX = ids.PREFIX
LIFETIME = 86400.0  # seconds
new_id = ids.new_id

_ENCODER = msgspec.msgpack.Encoder()


class _Kept(msgspec.Struct, array_like=True):
    """A conversation up to and with one answer, and that answer as it was told."""

    messages: list[Message]
    body: bytes


class _Proof(msgspec.Struct, array_like=True):
    """What stood before one call of a tool, and its own signature."""

    name: str
    thoughts: list[Reasoning]
    signature: str | None
    origin: str


_KEPT = msgspec.msgpack.Decoder(_Kept)
_PROOF = msgspec.msgpack.Decoder(_Proof)
_ANSWER = msgspec.json.Decoder(Answer)


class Conversations:
    """Keeps conversations and proofs in ``store``, for ``lifetime`` seconds each.

    A ``scope`` says whose they are; what belongs to another scope does not exist.
    """

    __slots__ = ("_lifetime", "_store")

    def __init__(self, store: Store, lifetime: float = LIFETIME) -> None:
        self._store = store
        self._lifetime = lifetime

    def owns(self, response: str) -> bool:
        """Whether an answer with this id could have been kept here."""
        return ids.is_own(response)

    async def keep(self, scope: str, response: str, chat: Chat, completion: Completion, body: bytes) -> None:
        """Keep what was asked and answered, unless the caller forbade it. ``body``: the answer as it was told."""
        if chat.store is False or not completion.choices:
            return
        asked = chat.messages[1:] if chat.instructed else chat.messages
        messages = [*asked, Message("assistant", completion.choices[0].parts)]
        value = _packed(_Kept(messages, body))
        if value is not None:
            await self._store.put(_key(scope, response), value, self._lifetime)

    async def expand(self, scope: str, chat: Chat) -> Chat:
        """``chat`` with the conversation before it that it goes on from, and with what it refers to in place of the
        references; the same object if it does neither.

        Raises:
            BadRequest: that conversation, or that item, is not kept here, or no longer; or nothing here can answer
                in the background.
        """
        if chat.extra.get("background"):
            what = "This model answers only while the caller waits. Leave `background` out, or ask for a stream."
            raise BadRequest(what, code="unsupported_parameter", param="background")
        messages = chat.messages
        if any(type(part) is Foreign and _refers(part) for message in messages for part in message.parts):
            messages = [await self._resolved(scope, message) for message in messages]
        if chat.previous is None:
            return chat if messages is chat.messages else replace(chat, messages=messages)
        kept = await self._find(scope, chat.previous)
        if kept is None:
            what = f"Previous response with id {chat.previous[:100]!r} not found."
            raise BadRequest(what, code="previous_response_not_found", param="previous_response_id")
        head = 1 if chat.instructed else 0
        messages = [*messages[:head], *kept.messages, *messages[head:]]
        return replace(chat, messages=messages, previous=None, continued=chat.previous)

    async def get(self, scope: str, response: str) -> bytes | None:
        """The answer as it was told."""
        kept = await self._find(scope, response)
        return None if kept is None else kept.body

    async def delete(self, scope: str, response: str) -> bool:
        """Forget an answer and what led to it; whether it was there."""
        return self.owns(response) and await self._store.delete(_key(scope, response))

    async def items(
        self, scope: str, response: str, *, after: str | None = None, limit: int = 20, newest_first: bool = True
    ) -> bytes | None:
        """One page of what led to an answer.

        Raises:
            BadRequest: there is no item called ``after``.
        """
        kept = await self._find(scope, response)
        if kept is None:
            return None
        token = ids.item_token(response)
        page = list_items(kept.messages[:-1], token, after=after, limit=limit, newest_first=newest_first)
        if page is None:
            raise BadRequest(f"`after`: there is no item {str(after)[:100]!r}.", code="invalid_request", param="after")
        return page

    async def remember(self, scope: str, completion: Completion) -> None:
        """Keep the proofs of thought of an answer that calls tools, for a client whose format has no place for them."""
        for choice in completion.choices:
            thoughts: list[Reasoning] = []
            for part in choice.parts:
                if isinstance(part, Reasoning) and (part.signature or part.redacted):
                    thoughts.append(part)
                elif isinstance(part, ToolCall):
                    await self._remember_call(scope, part, thoughts)
                    thoughts = []

    async def remind(self, scope: str, chat: Chat) -> Chat:
        """``chat`` with the proofs that its client lost; the same object if there are none."""
        messages: list[Message] | None = None
        for at, message in enumerate(chat.messages):
            if message.role != "assistant":
                continue
            parts = await self._reminded(scope, message.parts)
            if parts is not None:
                messages = list(chat.messages) if messages is None else messages
                messages[at] = Message(message.role, parts, message.name)
        return chat if messages is None else replace(chat, messages=messages)

    async def _find(self, scope: str, response: str) -> _Kept | None:
        if not self.owns(response):
            return None
        value = await self._store.get(_key(scope, response))
        return None if value is None else _KEPT.decode(value)

    async def _resolved(self, scope: str, message: Message) -> Message:
        """A message with the items to which it refers."""
        parts: list[Part] = []
        for part in message.parts:
            if isinstance(part, Foreign) and _refers(part):
                parts += await self._referred(scope, str(part.value["id"]))
            else:
                parts.append(part)
        return replace(message, parts=parts)

    async def _referred(self, scope: str, item: str) -> list[Part]:
        """The parts of an item of an earlier answer."""
        place = ids.place_of(item)
        body = None if place is None else await self.get(scope, place.response)
        output = _ANSWER.decode(body).output if body is not None else None
        if place is None or body is None or output is None or place.at >= len(output):
            what = f"Item with id {item[:100]!r} not found. Send the item itself in place of a reference to it."
            raise BadRequest(what, code="item_not_found", param="input")
        items = Items(Again(body), {}, "output")
        items.add(output[place.at], place.at)
        return items.messages[0].parts if items.messages else []

    async def _remember_call(self, scope: str, call: ToolCall, thoughts: list[Reasoning]) -> None:
        if not thoughts and not call.signature:
            return
        value = _packed(_Proof(call.name, thoughts, call.signature, call.origin))
        if value is not None:
            await self._store.put(_call_key(scope, call.id), value, self._lifetime)

    async def _reminded(self, scope: str, parts: list[Part]) -> list[Part] | None:
        """The parts with what stood before their calls; None where nothing is missing, or nothing is known."""
        if not any(type(part) is ToolCall for part in parts) or any(type(part) is Reasoning for part in parts):
            return None
        whole: list[Part] = []
        found = False
        for part in parts:
            if isinstance(part, ToolCall) and part.signature is None:
                proof = await self._proof(scope, part)
                if proof is not None:
                    found = True
                    whole += proof.thoughts
                    if proof.signature:
                        part = replace(part, signature=proof.signature, origin=proof.origin)
            whole.append(part)
        return _thoughts_first(whole) if found else None

    async def _proof(self, scope: str, call: ToolCall) -> _Proof | None:
        value = await self._store.get(_call_key(scope, call.id))
        proof = None if value is None else _PROOF.decode(value)
        # Some providers number their calls: another call may have had the same id.
        return proof if proof is not None and proof.name == call.name else None


def _thoughts_first(parts: list[Part]) -> list[Part]:
    """A text before the first call came after the thoughts: so clients of this format write it."""
    first = next(at for at, part in enumerate(parts) if isinstance(part, ToolCall))
    head = parts[:first]
    thoughts: list[Part] = [part for part in head if isinstance(part, Reasoning)]
    return [*thoughts, *(part for part in head if not isinstance(part, Reasoning)), *parts[first:]]


def _refers(part: Foreign) -> bool:
    return part.origin == RESPONSES and isinstance(part.value, dict) and part.value.get("type") == "item_reference"


def _packed(value: Any) -> bytes | None:
    """None for what cannot be packed: a number beyond 64 bits in something foreign. That is forgotten."""
    try:
        return _ENCODER.encode(value)
    except OverflowError:
        return None


def _key(scope: str, response: str) -> str:
    return f"response\0{scope}\0{response}"


def _call_key(scope: str, call: str) -> str:
    digest = hashlib.blake2b(call.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"call\0{scope}\0{digest}"
