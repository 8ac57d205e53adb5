"""The guarantees under too much load that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

_OVERLOAD = "tests/faults/test_overload.py"
_CONTROL = "tests/proxy/admission/test_control.py"

OVERLOAD: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "LOAD-02",
        "nothing is refused, however much there is to do",
        "proxy/server/protocol.py",
        "        if gate is None:",
        "        if gate is not None:",
        _OVERLOAD,
    ),
    (
        "LOAD-02",
        "what an answer costs is forgotten when nothing is answered",
        "proxy/admission/capacity.py",
        "        if answered and self._answered >= _ENOUGH:",
        "        if self._answered:",
        "tests/proxy/admission/test_capacity.py",
    ),
    (
        "LOAD-03",
        "a burst is begun whatever its size",
        "proxy/admission/control.py",
        "        if room >= 1.0 or not self.rules.enabled:",
        "        if room >= -1e9 or not self.rules.enabled:",
        _CONTROL,
    ),
    (
        "LOAD-06",
        "all callers take from one share",
        "proxy/admission/control.py",
        "        tenant = self._shares.count(key, weight)",
        '        tenant = self._shares.count("everybody", weight)',
        f"{_CONTROL} {_OVERLOAD}",
    ),
    (
        "FLT-07",
        "an error before the first content passes as an answer",
        "proxy/translation/translated.py",
        "        if _has_content(frames.feed(chunk), reader, is_prelude):",
        "        if size > 0:",
        "tests/faults/test_fallback_chain.py",
    ),
    (
        "STR-04",
        "a stream may trickle for ever",
        "proxy/wire/flow.py",
        "        if self._rated_waited < _RATED:",
        "        if self._rated_waited < 1e9:",
        "tests/faults/test_trickling_streams.py",
    ),
)
