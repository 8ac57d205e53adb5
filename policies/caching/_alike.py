"""What the semantic cache knows of one request, and where it gets vectors."""

from __future__ import annotations

from hashlib import blake2b

from policies.caching._asked import Asked
from proxy.caching.control import Control
from proxy.caching.entry import Entry
from proxy.exchange import Exchange
from proxy.kept import aside, within
from proxy.policy import CompileContext, Target
from proxy.semantic.guard import Question
from proxy.semantic.local import LocalModel
from proxy.semantic.memory import Found, Vector, unit
from proxy.semantic.record import model_of


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


class Embedder:
    """A model in a directory, or one of a provider. ``patience`` in seconds. ``mark``: tells it from others, wherever
    they run."""

    __slots__ = ("_context", "_model", "_patience", "_target", "mark", "name")

    def __init__(
        self, context: CompileContext, target: Target | None, model: LocalModel | None, patience: float, name: str
    ) -> None:
        self.name = name
        self.mark = model_of(name) if model is None else model_of(name, model.digest)
        self._context = context
        self._target = target
        self._model = model
        self._patience = patience

    @property
    def is_there(self) -> bool:
        """Whether anybody can be asked: a provider may have been left out."""
        return self._model is not None or self._target is not None

    async def embed(self, x: Exchange, text: str) -> Vector | None:
        """The vector of ``text``, for ``x``; None if there is none in time."""
        if self._model is not None:
            try:
                return await within(self._patience, aside(self._model.embed, text))
            except TimeoutError:
                return None
        if self._target is None:
            return None
        found = await self._context.embed(self._target, x, text, self._patience)
        return None if found is None else unit(found)
