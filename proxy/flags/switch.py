"""Whether something is on for a request: what an operator has set, else what stands beside it in the file."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from proxy.exchange import Exchange
from proxy.expression.parse import Condition
from proxy.flags.flag import Flag
from proxy.flags.rollout import Rollout, is_within, salt_of, subject_of

OFF, OUTSIDE = "off: ", "not in the rollout"  # how each reason begins: what counts them knows them by that
Tell = Callable[[str, bool], None]  # label, whether it was on


class Switch:
    """Compiled from ``enabled``, ``rollout`` and ``flag`` of one place, of which ``label`` is the name.

    What is set to ``on`` or ``off`` is so for everybody. A share that is set takes the place of ``rollout`` and of a
    plain ``enabled: false``; a condition goes on to hold.
    """

    __slots__ = ("_enabled", "_flag", "_rollout", "_salt", "_tell", "label")

    def __init__(
        self,
        label: str,
        *,
        enabled: bool | Condition = True,
        rollout: Rollout | None = None,
        flag: Flag | None = None,
        tell: Tell | None = None,
    ) -> None:
        self.label = label
        self._enabled = enabled
        self._rollout = rollout or Rollout()
        self._flag = flag
        self._salt = salt_of(label)
        self._tell = tell

    def off(self, x: Exchange) -> str | None:
        """Why it is off for this request, for people; None where it is on. Noted, and told once for a request."""
        reason = self._off(x)
        note = f"flag {self.label}"
        if note not in x.notes:
            x.notes[note] = reason or "on"
            if self._tell is not None:
                self._tell(self.label, reason is None)
        return reason

    def _off(self, x: Exchange) -> str | None:
        setting = None if self._flag is None else self._flag.setting
        if setting is not None and setting.share is None:
            return None if setting.is_on else self._why
        enabled, rollout = self._enabled, self._rollout
        if isinstance(enabled, Condition):
            if not enabled.test(x):
                return f"{OFF}`{enabled.text}` does not hold"
        elif not enabled and setting is None:
            return self._why
        if setting is not None and setting.share is not None:
            rollout = msgspec.structs.replace(rollout, share=setting.share)
        if rollout.share >= 1.0:
            return None
        subject = subject_of(x, rollout.by)
        if subject is None:
            return f"{OUTSIDE} ({rollout}; the request has no {rollout.by})"
        return None if is_within(self._salt, subject, rollout.share) else f"{OUTSIDE} ({rollout})"

    @property
    def _why(self) -> str:
        return f"{OFF}`enabled: false`" if self._flag is None else f"{OFF}flag {self._flag.name}"

    @property
    def is_off_for_all(self) -> bool:
        """Whether there is no request now for which it is on. Looks at no request."""
        setting = None if self._flag is None else self._flag.setting
        if setting is not None:
            return not setting.is_on or setting.share == 0.0
        return self._enabled is False or self._rollout.share == 0.0
