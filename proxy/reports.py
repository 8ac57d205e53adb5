"""What nodes and policies tell beside the request that they served: to whoever keeps log and metrics, if anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NAME = "reports"  # under which it is shared

Listener = Callable[[str, dict[str, Any]], None]


class Reports:
    """One per process. Events have a name (``mirror.compared``) and plain fields, none of them a caller's text."""

    __slots__ = ("listener",)

    def __init__(self) -> None:
        self.listener: Listener | None = None

    def tell(self, event: str, **fields: Any) -> None:
        """Something has happened."""
        if self.listener is not None:
            self.listener(event, fields)
