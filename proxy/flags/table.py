"""The flags of one generation: where each stands in the file, and what is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from proxy.flags.flag import DEFAULT, Flags


class Place(msgspec.Struct, frozen=True):
    """One place of the file that has a flag. ``what``: the policy, or the leaves of the target; ``enabled`` and
    ``rollout`` as they are written there."""

    route: str
    path: str
    what: str
    enabled: bool | str
    rollout: str | None


class Table:
    """Filled while compiling, and not changed any more."""

    def __init__(self, flags: Flags | None = None) -> None:
        self._flags = flags or Flags()
        self._places: dict[str, list[Place]] = {}

    def add(self, name: str, place: Place) -> None:
        """A place of the file has that flag."""
        places = self._places.setdefault(name, [])
        if place not in places:
            places.append(place)

    @property
    def places(self) -> Mapping[str, Sequence[Place]]:
        """By name, in the order of the file."""
        return self._places

    @property
    def settings(self) -> Mapping[str, str]:
        """What is set, by name: also for flags that the file does not have now."""
        return {name: setting.text for name, setting in self._flags.settings.items()}

    def value(self, name: str) -> str:
        """What is set for that name, ``default`` if nothing is."""
        return self.settings.get(name, DEFAULT)
