"""The guarantees of retries, health and pools that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

FAILURES: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "FLT-03",
        "retries have no budget",
        "proxy/attempts.py",
        "        if others >= max(rules.budget_min, rules.budget * load.waiting):",
        "        if others >= 1_000_000:",
        "tests/faults/test_retry_budget.py tests/proxy/test_attempts.py",
    ),
    (
        "FLT-03",
        "what has failed for long is asked all the same",
        "proxy/leaf.py",
        '        if barred is not None and (self._rules.enabled or barred == "drained"):',
        '        if barred == "drained":',
        "tests/faults/test_retry_budget.py tests/proxy/test_leaf.py",
    ),
    (
        "FLT-03",
        "what is ejected is not tried while there is nothing else",
        "proxy/attempts.py",
        "            x.trial = True",
        "            x.trial = False",
        "tests/faults/test_retry_budget.py tests/proxy/test_attempts.py",
    ),
    (
        "FLT-05",
        "streams that break off eject nobody",
        "proxy/health.py",
        "self._cuts_in_a_row >= rules.failures",
        "self._cuts_in_a_row >= 10**9",
        "tests/faults/test_ejection.py tests/proxy/test_health.py",
    ),
    (
        "FLT-05",
        "no other equal is asked for one that fails",
        "policies/routing/balance.py",
        "asked == _MOST_ASKED",
        "asked",
        "tests/faults/test_ejection.py tests/policies/routing/test_balance.py",
    ),
    (
        "FLT-05",
        "an ejected equal is chosen like the others",
        "policies/routing/balance.py",
        "                out.append((seat, seat.state(now)))",
        "                candidates.append(seat)",
        "tests/policies/routing/test_balance.py",
    ),
    (
        "FLT-06",
        "a whole pool is asked for each request of an outage",
        "policies/routing/balance.py",
        "_MOST_ASKED = 3 ",
        "_MOST_ASKED = 300 ",
        "tests/policies/routing/test_balance.py",
    ),
    (
        "FLT-06",
        "more than half of a pool is left out",
        "policies/routing/balance.py",
        "2 * len(ejected) >",
        "0 * len(ejected) >",
        "tests/faults/test_ejection.py tests/policies/routing/test_balance.py",
    ),
    (
        "FLT-06",
        "ejected targets are tried without measure",
        "proxy/health.py",
        "TRIAL_EVERY = 1.0 ",
        "TRIAL_EVERY = 0.0 ",
        "tests/faults/test_ejection.py",
    ),
)
