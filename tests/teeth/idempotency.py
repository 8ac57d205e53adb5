"""The guarantees of idempotency keys that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

IDEMPOTENCY: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "IDEM-01",
        "a claim on the disk is not atomic",
        "proxy/store/idempotency.py",
        "return None if done.rowcount == 1 else self._find(db, key)",
        "return None",
        "tests/proxy/store/test_idempotency.py",
    ),
    (
        "IDEM-01",
        "a claim in the store is not atomic",
        "proxy/store/idempotency.py",
        "px=_milliseconds(lifetime), nx=True)",
        "px=_milliseconds(lifetime))",
        "tests/proxy/store/test_idempotency.py",
    ),
    (
        "IDEM-02",
        "what a process that is gone has begun may be begun again",
        "proxy/store/idempotency.py",
        "        if boot == self.boot:\n            return True\n",
        "        return True\n",
        "tests/proxy/store/test_idempotency.py",
    ),
    (
        "IDEM-03",
        "a claim for a caller who left is never given back",
        "proxy/idempotency.py",
        "            self._start(self._take_back(asked, key, owner))\n",
        "",
        "tests/proxy/test_idempotency.py",
    ),
    (
        "IDEM-04",
        "callers share their keys",
        "policies/limits/idempotency.py",
        '"\\0".join((who.organisation, who.team, who.key)).encode()',
        'b""',
        "tests/policies/limits/test_idempotency.py",
    ),
    (
        "IDEM-05",
        "another request under a key gets the answer of the first",
        "policies/limits/idempotency.py",
        "if found.fingerprint != fingerprint:",
        "if found is None:",
        "tests/policies/limits/test_idempotency.py",
    ),
    (
        "IDEM-06",
        "failures are kept",
        "policies/limits/idempotency.py",
        "if answer.status >= 500 or answer.status == 429 or answer.socket is not None:",
        "if answer.socket is not None:",
        "tests/policies/limits/test_idempotency.py",
    ),
    (
        "IDEM-07",
        "requests pass while it is not known whether they were made before",
        "policies/limits/idempotency.py",
        '            return x.refuse(503, "idempotency_unavailable", message, headers=_SOON)\n',
        "            return None\n",
        "tests/policies/limits/test_idempotency.py",
    ),
)
