"""Secrets: found by their forms and by what is said of them, not mistaken, and stopped however they are cut."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from policies.guardrails.secrets import Secrets, SecretsConfig
from tests.support.guards import HALT, Guarded, cuts
from tests.support.scale import often
from tests.support.specimens import secrets
from tests.support.specimens.measure import covered, missed, mistaken

ROUNDS = often(30, 500)


def guarded(**settings: Any) -> Guarded:
    return Guarded(Secrets, SecretsConfig(**settings))


PLAIN = guarded()


@pytest.mark.soak
def test_forms_of_services_are_found() -> None:
    """At least 99.5 of a hundred."""
    lost = missed(PLAIN.guard, Random(1), secrets.FORMS.values(), secrets.AROUND, ROUNDS)
    assert len(lost) <= 0.005 * ROUNDS * len(secrets.FORMS), lost[:5]


@pytest.mark.soak
@pytest.mark.parametrize("kind", secrets.SAID)
def test_what_is_said_to_be_a_secret_is_found(kind: str) -> None:
    """At least 95 of a hundred."""
    random, lost = Random(2), []
    for _ in range(ROUNDS):
        before, value, after = secrets.SAID[kind](random)
        if not covered(PLAIN.guard, text := f"Set {before}{value}{after} there", value):
            lost.append(text)
    assert len(lost) <= 0.05 * ROUNDS, lost[:5]


@pytest.mark.soak
def test_what_only_looks_like_it_is_left_alone() -> None:
    """At least 99 of a hundred."""
    wrong = mistaken(PLAIN.guard, Random(3), secrets.NEAR_MISSES, secrets.AROUND, ROUNDS)
    assert len(wrong) <= 0.01 * ROUNDS * len(secrets.NEAR_MISSES), wrong[:5]


@pytest.mark.soak
@pytest.mark.parametrize("action", ["redact", "block"])
async def test_every_cut_gives_the_same(action: str) -> None:
    guard, random = guarded(action=action), Random(4)
    makes = [*(make for kind, make in secrets.FORMS.items() if kind != "private_key"), *secrets.NEAR_MISSES]
    for _ in range(often(8, 200)):
        text = random.choice(secrets.AROUND).format(random.choice(makes)(random)) + " and more."
        assert len({await guard.answer(cut) for cut in cuts(text)}) == 1, text


async def test_not_a_character_of_a_private_key_gets_out() -> None:
    key = secrets.private_key(Random(5))
    guard = guarded()
    for size in (1, 7, 40, 4000):
        text = f"Here: {key} That was it."
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert await guard.answer(pieces) == f"Here: {HALT}"


async def test_a_host_stays_where_only_its_password_goes() -> None:
    guard = guarded(action="redact", find=("connection_string",))
    assert (
        await guard.answer(["postgres://app:s3cr3tPa55@db", ".internal/x"])
        == "postgres://app:[CONNECTION_STRING]@db.internal/x"
    )


def test_unknown_kinds_are_refused() -> None:
    assert [at for at, _ in guarded(find=("charm",)).problems] == ["find[0]"]


async def test_a_key_may_be_lent_out_under_another_name() -> None:
    """The model writes a file with what it has never seen; what it makes up itself is redacted."""
    guard = guarded(action="mask_and_restore", entities={"private_key": "block"})
    x, reply = await guard.ask("The key is AKIAIOSFODNN7QZ4MPLE")
    assert reply is None
    assert b"The key is [AWS_ACCESS_KEY_1]" in x.body
    told = '{"path": ".env", "text": "KEY=[AWS_ACCESS_KEY_1]"}'
    left = {await guard.heard(x, cut, "arguments") for cut in cuts(told)}
    assert left == {'{"path": ".env", "text": "KEY=AKIAIOSFODNN7QZ4MPLE"}'}
    other, _ = await guard.ask("Hello")
    assert (
        await guard.heard(other, ["AKIAIOSFODNN7QZ4MPLE, [AWS_ACCESS_KEY_1]"]) == "[AWS_ACCESS_KEY], [AWS_ACCESS_KEY_1]"
    )


@pytest.mark.parametrize(("threshold", "found"), [(0.0, 2), (0.9, 1)])
def test_what_is_only_said_may_be_left_alone(threshold: float, found: int) -> None:
    text = "AKIAIOSFODNN7QZ4MPLE, postgres://app:Xk29fLq81mZp@db/x"
    assert len(guarded(threshold=threshold).guard.scan(text)) == found
    assert [at for at, _ in guarded(threshold=1.0, find=("generic_secret",)).problems] == ["threshold"]
