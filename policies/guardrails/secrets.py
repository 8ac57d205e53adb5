"""Keys, tokens and passwords that are not to leave the house, nor to come out of a model."""

from __future__ import annotations

from typing import ClassVar

from policies.guardrails._helpers import Guard, GuardConfig
from policies.guardrails._secrets import KINDS, SECRETS
from proxy.guarding.scanner import Patterns, Scanner
from proxy.policy import CompileContext


class SecretsConfig(GuardConfig, frozen=True):
    """``find``: kinds that are looked for; empty for all."""

    find: tuple[str, ...] = ()


class Secrets(Guard):
    """Finds secrets by the forms that services give them, by their checksums, and by what is said of them."""

    __slots__ = ()

    name: ClassVar[str] = "secrets"
    Config = SecretsConfig

    @classmethod
    def scanner(cls, config: SecretsConfig, context: CompileContext) -> Scanner:
        for at, kind in enumerate(config.find):
            if kind not in KINDS:
                context.fail(f"there is no kind {kind!r}; there are {', '.join(KINDS)}", f"find[{at}]")
        wanted = config.find or KINDS
        return Patterns([pattern for pattern in SECRETS if pattern.entity in wanted])
