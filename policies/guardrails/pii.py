"""Personal data: kept from providers and from whoever reads an answer, or lent out under another name."""

from __future__ import annotations

from typing import ClassVar

from policies.guardrails._helpers import GuardConfig
from policies.guardrails._masks import Masking
from policies.guardrails._personal import KINDS, PERSONAL
from proxy.guarding.action import Action
from proxy.guarding.scanner import Patterns, Scanner, Several
from proxy.guarding.vocabulary import Vocabulary
from proxy.policy import CompileContext


class PiiConfig(GuardConfig, frozen=True):
    """``find``: kinds that are looked for; empty for all. ``names``: of people, that are found as ``name``.
    ``threshold``: how sure a form must be to be looked for."""

    action: Action = "redact"
    find: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    threshold: float = 0.0


class Pii(Masking):
    """Finds personal data by its form, and where there is one by its checksum."""

    __slots__ = ()

    name: ClassVar[str] = "pii"
    Config = PiiConfig

    @classmethod
    def scanner(cls, config: PiiConfig, context: CompileContext) -> Scanner:
        wanted = config.find or KINDS
        for at, kind in enumerate(config.find):
            if kind not in KINDS:
                context.fail(f"there is no kind {kind!r}; there are {', '.join(KINDS)}", f"find[{at}]")
        sure = [one for one in PERSONAL if one.entity in wanted and one.score >= config.threshold]
        if config.threshold and not sure:
            context.fail("nothing that is looked for is ever as sure as that", "threshold")
        found: list[Scanner] = [Patterns(sure)]
        if config.names:
            found.append(Vocabulary({"name": config.names}))
        return found[0] if len(found) == 1 else Several(found)
