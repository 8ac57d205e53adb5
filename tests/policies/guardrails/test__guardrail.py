"""What a guardrail of AWS is asked, and what its assessments amount to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from policies.guardrails._consulted import Span
from policies.guardrails._guardrail import Anonymised, Assessed, assessed, question, spans
from proxy.guarding.service import ServiceFailed
from tests.support.heard.bedrock import model as description

NOTHING = Assessed((), ())


def _answer(*assessments: Any, action: str = "GUARDRAIL_INTERVENED") -> bytes:
    usage = {"topicPolicyUnits": 1, "contentPolicyUnits": 1, "wordPolicyUnits": 0}
    return msgspec.json.encode({"usage": usage, "action": action, "outputs": [], "assessments": list(assessments)})


def _contents(action: str = "BLOCKED", **confidence: str) -> dict[str, Any]:
    filters = [{"type": name.upper(), "confidence": value, "action": action} for name, value in confidence.items()]
    return {"contentPolicy": {"filters": filters}}


def _sensitive(*entries: dict[str, str], regexes: Any = ()) -> dict[str, Any]:
    return {"sensitiveInformationPolicy": {"piiEntities": list(entries), "regexes": list(regexes)}}


def test_a_question_is_one_of_awss_own_model() -> None:
    """Every member is one that its description of the API names."""
    asked = msgspec.json.decode(question("output", ["a", "b"], full=True))
    shape = description().operation_model("ApplyGuardrail").input_shape.members
    assert asked == {
        "source": "OUTPUT",
        "content": [{"text": {"text": "a"}}, {"text": {"text": "b"}}],
        "outputScope": "FULL",
    }
    assert asked.keys() <= shape.keys()
    assert asked["source"] in shape["source"].enum
    assert asked["outputScope"] in shape["outputScope"].enum
    assert "outputScope" not in msgspec.json.decode(question("input", ["a"], full=False))


@pytest.mark.parametrize(
    ("assessment", "found"),
    [
        ({"topicPolicy": {"topics": [{"name": "Secret plan", "type": "DENY", "action": "BLOCKED"}]}}, ["topic"]),
        (_contents(violence="HIGH", prompt_attack="LOW"), ["violence", "prompt_attack"]),
        (_contents("NONE", violence="HIGH"), []),
        ({"wordPolicy": {"customWords": [{"match": "boo", "action": "BLOCKED"}], "managedWordLists": []}}, ["word"]),
        ({"wordPolicy": {"managedWordLists": [{"match": "b", "type": "PROFANITY", "action": "BLOCKED"}]}}, ["word"]),
        (_sensitive({"match": "x", "type": "PIN", "action": "BLOCKED"}), ["pin"]),
        (_sensitive(regexes=[{"name": "ours", "match": "x", "action": "BLOCKED"}]), ["regex"]),
        ({"contextualGroundingPolicy": {"filters": [
            {"type": "GROUNDING", "threshold": 0.7, "score": 0.1, "action": "BLOCKED"}]}}, ["grounding"]),
        (_contents(rudeness="HIGH"), ["other"]),
        (_sensitive({"match": "x", "type": "SOUL", "action": "BLOCKED"}), ["other"]),
        ({"automatedReasoningPolicy": {"findings": [{"invalid": {}}]}}, ["other"]),
    ],
)  # fmt: skip
def test_what_is_blocked_has_a_name_that_is_known(assessment: Any, found: list[str]) -> None:
    action = "GUARDRAIL_INTERVENED" if found else "NONE"
    assert assessed(_answer(assessment, {}, action=action), {}) == Assessed(tuple(found), ())


def test_the_file_may_say_how_sure_a_filter_must_be() -> None:
    """Whatever the guardrail does; its other filters count for nothing, and the other policies as ever."""
    said = _contents("NONE", hate="MEDIUM", violence="LOW")
    assert assessed(_answer(said, action="NONE"), {"hate": 0.67, "violence": 0.34}) == Assessed(("hate",), ())
    assert assessed(_answer(_contents(hate="LOW", sexual="HIGH")), {"hate": 0.67}) == NOTHING
    topic = {"topicPolicy": {"topics": [{"name": "x", "type": "DENY", "action": "BLOCKED"}]}}
    assert assessed(_answer(_contents("NONE", hate="NONE") | topic), {"hate": 0.1}) == Assessed(("topic",), ())
    with pytest.raises(ServiceFailed, match="no confidence for insults"):
        assessed(_answer(said, action="NONE"), {"hate": 0.5, "insults": 0.5})


def test_what_is_anonymised() -> None:
    entries = _sensitive(
        {"match": "a@b.c", "type": "EMAIL", "action": "ANONYMIZED"},
        {"match": "Bob", "type": "NAME", "action": "NONE"},
        regexes=[
            {"name": "house key", "match": "k-1", "action": "ANONYMIZED"},
            {"name": "]evil[", "match": "k-2", "action": "ANONYMIZED"},
        ],
    )
    assert assessed(_answer(entries), {}).anonymised == (
        Anonymised("a@b.c", "EMAIL", "email"),
        Anonymised("k-1", "HOUSE KEY", "regex"),
        Anonymised("k-2", "REGEX", "regex"),
    )


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"{}",
        b'{"message":"Too many requests"}',
        b'{"__type":"ThrottlingException","message":"busy"}',
        b'{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}',
        b'{"action":"NONE"}',
        b'{"action":"SURE","assessments":[]}',
        _answer(_contents("MAYBE", hate="HIGH")),
        _answer({"contentPolicy": {"filters": [{"type": "HATE"}]}}),
        b"\xff",
    ],
)
def test_what_is_no_answer_is_a_failure(answer: bytes) -> None:
    with pytest.raises(ServiceFailed):
        assessed(answer, {})


def test_nothing_is_nothing() -> None:
    assert assessed(_answer(action="NONE"), {}) == NOTHING


def test_what_was_anonymised_is_found_in_what_was_asked() -> None:
    """Everywhere, as a whole word where it stands as one."""
    found = spans(["Al and Also Al", "call Al", "no"], [Anonymised("Al", "NAME", "name")])
    assert found == [Span(0, 0, 2, "NAME"), Span(0, 12, 14, "NAME"), Span(1, 5, 7, "NAME")]
    assert spans(["x12y"], [Anonymised("12", "AGE", "age")]) == [Span(0, 1, 3, "AGE")]
    for match in ("Bob", ""):
        with pytest.raises(ServiceFailed, match="not asked about"):
            spans(["Al"], [Anonymised(match, "NAME", "name")])
