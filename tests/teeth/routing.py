"""The guarantees of who is asked that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

ROUTING: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "BAL-01",
        "what good answers tell of limits is dropped",
        "proxy/upstream.py",
        "    answer = await _judge_body(flow, status, headers, facts, ends, expect_json)\n    answer.told = facts.told",
        "    answer = await _judge_body(flow, status, headers, facts, ends, expect_json)",
        "tests/faults/test_ejection.py",
    ),
    (
        "BAL-02",
        "an account without a known price is the cheapest",
        "policies/routing/_helpers.py",
        "_UNPRICED = 10**18",
        "_UNPRICED = 0",
        "tests/policies/routing/test__helpers.py",
    ),
    (
        "BAL-03",
        "a target that was never seen gets every request",
        "policies/routing/_helpers.py",
        "_UNSEEN_AND_BUSY = 1e6",
        "_UNSEEN_AND_BUSY = 0.0",
        "tests/policies/routing/test__helpers.py",
    ),
    (
        "PRI-01",
        "answers of a lower tier are not marked",
        "policies/routing/priority.py",
        "x.degraded = reason or x.degraded",
        "x.notes.pop('degraded', None)",
        "tests/policies/routing/test_priority.py",
    ),
    (
        "ABLE-01",
        "a target that cannot do what is needed is asked all the same",
        "proxy/policy.py",
        "        if not lacking or len(lacking) == len(self.children):",
        "        if True:",
        "tests/e2e/test_capability_filters.py",
    ),
    (
        "ABLE-01",
        "a split sends to branches that cannot do what is needed",
        "policies/routing/split.py",
        "        if able is not self.children:",
        "        if False:",
        "tests/e2e/test_capability_filters.py",
    ),
    (
        "ABLE-02",
        "pictures and tools are not found in a request",
        "proxy/needs.py",
        "            bits |= _BITS[part.kind]",
        "            bits |= 0",
        "tests/proxy/test_needs.py",
    ),
    (
        "WHEN-01",
        "conditions are not looked at in order",
        "policies/routing/when.py",
        "            if test is None or test(x):",
        "            if test is None:",
        "tests/policies/routing/test_when.py tests/e2e/test_capability_filters.py",
    ),
    (
        "WHEN-02",
        "unreachable branches are not found",
        "policies/routing/when.py",
        "        if not possible([*self._left, condition.logic], self._known):",
        "        if False:",
        "tests/policies/routing/test_when.py",
    ),
)
