"""Keys, tokens and passwords that are not to leave the house, nor to come out of a model."""

from __future__ import annotations

from typing import ClassVar

from policies.guardrails._helpers import GuardConfig
from policies.guardrails._masks import Masking
from policies.guardrails._secrets import KINDS, SECRETS
from proxy.guarding.scanner import Patterns, Scanner
from proxy.policy import CompileContext


class SecretsConfig(GuardConfig, frozen=True):
    """``find``: kinds that are looked for; empty for all. ``threshold``: how sure a form must be to be looked for."""

    find: tuple[str, ...] = ()
    threshold: float = 0.0


class Secrets(Masking):
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
        sure = [one for one in SECRETS if one.entity in wanted and one.score >= config.threshold]
        if config.threshold and not sure:
            context.fail("nothing that is looked for is ever as sure as that", "threshold")
        return Patterns(sure)
