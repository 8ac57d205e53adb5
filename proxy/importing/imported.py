"""What came of reading another gateway's file."""

from __future__ import annotations

from typing import Literal

import msgspec

Outcome = Literal["carried", "needless", "not carried"]


class Finding(msgspec.Struct, frozen=True):
    """One setting of the file that was read. ``needless``: nothing has to be said here for the same to happen.

    ``line`` and ``col`` count from 1; ``path`` is as in ``model_list[0].litellm_params.rpm``; ``text`` says how, or why
    not, and holds no value of a secret.
    """

    line: int
    col: int
    path: str
    outcome: Outcome
    text: str


class Imported(msgspec.Struct, frozen=True):
    """``text`` is the new file, "" if ``problems`` (sentences with their places) kept the old one from being read.
    ``variables``: names that must be in the environment."""

    text: str
    findings: tuple[Finding, ...] = ()
    variables: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    routes: int = 0

    @property
    def lost(self) -> tuple[Finding, ...]:
        """What was not carried."""
        return tuple(one for one in self.findings if one.outcome == "not carried")
