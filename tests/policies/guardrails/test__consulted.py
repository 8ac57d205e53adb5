"""Guards that ask: what is replaced, what makes no sense. What they do with answers is in ``tests/e2e``."""

from __future__ import annotations

import pytest

from policies.guardrails._consulted import Finding, Said, Span, _rewritten, _said, check
from proxy.chat import Choice, Completion, Reasoning, Refusal, Text, ToolCall
from proxy.guarding.service import ServiceFailed

TEXTS = [Said("a", "user", "I am Ada"), Said("b", "user", "Tschüß 😀!")]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([Span(0, 5, 8, "NAME")], {0: "I am [NAME]"}),
        ([Span(1, 7, 8), Span(0, 0, 1)], {0: "[REDACTED] am Ada", 1: "Tschüß [REDACTED]!"}),
        ([Span(0, 5, 8, "NAME"), Span(0, 2, 4, "VERB")], {0: "I [VERB] [NAME]"}),
        ([Span(0, 0, 4, "A"), Span(0, 2, 8, "B")], {0: "[A]"}),
        ([Span(0, 0, 8, "A"), Span(0, 2, 4, "B")], {0: "[A]"}),
    ],
)
def test_spans_are_replaced(spans: list[Span], expected: dict[int, str]) -> None:
    """In characters; of those that overlap nothing is left."""
    assert _rewritten([one.text for one in TEXTS], tuple(spans)) == expected


@pytest.mark.parametrize(
    "finding",
    [
        Finding("redact"),
        Finding("pass", spans=(Span(0, 0, 1),)),
        Finding("block", spans=(Span(0, 0, 1),)),
        Finding("redact", spans=(Span(2, 0, 1),)),
        Finding("redact", spans=(Span(-1, 0, 1),)),
        Finding("redact", spans=(Span(0, 1, 1),)),
        Finding("redact", spans=(Span(0, -1, 1),)),
        Finding("redact", spans=(Span(0, 0, 9),)),
    ],
)
def test_what_makes_no_sense_is_a_failure(finding: Finding) -> None:
    with pytest.raises(ServiceFailed):
        check(finding, TEXTS)


def test_every_text_of_an_answer() -> None:
    call = ToolCall(id="1", name="f", arguments="{}")
    parts = [Reasoning(text="Hm."), Text("Hi"), call, Refusal("No")]
    found = _said(Completion(id="", model="", choices=[Choice(parts=parts, index=2)]))  # type: ignore[arg-type]
    assert [(one.path, one.text) for one, _, _ in found] == [
        ("choices[2].parts[0]", "Hm."),
        ("choices[2].parts[1]", "Hi"),
        ("choices[2].parts[2].name", "f"),
        ("choices[2].parts[2].arguments", "{}"),
        ("choices[2].parts[3]", "No"),
    ]
