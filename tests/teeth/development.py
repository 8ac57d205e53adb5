"""The guarantees of `dev` and of cassettes that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

DEVELOPMENT: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "DEV-01",
        "it asks itself",
        "proxy/development/probing.py",
        ' or any(name.lower().startswith("x-sluicegate-") for name in answer.headers)',
        "",
        "tests/proxy/development/test_probing.py",
    ),
    (
        "DEV-02",
        "names of models may be anything",
        "proxy/development/probing.py",
        ' and name.isprintable() and not set(name) & set("*?[")',
        "",
        "tests/proxy/development/test_probing.py",
    ),
    (
        "DEV-03",
        "a file that is there is written over",
        "proxy/commands/dev.py",
        'args.write.open("w" if args.force else "x"',
        'args.write.open("w"',
        "tests/proxy/commands/test_dev.py",
    ),
    (
        "REC-01",
        "secrets stand in cassettes",
        "proxy/cassettes/recorder.py",
        "                document = document.replace(secret, STAR)\n",
        "                pass\n",
        "tests/proxy/cassettes/test_recorder.py tests/policies/development/test_record.py",
    ),
    (
        "REC-02",
        "what waits has no bound",
        "proxy/cassettes/recorder.py",
        "        if pending.size > MAX_TAKE or self._size + pending.size > MAX_PENDING:",
        "        if pending.size > MAX_TAKE:",
        "tests/proxy/cassettes/test_recorder.py",
    ),
    (
        "REC-03",
        "half of a write stays",
        "proxy/cassettes/cassette.py",
        "            os.ftruncate(file, size)\n",
        "            pass\n",
        "tests/proxy/cassettes/test_cassette.py",
    ),
)
