"""GRD-03: a verdict and what is delivered do not depend on where a stream is cut, and nothing of a span gets out."""

from __future__ import annotations

import json
from random import Random

import pytest

from tests.support.guards import HALT, cuts, run
from tests.support.scale import SOAK, often
from tests.support.sensitive import GUARDS, MASKED, Sensitive, asked, body_of, heard, sensitive, verdict

NUMBER, PARTS = often(60, 300), often(1, 100)
CASES = sensitive(Random(33), NUMBER)


async def _told(case: Sensitive, pieces: tuple[str, ...]) -> tuple[str, str]:
    """What is left of the text in these pieces, and the verdict."""
    x = await asked(case)
    filter_ = GUARDS[case.guard].guard.open_stream(x)
    assert filter_ is not None
    return await run(filter_, pieces, case.kind), verdict(x)


@pytest.mark.soak
async def test_no_cut_of_the_words_makes_a_difference() -> None:
    for number, case in enumerate(CASES):
        whole = await _told(case, (case.text,))
        every = cuts(case.text)
        for cut in every if SOAK or number % 6 == 0 else every[:: 1 + len(every) // 6]:
            assert await _told(case, cut) == whole, (case, cut)
        if case.value:
            assert case.value not in whole[0], case
            assert "clean" not in whole[1], case
            if HALT in whole[0]:  # up to the span, and not a character of it
                assert case.text.startswith(whole[0].removesuffix(HALT))
                assert len(whole[0]) - 1 <= (case.text.find(case.value) if case.value in case.text else len(case.text))
        elif "[EMAIL_1]" in case.text:
            assert MASKED[0] in whole[0]


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
async def test_no_cut_of_the_bytes_makes_a_difference(part: int) -> None:
    """In every dialect: to the last byte that a client gets."""
    random = Random(34)
    for case in CASES[part::PARTS]:
        x = await asked(case)
        body = body_of(case, x, random.randrange(len(case.text) + 1))
        whole, decided = await heard(case, x, [body]), verdict(x)
        if case.value:
            assert json.dumps(case.value)[1:-1].encode() not in whole, case
            assert case.value.encode() not in whole, case
        for at in range(1, len(body)) if SOAK else random.sample(range(1, len(body)), 4):
            assert await heard(case, x, [body[:at], body[at:]]) == whole, (case, at)
            assert verdict(x) == decided
        assert await heard(case, x, [body[at : at + 1] for at in range(len(body))]) == whole, case
