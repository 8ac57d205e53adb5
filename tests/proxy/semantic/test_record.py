"""A question as it lies in a store: whole, in its place, by one model, or not at all."""

from __future__ import annotations

import random

import pytest

from proxy.caching.entry import Damaged
from proxy.semantic import record
from proxy.semantic.guard import Question, read
from proxy.semantic.memory import Kept, unit
from proxy.semantic.record import model_of, place_of, seal, unseal
from tests.support.scale import often

MODEL = model_of("up/vectors")


def question(text: str) -> Question:
    """As it is read."""
    found = read(text)
    assert found is not None
    return found


PAY = question("How do I pay the bill?")
PLACE = place_of(b"p" * 32, PAY)


def kept(numbers: tuple[float, ...] = (0.6, 0.8)) -> Kept:
    """One."""
    vector = unit(numbers)
    assert vector is not None
    return Kept(b"k" * 32, b"p" * 32, PAY, vector, 1e9, ("all", "route:chat"))


def opened(data: bytes, *, place: bytes = PLACE, model: bytes = MODEL) -> Kept:
    """It again."""
    return unseal(place, model, data, b"p" * 32, PAY)


def test_it_comes_back() -> None:
    """With all that is known of it."""
    assert opened(seal(PLACE, MODEL, kept())) == kept()


def test_places_differ_by_whose_it_is_and_by_what_it_says() -> None:
    """Other words of the same lie there too."""
    assert place_of(b"p" * 32, question("Please, how can I pay the bill?")) == PLACE
    others = [place_of(b"q" * 32, PAY), place_of(b"p" * 32, question("How do I not pay the bill?"))]
    others += [place_of(b"p" * 32, question(text)) for text in ("How do I pay my bill?", "How do I pay 2 bills?")]
    assert len({PLACE, *others}) == len(others) + 1


def test_models_differ_by_name_or_by_content() -> None:
    """Wherever their files lie."""
    assert model_of("/here", b"files") == model_of("/there", b"files") != model_of("/here", b"other")
    assert model_of("a/b") != model_of("a/c")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "truncated"),
        (seal(PLACE, MODEL, kept())[:20], "truncated"),
        (seal(PLACE, MODEL, kept())[:-3], "checksum"),
        (seal(PLACE, MODEL, kept()).replace(b"pay", b"owe"), "checksum"),
        (b"sgq\x02" + seal(PLACE, MODEL, kept())[4:], "version"),
        (b"HTTP/1.1 200 OK" * 9, "version"),
        (seal(place_of(b"q" * 32, PAY), MODEL, kept()), "checksum"),
        (seal(PLACE, model_of("up/other"), kept()), "model"),
        (seal(PLACE, MODEL, Kept(b"k", b"p", PAY, kept().vector * 2, 1e9)), "content"),
        (seal(PLACE, MODEL, Kept(b"k", b"p", PAY, kept().vector[:0], 1e9)), "content"),
    ],
)
def test_anything_else_is_found_out(data: bytes, why: str) -> None:
    """And why it is."""
    with pytest.raises(Damaged, match=why):
        opened(data)


def test_what_is_no_number_is_no_vector() -> None:
    """Nothing is near to it."""
    vector = kept().vector[:]
    vector[0] = float("nan")
    with pytest.raises(Damaged, match="content"):
        opened(seal(PLACE, MODEL, Kept(b"k", b"p", PAY, vector, 1e9)))


def test_no_change_of_one_byte_goes_unseen() -> None:
    """Nor any other text."""
    random_, good = random.Random(5), seal(PLACE, MODEL, kept())
    for _ in range(often(200, 20_000)):
        at = random_.randrange(len(good))
        bad = good[:at] + bytes((good[at] ^ random_.randrange(1, 256),)) + good[at + 1 :]
        with pytest.raises(Damaged):
            opened(bad if random_.random() < 0.7 else random_.randbytes(at))


def test_strange_texts_are_kept() -> None:
    """Also what is no Unicode."""
    odd = question("pay \ud800 it")
    place = place_of(b"p", odd)
    found = unseal(place, MODEL, seal(place, MODEL, Kept(b"k", b"p", odd, kept().vector, 1.0)), b"p", odd)
    assert "?" in found.question.text
    assert record.VERSION == 1
