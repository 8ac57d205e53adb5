"""Whether what the file says about jobs fits together."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any
from urllib.parse import urlsplit

from proxy.config.document import Report


def check_jobs(
    value: dict[str, Any], report: Report, read_secret: Callable[[str], bytes], credentials: Set[bytes]
) -> None:
    """Report webhooks that could not be signed or reached, and headers that are never kept."""
    jobs = value.get("jobs")
    if not isinstance(jobs, dict):
        return
    hooks = jobs.get("webhooks", {})
    if report.sound(("jobs", "webhooks")):
        _check_hooks(hooks, report, read_secret)
    if report.sound(("jobs", "headers")):
        for at, name in enumerate(jobs.get("headers", ())):
            if name.lower().encode() in credentials:
                report.problem(("jobs", "headers", at), "credentials are never kept; remove this header")


def _check_hooks(hooks: dict[str, Any], report: Report, read_secret: Callable[[str], bytes]) -> None:
    path = ("jobs", "webhooks")
    secret = hooks.get("secret")
    if secret is None:
        if hooks.get("allow"):
            message = "a webhook must be signed; add `secret` (`openssl rand -base64 32` makes one)"
            report.problem((*path, "allow"), message, key=True)
    else:
        try:
            read_secret(str(secret))
        except ValueError as error:
            report.problem((*path, "secret"), str(error))
        if not hooks.get("allow"):
            message = "without `allow` no webhook is sent; add the address that it may have"
            report.problem((*path, "secret"), message, key=True)
    for at, prefix in enumerate(hooks.get("allow", ())):
        if not _is_address(prefix):
            report.problem((*path, "allow", at), f"{prefix!r} is no address that a webhook could begin with")


def _is_address(prefix: str) -> bool:
    try:
        url = urlsplit(prefix)
        return bool(url.hostname) and url.port != 0 and ".." not in url.path.split("/")
    except ValueError:
        return False
