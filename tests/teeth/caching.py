"""The guarantees of kept answers that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

_KEY, _RULES = "proxy/caching/key.py", "policies/caching/_saving.py"
_TEST_KEY, _TEST = "tests/proxy/caching/test_key.py", "tests/policies/caching/test_cache.py"
_TEST_ROOM, _BROADCAST = "tests/proxy/caching/test_room.py", "proxy/caching/broadcast.py"

CACHING: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "CAC-01",
        "teams and keys share what each was answered",
        _KEY,
        'return [scope, who.organisation, who.team, *([who.key] if scope == "key" else [])]',
        "return [scope, who.organisation]",
        _TEST_KEY,
    ),
    (
        "CAC-01",
        "an answer of another configuration is given",
        _KEY,
        "found = [self._fingerprint, canonical(told)]",
        "found = [canonical(told)]",
        _TEST_KEY,
    ),
    (
        "CAC-02",
        "everything with status 200 is kept",
        _RULES,
        "return rules.of_chat(body)",
        "return None",
        _TEST,
    ),
    ("CAC-02", "what a guard has found is kept", _RULES, "if x.unkept:", "if False:", _TEST),
    ("CAC-02", "a stream without its end is kept", "proxy/caching/rules.py", "if not finished or", "if", _TEST),
    ("CAC-03", "case does not matter", _KEY, "return body.written", "return body.written.lower()", _TEST_KEY),
    (
        "CAC-03",
        "of a name that is there twice the last counts",
        _KEY,
        "        _check_names(body)\n    return",
        "        pass\n    return",
        _TEST_KEY,
    ),
    (
        "CAC-06",
        "who waits is told of the first failure",
        "proxy/caching/flight.py",
        "if self._failures < MAX_FAILURES:",
        "if self._failures < 1:",
        "tests/proxy/caching/test_flight.py",
    ),
    (
        "CAC-06",
        "a leader takes the stream along",
        _BROADCAST,
        "        if not self._readers:\n            self._abandon()\n",
        "        self._abandon()\n",
        "tests/proxy/caching/test_broadcast.py",
    ),
    (
        "CAC-06",
        "a stream goes on that nobody reads",
        _BROADCAST,
        "        if not self._readers:\n            self._abandon()\n",
        "",
        "tests/proxy/caching/test_broadcast.py",
    ),
    (
        "CAC-07",
        "an answer that is given again has its old id",
        "proxy/caching/replay.py",
        "    if old:\n",
        "    if not old:\n",
        "tests/proxy/caching/test_replay.py",
    ),
    (
        "CAC-07",
        "a hit goes around the other policies",
        "policies/caching/_replay.py",
        "answer.chunks = AtOnce(body) if",
        "answer.body = body; answer.chunks = AtOnce(body) if",
        _TEST,
    ),
    (
        "CAC",
        "a poisoned entry is given",
        "proxy/caching/entry.py",
        "if _digest(key, head, payload) != digest:",
        "if not digest:",
        "tests/proxy/caching/test_entry.py",
    ),
    (
        "CAC",
        "what was forgotten comes back with who had asked before",
        "proxy/caching/memory.py",
        "or self._is_outdated(found, moment)",
        "",
        _TEST,
    ),
    (
        "CAC",
        "replicas give what others have forgotten",
        "proxy/caching/room.py",
        "if entry is not None and entry.marks != moment:",
        "if entry is not None and not moment:",
        _TEST_ROOM,
    ),
    (
        "CAC",
        "an old answer leads around a limit",
        "policies/caching/cache.py",
        'if "refused_by" in x.notes or "replaced_by" in x.notes:',
        'if "replaced_by" in x.notes:',
        _TEST,
    ),
)
