"""Signatures come back as they were, whoever made them and whichever base64 a client writes."""

from __future__ import annotations

import base64

import pytest

from proxy.chat import Reasoning
from proxy.dialects.gemini.signature import (
    PLACEHOLDER,
    Mark,
    in_usual_alphabet,
    read_mark,
    write_mark,
    write_thought_mark,
)


def _by_the_client(told: str) -> str:
    """As the official client sends it back: decoded, and encoded in the alphabet for addresses."""
    return base64.urlsafe_b64encode(base64.b64decode(told, validate=True)).decode()


@pytest.mark.parametrize("signature", ["+/+/", "QUJD", "QQ=="])
def test_one_of_google_stays_the_same_bytes(signature: str) -> None:
    assert write_mark("gemini", signature) == signature
    assert read_mark(_by_the_client(signature)) == Mark("gemini", signature)


@pytest.mark.parametrize("signature", ["sig", "ü?", "a.b.c", "+/=="])
def test_one_of_others_is_wrapped_and_unwrapped(signature: str) -> None:
    assert read_mark(_by_the_client(write_mark("anthropic", signature))) == Mark("anthropic", signature)


@pytest.mark.parametrize(
    "part",
    [
        Reasoning(redacted="opaque", origin="anthropic"),
        Reasoning(text="t", signature="s", redacted="enc", id="rs_1", is_summary=True, origin="openai"),
        Reasoning(text="t", id="rs_1", origin="openai"),
    ],
)
def test_all_that_belongs_to_a_thought_comes_back(part: Reasoning) -> None:
    told = write_thought_mark(part, part.signature)
    assert told is not None
    mark = read_mark(_by_the_client(told))
    assert mark == Mark(part.origin, part.signature, part.redacted, part.id, part.is_summary)


def test_a_thought_without_a_proof_has_no_mark() -> None:
    assert write_thought_mark(Reasoning(text="t"), None) is None


@pytest.mark.parametrize("told", [PLACEHOLDER, base64.b64encode(PLACEHOLDER.encode()).decode()])
def test_a_placeholder_is_no_signature(told: str) -> None:
    assert read_mark(told).signature is None


@pytest.mark.parametrize("told", ["", "é", "c2cuYQ", "c2cu!!!!", base64.b64encode(b"sg.x@.{").decode()])
def test_what_cannot_be_read_is_a_signature_like_any(told: str) -> None:
    assert read_mark(told).origin == "gemini"


def test_base64_of_either_alphabet_becomes_the_usual_one() -> None:
    assert in_usual_alphabet("-_-_QQ") == "+/+/QQ=="
