"""What belongs on a developer's machine, found elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.config.document import Report
from proxy.config.lists import Entry


def check_chaos(routes: Iterable[list[Entry]], report: Report, listen: str, *, is_local: bool) -> None:
    """Report every ``chaos`` that strangers could meet at ``listen``, and those that nobody meets. ``routes``: the
    policies of each."""
    for entries in routes:
        knows_callers = any(entry.name == "authenticate" for entry in entries)
        for entry in entries:
            settings = entry.settings
            if entry.name != "chaos" or not isinstance(settings, dict) or not report.sound(entry.path):
                continue
            if not is_local and settings.get("allow") is not True:
                message = (
                    f"this breaks answers on purpose, and other machines may reach {listen}; "
                    "listen on 127.0.0.1, or write `allow: true` here"
                )
                report.problem(entry.path, message, key=True)
            for at, fault in enumerate(settings["faults"]):
                if fault.get("keys") and not knows_callers:
                    message = "without `authenticate` no caller is known, so nobody meets this fault"
                    report.problem((*entry.path, "faults", at, "keys"), message, key=True)
