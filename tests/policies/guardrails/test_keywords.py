"""Denied words: whole ones, in several scripts, in requests and answers, however the answer is cut."""

from __future__ import annotations

from typing import Any

import pytest

from policies.guardrails.keywords import Keywords, KeywordsConfig
from tests.support.guards import HALT, Guarded, cuts

DENY = {"rivals": ("Initech", "Evil  Corp"), "wars": ("война", "戦争", "Krieg")}


def guarded(**settings: Any) -> Guarded:
    return Guarded(Keywords, KeywordsConfig(deny=DENY, **settings))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("we use INITECH here", ["rivals"]),
        ("initechs and reinitech", []),
        ("evil\n corp, initech.", ["rivals", "rivals"]),
        ("это война.", ["wars"]),
        ("войнами", []),
        ("第二次世界戦争の", ["wars"]),
        ("Weltkrieg", []),
        ("Krieg\u0301er", []),
    ],
)
def test_whole_words_whatever_their_case(text: str, kinds: list[str]) -> None:
    assert [span.entity for span in guarded().guard.scan(text)] == kinds


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ("block", f"Ask {HALT}"),
        ("redact", "Ask [RIVALS] or [RIVALS]; no initechs."),
        ("warn", "Ask Evil Corp or initech; no initechs."),
    ],
)
async def test_every_cut_gives_the_same(action: str, left: str) -> None:
    guard = guarded(action=action)
    assert {await guard.answer(cut) for cut in cuts("Ask Evil Corp or initech; no initechs.")} == {left}


async def test_a_request_is_refused_and_not_a_word_of_it_repeated() -> None:
    guard = guarded()
    x, reply = await guard.ask("Buy Initech")
    assert reply is not None
    assert (reply.status, reply.code) == (400, "guardrail_blocked")
    guard.guard.on_close(x)
    assert x.notes["keywords"].startswith("input blocked (block rivals at messages[0].content) in ")
    assert b"nitech" not in reply.body


async def test_only_what_was_found_changes_in_the_bytes_of_a_request() -> None:
    body = b'{ "messages":[{"content" : "no\\u0020Initech", "role":"user"}],"n":1.50, "model":"m"}'
    x, reply = await guarded(action="redact").ask(body)
    assert reply is None
    assert x.body == b'{ "messages":[{"content" : "no [RIVALS]", "role":"user"}],"n":1.50, "model":"m"}'


def test_what_is_wrong_with_it_is_said() -> None:
    wrong = guarded(patterns={"a": "x(?=y)", "b": "a*"}, entities={"rival": "warn"})
    assert [at for at, _ in wrong.problems] == ["patterns.a", "patterns.b", "entities.rival"]


async def test_words_may_be_lent_out_under_another_name() -> None:
    guard = guarded(action="mask_and_restore")
    x, reply = await guard.ask("Compare us with Initech and Evil Corp")
    assert reply is None
    assert b"Compare us with [RIVALS_1] and [RIVALS_2]" in x.body
    assert {await guard.heard(x, cut) for cut in cuts("[RIVALS_2] is larger")} == {"Evil Corp is larger"}
