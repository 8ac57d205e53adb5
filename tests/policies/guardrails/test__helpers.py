"""What all guards have in common: directions, failures, and what cannot be looked into."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.guardrails._helpers import Guard, GuardConfig
from policies.guardrails.pii import Pii, PiiConfig
from proxy.guarding.scanner import MOST, Scanner, Span
from proxy.policy import CompileContext
from tests.support.guards import HALT, Guarded, cuts

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "fail"}]}


class _Brittle:
    """Breaks when it sees the word, and finds digits."""

    entities = ("digit",)

    def scan(self, text: str, start: int = 0) -> list[Span]:
        if "fail" in text:
            raise ValueError(text)
        return [Span(at, at + 1, "digit") for at in range(start, len(text)) if text[at].isdigit()]

    def pending(self, text: str, start: int = 0) -> int:
        return len(text)


class Brittle(Guard):
    """A guard with a scanner that breaks."""

    name = "brittle"

    @classmethod
    def scanner(cls, config: GuardConfig, context: CompileContext) -> Scanner:
        return _Brittle()


def guarded(**settings: Any) -> Guarded:
    return Guarded(Brittle, GuardConfig(**settings))


@pytest.mark.parametrize(("on_error", "refused", "told"), [("closed", True, HALT), ("open", False, "fail")])
async def test_a_failure_is_told_and_never_a_pass(on_error: str, refused: bool, told: str) -> None:
    guard = guarded(on_error=on_error)
    x, reply = await guard.ask(CHAT)
    assert (reply is not None) is refused
    guard.guard.on_close(x)
    assert x.notes["brittle"].startswith(f"input failed {on_error} (failed: ValueError) in ")
    x, _ = await guard.ask("fine")
    assert await guard.heard(x, ["fine ", "fail"]) == f"fine {told}"
    assert f"output failed {on_error}" in x.notes["brittle"]


async def test_what_one_text_breaks_is_still_done_about_the_others() -> None:
    """Of a guard that is open: what it could look into is not let go."""
    guard = guarded(on_error="open", action="redact")
    said = [{"role": "user", "content": text} for text in ("a1", "fail 2", "b3")]
    x, reply = await guard.ask({"model": "m", "messages": said})
    assert reply is None
    assert [one["content"] for one in json.loads(x.body)["messages"]] == ["a[DIGIT]", "fail 2", "b[DIGIT]"]
    guard.guard.on_close(x)
    assert x.notes["brittle"].startswith("input failed open (")


async def test_too_much_to_look_into_is_a_failure_with_its_reason() -> None:
    """More of what looks like something than can be judged: in a request and in an answer."""
    numbers = "4111 1111 1111 1112 " * (MOST + 1000)
    guard = Guarded(Pii, PiiConfig(find=("credit_card",)))
    x, reply = await guard.ask(numbers)
    assert reply is not None
    assert x.notes["pii"].startswith("input failed closed (failed: more than ")
    assert (await guard.answer([numbers])).endswith(HALT)
    guard = Guarded(Pii, PiiConfig(find=("credit_card",), on_error="open"))
    x, reply = await guard.ask(numbers)
    assert reply is None
    assert await guard.heard(x, [numbers, " 4111 1111 1111 1111 end"]) == numbers + " [CREDIT_CARD] end"
    assert "failed: more than " in x.notes["pii"].partition("output failed open")[2]


@pytest.mark.parametrize("kind", ["text", "arguments"])
async def test_what_a_guard_that_is_open_cannot_read_is_told_as_it_came(kind: Any) -> None:
    """Neither lost nor changed, however it is cut: half an escape neither."""
    guard = guarded(on_error="open", action="shadow")
    x, _ = await guard.ask("fine")
    text = r'{"fail": "\u00fc\u00fc"}'
    for cut in cuts(text):
        assert await guard.heard(x, cut, kind) == text


async def test_what_cannot_be_looked_into_is_a_failure() -> None:
    for path, body in (("/v1/images/edits", b"--x--"), ("/v1/files", b"raw")):
        x, reply = await guarded().ask(body, path)
        assert reply is not None
        assert "is not looked into" in x.notes["brittle"]
    _, reply = await guarded(on_error="open").ask(b"raw", "/v1/files")
    assert reply is None


async def test_directions() -> None:
    x, reply = await guarded(on="output").ask("1")
    assert reply is None
    assert guarded(on="input").guard.open_stream(x) is None
    assert await guarded(on="output", message="No.").answer(["a1"]) == f"a{HALT}"


async def test_long_texts_are_looked_at_too() -> None:
    """In a thread."""
    guard = guarded(action="redact")
    x, _ = await guard.ask("x" * 10_000 + "1")
    assert x.body.endswith(b'x[DIGIT]"}]}')
    assert (await guard.heard(x, ["y" * 10_000 + "2"])).endswith("y[DIGIT]")


async def test_shadow_and_warn_change_nothing() -> None:
    for action in ("shadow", "warn"):
        x, reply = await guarded(action=action).ask("1")
        assert reply is None
        assert b'"1"' in x.body
