"""Languages of which the guard knows no words: only equal words say the same. CAC-04."""

from __future__ import annotations

import pytest

from proxy.semantic.guard import read
from proxy.semantic.languages import is_english, plain
from tests.support.questions import draw
from tests.support.scale import often
from tests.support.tongues import TONGUES, draw_in

ENGLISH = [
    "How do I reset my password?",
    "what's the capital of france",
    "Isn't smoking allowed?",
    "Convert 5 USD to EUR.",
    "Does the café in Zürich serve crème brûlée?",
    "At 10 pm",
    "What did Die Zeit write about VW?",
    "Summarize Faust in 5 sentences.",
]
OTHERS = [
    "Wie heißt du?",
    "Was will man in so an Fall?",
    "Die Sonne",
    "Wo war was?",
    "Il prezzo per me?",
    "Qual o total do mes?",
    "Hoe is het of was het",
    "Foto's?",
    "Har du set det i dag?",
    "Jak to do Brna?",
    "Где the машина?",
    "苹果 is 什么",
    "5 + 5",
    "f(x) = x^2 + 1",
    "",
]


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_known_by_its_small_words(text: str) -> None:
    """A name in another language does not matter."""
    assert is_english(text)


@pytest.mark.parametrize("text", OTHERS)
def test_anything_else_is_not_english(text: str) -> None:
    """Though it has words that look like it, or too few to tell."""
    assert not is_english(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wie heißt du?", "wie heißt du"),
        ("Wie  weit ist es?", "Hallo, wie weit ist es? Danke!"),
        ("Erkläre die Regel.", "Bitte: Erkläre die Regel"),
        ("Où est l'entrée ?", "Bonjour ! où est l’entrée? Merci beaucoup."),
        ("¿Cuánto cuesta?", "Hola, ¿cuánto cuesta, por favor?"),
        ("Quanto costa?", "quanto costa, per favore"),
        ("Onde fica?", "Olá! onde fica? Obrigado."),
        ("Wat kost het?", "Hoi, wat kost het, alsjeblieft?"),
        ("这是什么？", "这是什么?"),
        ("Caf\u00e9 ouvert demain ?", "Cafe\u0301 ouvert demain ?"),
    ],
)
def test_what_says_the_same(one: str, other: str) -> None:
    """Greetings, spaces, and the mark of what is plainly a question."""
    first, second = read(one), read(other)
    assert first is not None
    assert second is not None
    assert first.form == second.form
    assert not first.is_english


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Was ist Ihre Adresse?", "Was ist ihre Adresse?"),
        ("Was kosten 1,500 Liter?", "Was kosten 1500 Liter?"),
        ("Il negozio è aperto?", "Il negozio è aperto."),
        ("Come vuoi.", "Come vuoi?"),
        ("Um 5 Uhr in Rom", "5 Uhr in Rom"),
        ("O preço do carro", "O preço carro"),
        ("Hoe wis ik foto's?", "Hoe wis ik foto?"),
        ("Où ou quand ?", "Ou où quand ?"),
        ("Ist das erlaubt?", "Ist das nicht erlaubt?"),
        ("Was heißt bitte auf Spanisch?", "Was heißt auf Spanisch?"),
        ("Schreibe `Ab`.", "Schreibe `ab`."),
        ("这里可以吸烟吗", "这里不可以吸烟吗"),
        ("Wie ist das?", "How is that?"),
        ("क्या है", "कया है"),
    ],
)
def test_what_does_not(one: str, other: str) -> None:
    """The rules of English would make one of some of these."""
    first, second = read(one), read(other)
    assert first is not None
    assert second is not None
    assert first.key != second.key


def test_code_is_as_it_was_written() -> None:
    """How far a line is indented counts, and so do spaces within quotes."""
    code = "What does this print?\nfor x in y:\n    a()\n{}b()"
    inside, outside = read(code.format("    ")), read(code.format(""))
    assert inside is not None
    assert outside is not None
    assert inside.form != outside.form
    assert read("x = 'a  b'") != read("x = 'a b'")


@pytest.mark.parametrize("language", TONGUES)
def test_no_pair_of_the_generator_is_taken_for_another(language: str) -> None:
    """Nor for English; and a part of what says the same is found."""
    hits = found = 0
    for pair in draw_in(language, 11, often(40, 2000)):
        one, other = read(pair.stored), read(pair.asked)
        assert one is not None
        assert other is not None
        assert not one.is_english, pair.stored
        assert pair.same or one.form != other.form, pair
        hits, found = hits + pair.same, found + (pair.same and one.form == other.form)
    assert found / hits >= 0.3


def test_english_is_taken_for_english() -> None:
    """But for a few short ones."""
    texts = [text for pair in draw("held_out", 3, often(60, 600)) for text in (pair.stored, pair.asked)]
    strange = [text for text in texts if not is_english(text)]
    assert len(strange) <= 0.02 * len(texts)


@pytest.mark.parametrize("piece", ["hallo, ", " bitte", "danke. ", "merci ", "¿", ". ", "é", "a'", "...", "? merci "])
def test_no_text_takes_long(piece: str) -> None:
    """It is read in one go."""
    assert len(plain((piece * 1000)[:1000] + "b")) <= 1001
