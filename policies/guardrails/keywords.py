"""Words and topics that may not be said, or beside which nothing may."""

from __future__ import annotations

from typing import ClassVar

from policies.guardrails._helpers import GuardConfig
from policies.guardrails._masks import Masking
from proxy.guarding.scanner import Scanner
from proxy.guarding.vocabulary import Vocabulary
from proxy.policy import CompileContext


class KeywordsConfig(GuardConfig, frozen=True):
    """``deny``: topic → words and phrases of it."""

    deny: dict[str, tuple[str, ...]] = {}


class Keywords(Masking):
    """Finds words and phrases, whatever their case, and only as whole words."""

    __slots__ = ()

    name: ClassVar[str] = "keywords"
    Config = KeywordsConfig

    @classmethod
    def scanner(cls, config: KeywordsConfig, context: CompileContext) -> Scanner:
        for topic, words in config.deny.items():
            for at, word in enumerate(words):
                if not word.strip():
                    context.fail("an empty word is everywhere", f"deny.{topic}[{at}]")
        return Vocabulary(config.deny)
