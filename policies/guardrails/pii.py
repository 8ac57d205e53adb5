"""Personal data: kept from providers and from whoever reads an answer, or lent out under another name."""

from __future__ import annotations

from secrets import token_hex
from typing import ClassVar

from policies.guardrails._helpers import Guard, GuardConfig, Seen
from policies.guardrails._masks import Masks, MaskScanner
from policies.guardrails._personal import KINDS, PERSONAL
from policies.guardrails._stream import RESTORE
from proxy.exchange import Exchange
from proxy.guarding.action import Action, Actions, Found, label
from proxy.guarding.carriers import Carrier
from proxy.guarding.scanner import Patterns, Scanner, Several
from proxy.guarding.vocabulary import Vocabulary
from proxy.policy import CompileContext

_MASKS = MaskScanner()
# Members that refer to earlier requests, whose masks the provider still sees.
_EARLIER = (b'"previous_response_id"', b'"conversation"')


class PiiConfig(GuardConfig, frozen=True):
    """``find``: kinds that are looked for; empty for all. ``names``: of people, that are found as ``name``."""

    action: Action = "redact"
    find: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class Pii(Guard):
    """Finds personal data by its form, and where there is one by its checksum.

    With ``mask_and_restore`` a provider sees ``[EMAIL_1]``, and the caller what that stands for: also in arguments of
    tools, and however an answer is cut. What stands for what is known to that one request, and forgotten after it.
    """

    __slots__ = ("_restores", "_restoring")

    name: ClassVar[str] = "pii"
    Config = PiiConfig

    def __init__(self, config: PiiConfig, scanner: Scanner, context: CompileContext) -> None:
        super().__init__(config, scanner, context)
        self._restores = "mask_and_restore" in self._actions.used
        self._actions = Actions(config.action, {**config.entities, RESTORE: "mask_and_restore"})
        self._restoring = Several([scanner, _MASKS]) if "output" in self._on else _MASKS

    @classmethod
    def scanner(cls, config: PiiConfig, context: CompileContext) -> Scanner:
        wanted = config.find or KINDS
        for at, kind in enumerate(config.find):
            if kind not in KINDS:
                context.fail(f"there is no kind {kind!r}; there are {', '.join(KINDS)}", f"find[{at}]")
        found: list[Scanner] = [Patterns([pattern for pattern in PERSONAL if pattern.entity in wanted])]
        if config.names:
            found.append(Vocabulary({"name": config.names}))
        return found[0] if len(found) == 1 else Several(found)

    def prepare(self, x: Exchange, told: list[Carrier]) -> None:
        if self._restores:
            seen: Seen = x.state[self._slot]
            goes_on = any(name in x.body for name in _EARLIER)
            seen.masks = Masks((carrier.text for carrier in told), token_hex(3).upper() if goes_on else "")

    def put(self, x: Exchange, found: Found, text: str) -> str:
        seen: Seen = x.state[self._slot]
        if found.action == "mask_and_restore" and seen.masks is not None:
            return str(seen.masks.mask(found.span.entity, text))
        return label(found.span.entity)

    def put_back(self, x: Exchange, found: Found, text: str) -> str:
        if found.span.entity != RESTORE:
            return label(found.span.entity)
        seen: Seen = x.state[self._slot]
        return str(seen.masks.texts.get(text, text))

    def heard(self, x: Exchange) -> Scanner | None:
        seen: Seen = x.state[self._slot]
        return super().heard(x) if seen.masks is None else self._restoring
