"""The guarantees of settings, secrets and reloads that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

_GOLDEN = "tests/golden/test_config.py"

SETTINGS: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "CFG-01",
        "unknown keys pass",
        "schemas/gateway.json",
        '  "additionalProperties": false,\n  "properties": {\n    "listen"',
        '  "additionalProperties": true,\n  "properties": {\n    "listen"',
        _GOLDEN,
    ),
    (
        "CFG-01",
        "zero weights pass",
        "proxy/config/targets.py",
        'report.problem(at, "every weight is 0',
        'report.notice(at, "every weight is 0',
        _GOLDEN,
    ),
    (
        "SEC-03",
        "secrets show themselves",
        "proxy/units.py",
        '        return "***"\n\n    def __format__',
        "        return self.reveal()\n\n    def __format__",
        "tests/proxy/test_units.py tests/faults/test_secrets.py",
    ),
    (
        "SEC-03",
        "a condition looks at headers with secrets",
        "proxy/expression/values.py",
        "    if _SECRET.search(name):",
        "    if False:",
        "tests/proxy/expression/test_values.py",
    ),
    (
        "REL-01",
        "an answer names another generation than the one that made it",
        "proxy/app.py",
        "        x.generation = runtime.generation\n",
        "        x.generation = runtime.generation + 1\n",
        "tests/e2e/test_reload.py tests/proxy/test_app.py",
    ),
    (
        "REL-02",
        "a bad file ends the watching",
        "proxy/reload.py",
        "                    await self._refuse(found)\n",
        "                    await self._refuse(found)\n                    raise asyncio.CancelledError\n",
        "tests/e2e/test_reload.py tests/e2e/test_reload_files.py",
    ),
    (
        "REL-03",
        "changes of content are not seen",
        "proxy/reload.py",
        "    return _contents(now) != _contents(seen)",
        "    return seen is None",
        "tests/e2e/test_reload_files.py tests/proxy/test_reload.py",
    ),
    (
        "REL-05",
        "old generations keep what they held",
        "proxy/reload.py",
        "        old.release()\n",
        "",
        "tests/e2e/test_reload.py tests/proxy/test_reload.py",
    ),
    (
        "REL-06",
        "streams get no last word",
        "proxy/stream.py",
        "        if DRAINING not in cancelled.args:",
        "        if True:",
        "tests/e2e/test_drain.py tests/proxy/test_stream.py",
    ),
)
