"""What the semantic cache knows of one request."""

from __future__ import annotations

from hashlib import blake2b

from policies.caching._asked import Asked
from proxy.caching.control import Control
from proxy.caching.entry import Entry
from proxy.semantic.guard import Question
from proxy.semantic.memory import Found, Vector


class Alike:
    """A request whose answer may be given to others. ``partition``: what must be equal. ``near``: what was
    found, and how near it was; ``would``: what would have been served in shadow mode."""

    __slots__ = ("asked", "near", "partition", "question", "tags", "vector", "would")

    def __init__(self, control: Control, partition: bytes, question: Question, *, wants_usage: bool):
        self.partition = partition
        self.question = question
        key = blake2b(partition + question.key + question.text.encode("utf-8", "replace"), digest_size=32).digest()
        self.asked = Asked(key, control, wants_usage=wants_usage)
        self.tags: tuple[str, ...] = ()  # by which its answer may be invalidated
        self.vector: Vector | None = None
        self.near: Found | None = None
        self.would: Entry | None = None
