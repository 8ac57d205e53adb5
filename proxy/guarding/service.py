"""What guards ask that are not of this house: one question, one answer, within a time."""

from __future__ import annotations

from typing import Protocol


class ServiceFailed(Exception):
    """There is no answer; with a few words for operators, which hold nothing of what was asked."""


class Service(Protocol):
    """Somebody who is asked in JSON."""

    async def ask(self, identity: str, body: bytes) -> bytes:
        """The body of the answer, whose status was 200. ``identity`` names the question, for whoever checks that it
        comes once.

        Raises:
            ServiceFailed: there is none, or none in time.
        """
