"""Which models a caller may use, by the route and by the organisation, team and key that the caller belongs to."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import Self

from proxy.exchange import Exchange, Reply
from proxy.policy import CompileContext, Config, Policy


class AllowModelsConfig(Config, frozen=True):
    """``models``: globs of the models that this route admits; absent: all that the caller's tenants admit."""

    models: tuple[str, ...] | None = None


@lru_cache(maxsize=4096)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{translate(glob)})" for glob in globs) or r"(?!)")


class AllowModels(Policy):
    """Admits a model when the route and every level above the key admit it.

    A request that names no model (files, batches) passes: it is the route that lets it in.
    """

    __slots__ = ("_models",)

    Config = AllowModelsConfig

    def __init__(self, models: re.Pattern[str] | None) -> None:
        self._models = models

    @classmethod
    def compile(cls, config: AllowModelsConfig, context: CompileContext) -> Self:
        return cls(None if config.models is None else _pattern(config.models))

    def on_request(self, x: Exchange) -> Reply | None:
        if not x.model or self.admits_model(x, x.model):
            return None
        return x.refuse(403, "model_not_allowed", f"The model {x.model!r} is not open to this key.", param="model")

    def admits_model(self, x: Exchange, model: str) -> bool:
        if self._models is not None and not self._models.match(model):
            return False
        if x.identity is not None:
            for level in x.identity.models:
                if not _pattern(level).match(model):
                    return False
        return True

    def explain(self, x: Exchange) -> str:
        return f"admits {x.model!r}" if x.model else "passes: the request names no model"
