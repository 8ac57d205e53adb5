"""What stands for something while a provider has a request, and what it stands for. Known to that request alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from secrets import token_hex

from policies.guardrails._helpers import Guard, GuardConfig, Seen
from policies.guardrails._stream import RESTORE
from proxy.exchange import Exchange
from proxy.guarding.action import Actions, Found, label
from proxy.guarding.carriers import Carrier
from proxy.guarding.scanner import Pattern, Patterns, Scanner, Several, Span
from proxy.policy import CompileContext

_MASK = re.compile(r"\[[A-Z][A-Z0-9_]*_[1-9][0-9]*\]")
MAX_MASKS = 10_000  # of one request
# Members that refer to earlier requests, whose masks the provider still sees.
_EARLIER = (b'"previous_response_id"', b'"conversation"')


class Masks:
    """The masks of one request. A text has one, however often it is there; no mask is one that its caller wrote.

    ``tag``: letters in each, for a request that goes on from others whose texts are not in it: their masks are others.
    """

    __slots__ = ("_by_text", "_numbers", "_tag", "_taken", "texts")

    def __init__(self, texts: Iterable[str], tag: str = "") -> None:
        self._tag = f"{tag}_" if tag else ""
        self._taken = {mask for text in texts if "[" in text for mask in _MASK.findall(text)}
        self._by_text: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, int] = {}
        self.texts: dict[str, str] = {}  # mask → what it stands for

    def mask(self, entity: str, text: str) -> str:
        """What stands for ``text``: ``[EMAIL_1]``.

        Raises:
            ValueError: there are too many.
        """
        found = self._by_text.get((entity, text))
        if found is not None:
            return found
        if len(self.texts) >= MAX_MASKS:
            raise ValueError(f"more than {MAX_MASKS} masks")
        mask = ""
        while not mask or mask in self._taken:
            number = self._numbers[entity] = self._numbers.get(entity, 0) + 1
            mask = f"[{entity.upper()}_{self._tag}{number}]"
        self._by_text[entity, text] = mask
        self.texts[mask] = text
        return mask


class MaskScanner:
    """Finds what looks like a mask."""

    __slots__ = ("_patterns", "entities")

    def __init__(self) -> None:
        self._patterns = Patterns([Pattern(RESTORE, r"\[[A-Z][A-Z0-9_]*_[1-9][0-9]{0,5}\]", None, 2.0)])
        self.entities = (RESTORE,)

    def scan(self, text: str, start: int = 0) -> list[Span]:
        """See ``proxy.guarding.scanner.Scanner``."""
        return self._patterns.scan(text, start) if "]" in text else []

    def pending(self, text: str, start: int = 0) -> int:
        """See ``proxy.guarding.scanner.Scanner``."""
        return self._patterns.pending(text, start) if "[" in text else len(text)


_MASKS = MaskScanner()


class Masking(Guard):
    """A guard whose action may be ``mask_and_restore``.

    A provider sees ``[EMAIL_1]``, and the caller what that stands for: also in arguments of tools, and however an
    answer is cut. What stands for what is known to that one request, and forgotten after it.
    """

    __slots__ = ("_restores", "_restoring")

    def __init__(self, config: GuardConfig, scanner: Scanner, context: CompileContext) -> None:
        super().__init__(config, scanner, context)
        self._restores = "mask_and_restore" in self._actions.used
        self._actions = Actions(config.action, {**config.entities, RESTORE: "mask_and_restore"})
        self._restoring: Scanner = Several([scanner, _MASKS]) if "output" in self._on else _MASKS

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
