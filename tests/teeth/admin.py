"""The guarantees of ``/admin`` that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

ADMIN: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "ADM-01",
        "from elsewhere no key is needed",
        "proxy/admin/access.py",
        "    if not _is_loopback(peer):",
        "    if not peer:",
        "tests/proxy/admin/test_access.py",
    ),
    (
        "ADM-01",
        "a page in a browser may operate the gateway",
        "proxy/admin/access.py",
        'frozenset({b"origin", b"forwarded"',
        'frozenset({b"forwarded"',
        "tests/e2e/test_admin_targets.py",
    ),
    (
        "ADM-01",
        "a proxy on this machine passes anybody on",
        "proxy/admin/access.py",
        " or name.startswith(_FORWARDED)",
        "",
        "tests/e2e/test_admin_targets.py",
    ),
    (
        "ADM-01",
        "a name that was made to point here is believed",
        "proxy/admin/access.py",
        "if len(hosts) != 1 or not is_local_host(hosts[0])",
        "if len(hosts) != 1",
        "tests/e2e/test_admin_targets.py",
    ),
    (
        "ADM-01",
        "a form may write",
        "proxy/admin/access.py",
        '_media_type(headers) != b"application/json"',
        '_media_type(headers) == b"text/html"',
        "tests/e2e/test_admin_targets.py",
    ),
    (
        "ADM-01",
        "keys of the file are not asked for",
        "proxy/admin/access.py",
        "    if keys:\n",
        "    if keys and not _is_loopback(peer):\n",
        "tests/e2e/test_admin_targets.py",
    ),
    (
        "ADM-02",
        "a drained target is asked",
        "proxy/admin/targets.py",
        "health.drain(now + seconds)",
        "health.drain(now)",
        "tests/e2e/test_admin_targets.py",
    ),
    (
        "ADM-02",
        "an ejection that would do nothing is promised",
        "proxy/admin/api.py",
        'if order.action == "eject" and not asked.runtime.operators.ejects:',
        "if False:",
        "tests/proxy/admin/test_api.py",
    ),
    (
        "ADM-03",
        "a body of any length is read",
        "proxy/admin/asked.py",
        "if len(body) > MAX_BODY:",
        "if len(body) > MAX_BODY * 2**10:",
        "tests/proxy/admin/test_api.py",
    ),
)
