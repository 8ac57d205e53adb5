"""Who makes vectors of texts: a model in a directory, or one of a provider."""

from __future__ import annotations

from proxy.exchange import Exchange
from proxy.kept import aside, within
from proxy.policy import CompileContext, Target
from proxy.semantic.local import LocalModel, NoModel
from proxy.semantic.memory import Vector, unit
from proxy.semantic.record import model_of


class Embedder:
    """One of the two. ``patience`` in seconds; ``name`` is another for every other model, and ``mark`` tells it from
    others wherever they run."""

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

    @classmethod
    def compile(cls, context: CompileContext, embedder: str | None, model_dir: str | None, patience: float) -> Embedder:
        """From a policy's settings of these names, of which there must be one."""
        if (embedder is None) == (model_dir is None):
            at = "embedder" if embedder is not None else ""
            context.fail("name who makes vectors: either `embedder: provider/model`, or `model_dir`", at)
        elif embedder is not None:
            return cls(context, context.target(embedder, "embedder"), None, patience, embedder)
        elif model_dir is not None:
            path = context.file(model_dir, "model_dir")
            try:
                model = context.shared(f"model {path}", lambda: LocalModel(path))
                return cls(context, None, model, patience, str(path))
            except NoModel as error:
                context.fail(str(error), "model_dir")
        return cls(context, None, None, patience, "")

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
