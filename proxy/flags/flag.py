"""Flags by name: what operators have set while the gateway runs, which counts more than the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Self

import msgspec

from proxy.units import Percent

NAME = "flags"  # under which they are shared
DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Setting(msgspec.Struct, frozen=True):
    """``share`` of those for whom it may be on at all; None: ``is_on`` or off for everybody, whatever the file says."""

    text: str
    is_on: bool
    share: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """From ``on``, ``off`` or ``25%``; None for ``default``: as the file says.

        Raises:
            ValueError: it is none of these.
        """
        if text == DEFAULT:
            return None
        if text in ("on", "off"):
            return cls(text, text == "on")
        try:
            share = Percent.parse(text[:20])
        except ValueError as error:
            if "more than" in str(error):
                raise
            raise ValueError(f"{text[:40]!r} is none of: on, off, default, or a share such as 25%") from None
        return cls(f"{share * 100:g}%", True, float(share))


class Flag:
    """One name. ``setting``: None where it is as the file says."""

    __slots__ = ("name", "setting")

    def __init__(self, name: str, setting: Setting | None = None) -> None:
        self.name = name
        self.setting = setting


class Flags:
    """All flags of a process. It outlives reloads; what is set for a name waits for a file that has it.

    ``on_change`` is called with name and text of each setting that has changed.
    """

    __slots__ = ("_flags", "_set", "on_change")

    def __init__(self) -> None:
        self._flags: dict[str, Flag] = {}
        self._set: dict[str, Setting] = {}
        self.on_change: Callable[[str, str], None] | None = None

    def of(self, name: str) -> Flag:
        """The flag of that name, the same for all who ask."""
        found = self._flags.get(name)
        if found is None:
            found = self._flags[name] = Flag(name, self._set.get(name))
        return found

    @property
    def settings(self) -> Mapping[str, Setting]:
        """What is set, by name."""
        return self._set

    def take(self, settings: Mapping[str, Setting]) -> None:
        """From now on these count, and no others."""
        before, self._set = self._set, dict(settings)
        for name, flag in list(self._flags.items()):
            flag.setting = self._set.get(name)
        for name in sorted({*before, *self._set}):
            if before.get(name) != self._set.get(name) and self.on_change is not None:
                setting = self._set.get(name)
                self.on_change(name, DEFAULT if setting is None else setting.text)


def is_flag_name(name: str) -> bool:
    """Whether a flag may be called that."""
    return _NAME.fullmatch(name) is not None
