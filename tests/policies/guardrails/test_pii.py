"""Personal data: found with its checksums, not mistaken, masked for providers and given back, however it is cut."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from policies.guardrails.pii import Pii, PiiConfig
from tests.support.guards import HALT, Guarded, cuts
from tests.support.scale import often
from tests.support.specimens import personal
from tests.support.specimens.measure import missed, mistaken

ETHER = "0x52908400098527886E0F7030069857D2E4169EE7"
ROUNDS = often(60, 600)


def guarded(**settings: Any) -> Guarded:
    return Guarded(Pii, PiiConfig(**settings))


PLAIN = guarded()


@pytest.mark.soak
def test_what_proves_itself_is_found() -> None:
    """At least 99.5 of a hundred; those without a checksum 95."""
    makes = personal.CHECKED.values()
    lost = missed(PLAIN.guard, Random(1), makes, personal.AROUND, ROUNDS)
    assert len(lost) <= 0.005 * ROUNDS * len(makes), lost[:5]
    lost = missed(PLAIN.guard, Random(2), personal.LOOSE.values(), personal.AROUND, ROUNDS)
    assert len(lost) <= 0.05 * ROUNDS * len(personal.LOOSE), lost[:5]


@pytest.mark.soak
def test_what_only_looks_like_it_is_left_alone() -> None:
    """At least 99 of a hundred near misses."""
    wrong = mistaken(PLAIN.guard, Random(3), personal.NEAR_MISSES, personal.AROUND, ROUNDS)
    assert len(wrong) <= 0.01 * ROUNDS * len(personal.NEAR_MISSES), wrong[:5]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I was born on 12 March 1985.", ("date_of_birth", "12 March 1985")),
        ("Geburtsdatum: 12.03.1985", ("date_of_birth", "12.03.1985")),
        ("passport no. X1234567", ("passport", "X1234567")),
        ("MORGA657054SM9IJ", ("driving_licence", "MORGA657054SM9IJ")),
        ("221B Baker Street, London NW1 6XE", ("postal_address", "221B Baker Street, London NW1 6XE")),
        ("Hauptstraße 12, 10115 Berlin", ("postal_address", "Hauptstraße 12, 10115 Berlin")),
        ("12 rue de la Paix, 75002 Paris", ("postal_address", "12 rue de la Paix, 75002 Paris")),
        ("PO Box 1234", ("postal_address", "PO Box 1234")),
        (ETHER, ("crypto_address", ETHER)),
        ("NHS number 943 476 5919", ("national_id", "943 476 5919")),
        ("BSN 111222333", ("national_id", "111222333")),
        ("RSSMRA85T10A562S", ("national_id", "RSSMRA85T10A562S")),
        ("2 55 08 14 168 025 38", ("national_id", "2 55 08 14 168 025 38")),
        ("Steuer-ID 86095742719", ("national_id", "86095742719")),
        ("PESEL 44051401359", ("national_id", "44051401359")),
        ("811218-9876", ("national_id", "811218-9876")),
        ("SIN 130 692 544", ("national_id", "130 692 544")),
        ("my ssn is 123456789", ("us_ssn", "123456789")),
        ("mail to ADA LOVELACE today", ("name", "ADA LOVELACE")),
    ],
)
def test_other_kinds(text: str, found: tuple[str, str]) -> None:
    guard = guarded(names=("Ada Lovelace",)).guard
    spans = [(one.span.entity, text[one.span.start : one.span.end]) for one in guard.spans(text, guard.scan(text))]
    assert spans == [found]


async def test_a_provider_sees_masks_and_the_caller_what_they_stand_for() -> None:
    guard = guarded(action="mask_and_restore")
    x, reply = await guard.ask("Mail a@b.org and c@d.org, then a@b.org.")
    assert reply is None
    assert json.loads(x.body)["messages"][0]["content"] == "Mail [EMAIL_1] and [EMAIL_2], then [EMAIL_1]."
    told = "To [EMAIL_2], not [EMAIL_1]; [EMAIL_3] [EMAIL_1 ]"
    left = "To c@d.org, not a@b.org; [EMAIL_3] [EMAIL_1 ]"
    assert {await guard.heard(x, cut) for cut in cuts(told)} == {left}


async def test_masks_in_arguments_of_tools_stay_json() -> None:
    """What is given back is escaped as its place demands, and what a model escaped is seen."""
    guard = guarded(action="mask_and_restore", patterns={"quote": '<"[a-z]+">'})
    x, _ = await guard.ask('Say <"hello"> to a@b.org')
    told = r'{"to": "[QUOTE_1]", "mail": "\u005bEMAIL_1]", "umlaut": "\u00fc\n"}'
    for cut in cuts(told):
        left = await guard.heard(x, cut, "arguments")
        assert json.loads(left) == {"to": '<"hello">', "mail": "a@b.org", "umlaut": "ü\n"}
        assert r"\u00fc\n" in left


async def test_no_mask_is_one_that_the_caller_wrote() -> None:
    guard = guarded(action="mask_and_restore")
    x, _ = await guard.ask("What does [EMAIL_1] mean? Ask a@b.org.")
    assert json.loads(x.body)["messages"][0]["content"] == "What does [EMAIL_1] mean? Ask [EMAIL_2]."
    assert (
        await guard.heard(x, ["[EMAIL_1] is a mask; ", "a@b.org: [EMAIL_2]"]) == "[EMAIL_1] is a mask; [EMAIL]: a@b.org"
    )


async def test_masks_of_a_request_that_goes_on_are_others() -> None:
    """What stood for something in an earlier request is not taken for what stands for something in this."""
    guard = guarded(action="mask_and_restore")
    x, _ = await guard.ask({"model": "m", "input": "Ask a@b.org", "previous_response_id": "resp_1"}, "/v1/responses")
    mask = json.loads(x.body)["input"].removeprefix("Ask ")
    assert await guard.heard(x, ["[EMAIL_1] or ", mask]) == "[EMAIL_1] or a@b.org"


@pytest.mark.soak
async def test_nobody_gets_what_is_anothers() -> None:
    """Many requests at once, each with data of its own, answers cut anywhere: not one wrong word is given back."""
    guard, random = guarded(action="mask_and_restore", find=("email",), on="input"), Random(4)
    asked = []
    for at in range(often(100, 10_000)):
        mails = [f"user{at}.{number}@example.org" for number in range(random.randrange(1, 5))]
        x, _ = await guard.ask(" ".join(mails))
        asked.append((x, mails))
    random.shuffle(asked)
    for x, mails in asked:
        told = " ".join(f"[EMAIL_{number}]" for number in range(6))
        at = random.randrange(len(told))
        left = await guard.heard(x, (told[:at], told[at:]))
        own = dict(enumerate(mails, 1))
        assert left.split() == [own.get(number, f"[EMAIL_{number}]") for number in range(6)]


@pytest.mark.soak
@pytest.mark.parametrize("action", ["redact", "block"])
async def test_every_cut_gives_the_same(action: str) -> None:
    """Also where only what follows tells what something is."""
    guard, random = guarded(action=action), Random(6)
    makes = [*personal.CHECKED.values(), *personal.LOOSE.values(), *personal.NEAR_MISSES]
    for _ in range(often(12, 300)):
        text = " ".join(random.choice(personal.AROUND).format(random.choice(makes)(random)) for _ in range(3))
        assert len({await guard.answer(cut) for cut in cuts(text)}) == 1, text


async def test_some_kinds_are_stopped_and_others_replaced() -> None:
    guard = guarded(entities={"credit_card": "block", "email": "redact"}, allow=("help@example.com",))
    assert (
        await guard.answer(["a@b.org, HELP@example.com, 4111 1111 ", "1111 1111."])
        == f"[EMAIL], HELP@example.com, {HALT}"
    )
    _, reply = await guard.ask(
        {"messages": [{"role": "tool", "content": [{"type": "text", "text": "4111111111111111"}]}]}
    )
    assert reply is not None
    assert reply.code == "guardrail_blocked"


async def test_numbers_in_json_are_seen_and_stay_json() -> None:
    guard = guarded()
    told = '{"card": 4111111111111111, "note": "card: 4111111111111111"}'
    for cut in cuts(told):
        left = await guard.answer(cut, "arguments")
        assert json.loads(left) == {"card": "[CREDIT_CARD]", "note": "card: [CREDIT_CARD]"}


def test_unknown_kinds_are_refused() -> None:
    assert [at for at, _ in guarded(find=("email", "soul")).problems] == ["find[1]"]


@pytest.mark.parametrize(("threshold", "found"), [(0.0, ["email", "postal_address"]), (0.8, ["email"])])
def test_what_is_not_sure_may_be_left_alone(threshold: float, found: list[str]) -> None:
    guard = guarded(threshold=threshold)
    assert [span.entity for span in guard.guard.scan("a@b.org, PO Box 1234")] == found
    assert not guard.problems
    assert [at for at, _ in guarded(threshold=0.9, find=("postal_address",)).problems] == ["threshold"]
