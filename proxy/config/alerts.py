"""Whether what the file says about alerts fits together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from proxy.config.check import is_loopback
from proxy.config.document import Report


def check_alerts(value: dict[str, Any], report: Report, read_secret: Callable[[str], bytes]) -> None:
    """Report a receiver that could not be reached, or only in the open, and a secret that nothing could be signed
    with."""
    alerts = value.get("alerts")
    if not isinstance(alerts, dict):
        return
    if "url" in alerts and report.sound(("alerts", "url")) and (problem := _wrong(str(alerts["url"]))):
        report.problem(("alerts", "url"), problem)
    if "secret" not in alerts or not report.sound(("alerts", "secret")):
        return
    try:
        read_secret(str(alerts["secret"]))
    except ValueError as error:
        report.problem(("alerts", "secret"), str(error))


def _wrong(address: str) -> str:
    """Why alerts cannot be sent there, "" if they can."""
    try:
        url = urlsplit(address)
        host, usable = url.hostname or "", bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        return "this is no address that an alert could be sent to"
    if url.username is not None or url.password is not None:
        return "an address holds no user or password here; messages are signed with `secret`"
    if url.scheme == "http" and not is_loopback(f"{host}:0"):
        return "alerts would cross the network in the open; use https://"
    return ""
