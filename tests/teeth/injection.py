"""The guarantees of the guard against attacks on the model that are taken away; the columns are those of a ``Cut``."""

from __future__ import annotations

_INTENT = "tests/proxy/guarding/test_intent.py"
_POLICY = "tests/policies/guardrails/test_injection.py"

INJECTION: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "GRD-02",
        "texts are judged as they are, in one view",
        "proxy/guarding/intent.py",
        "    for view in views(text):",
        '    for view in (View("text", text.lower()),):',
        _INTENT,
    ),
    (
        "GRD-02",
        "look-alike letters stay what they are",
        "proxy/guarding/normalise.py",
        "    if character in _LOOK_ALIKES:",
        "    if False:",
        _INTENT,
    ),
    (
        "GRD-02",
        "talk about attacks is taken for attacks",
        "proxy/guarding/intent.py",
        "        return quoted and not",
        "        return False and not",
        _INTENT,
    ),
    (
        "GRD-02",
        "what is said in pieces is judged in pieces",
        "policies/guardrails/injection.py",
        "        for text in seams([carrier.text for carrier in said]):",
        "        for text in ():",
        _POLICY,
    ),
    (
        "GRD-02",
        "results of tools are trusted like users",
        "policies/guardrails/injection.py",
        'frozenset({"tool_result", "tool_definition"})',
        "frozenset()",
        _POLICY,
    ),
    (
        "BAD-08",
        "comments without an end are looked for again and again",
        "proxy/guarding/normalise.py",
        "    parts, at = [], 0\n",
        '    return re.sub(r"(?s)<!--.*?-->", "", text)\n    parts, at = [], 0\n',
        _INTENT,
    ),
    (
        "GRD-04",
        "a second opinion that is none is taken for a good one",
        "policies/guardrails/injection.py",
        'return None if words == ["HARMLESS"] else self',
        "return None if said is not None else self",
        _POLICY,
    ),
    (
        "GRD-05",
        "the canary is put, and nobody looks for it",
        "policies/guardrails/injection.py",
        "return self._scanner if seen is not None and seen.masks else None",
        "return None",
        _POLICY,
    ),
    (
        "GRD-02",
        "patterns of the file are looked for in the text as it stands alone",
        "policies/guardrails/injection.py",
        'in (("", text), *((view.way, view.text) for view in views(text))):',
        'in (("", text),):',
        _POLICY,
    ),
)
