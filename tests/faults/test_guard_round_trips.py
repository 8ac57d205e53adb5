"""GRD-07: what was masked on the way in is given back on the way out, rightly and to its own caller alone."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest

from policies.guardrails.pii import Pii, PiiConfig
from proxy.chat import Kind
from proxy.exchange import Exchange
from tests.support.guards import Guarded
from tests.support.scale import often
from tests.support.specimens import personal

ROUNDS, PARTS = often(400, 10_000), often(1, 10)
GUARD = Guarded(Pii, PiiConfig(action="mask_and_restore", find=("email", "phone", "credit_card", "iban", "us_ssn")))
_MASK = re.compile(r"\[[A-Z_]+_\d+\]")
_MAKES = [personal.CHECKED[kind] for kind in ("email", "credit_card", "iban", "us_ssn")]
_WRITTEN = ("[EMAIL_1]", "[IBAN_2]", "[CREDIT_CARD_1]", "[EMAIL_1", "EMAIL_2]", "[[EMAIL_3]]", "[NAME_1]", "")


def _asked(random: Random) -> str:
    """A text with some personal data, now and then twice, and with what looks like a mask and is its caller's own."""
    values = [random.choice(_MAKES)(random) for _ in range(random.randrange(1, 5))]
    values += random.sample(values, random.randrange(len(values)))
    parts = [random.choice(_WRITTEN)]
    for value in values:
        parts += (random.choice((" write to ", " und ", ", ", " 値は ")), value, random.choice((" now", ".", "", " ü")))
    return "".join(parts)


async def _sent(text: str) -> tuple[Exchange, str]:
    """The request after the guard, and what the provider sees of it."""
    x, reply = await GUARD.ask(text)
    assert reply is None
    seen: str = json.loads(x.body)["messages"][0]["content"]
    return x, seen


def _cut(random: Random, text: str) -> list[str]:
    at = sorted(random.randrange(len(text) + 1) for _ in range(random.randrange(6)))
    return [text[begin:end] for begin, end in zip([0, *at], [*at, len(text)], strict=True)]


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
async def test_what_was_masked_comes_back_and_to_nobody_else(part: int) -> None:
    """A model says again what it was told: the caller reads what it had written, wherever the answer is cut. And it
    says masks of somebody else: they stay what they are."""
    random = Random(100 + part)
    strangers: list[str] = []
    for _ in range(ROUNDS // PARTS):
        text = _asked(random)
        x, seen = await _sent(text)
        own = set(_MASK.findall(seen)) - set(_MASK.findall(text))
        foreign = [mask for mask in strangers if mask not in own and mask not in text]
        strangers = sorted(own | {mask[:-1] + "7]" for mask in own})
        said, expected = seen + " ".join(foreign), text + " ".join(foreign)
        kind: Kind = random.choice(("text", "reasoning", "arguments"))
        if kind == "arguments":
            said = json.dumps({"to": said}, ensure_ascii=random.random() < 0.5)
        told: Any = await GUARD.heard(x, _cut(random, said), kind)
        if kind == "arguments":
            told = json.loads(told)["to"]
        # What a caller has written in full is known to the provider as masks alone.
        assert told == expected, (text, seen)


async def test_two_callers_at_once_have_their_own() -> None:
    """The same mask stands for another thing in each request, however their answers interleave."""
    (x, seen), (y, seen_too) = await _sent("Write to a@b.org"), await _sent("Write to c@d.org")
    assert seen == seen_too == "Write to [EMAIL_1]"
    pieces = ["it is [EM", "AIL_1", "] and [EMAIL_2]"]
    first, second = (GUARD.guard.open_stream(one) for one in (x, y))
    assert first is not None
    assert second is not None
    assert await GUARD.heard(y, pieces) == "it is c@d.org and [EMAIL_2]"
    assert await GUARD.heard(x, pieces) == "it is a@b.org and [EMAIL_2]"
