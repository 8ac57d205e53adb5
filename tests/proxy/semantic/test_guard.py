"""What may share an answer, and what never may."""

from __future__ import annotations

import random
import string
import time

import pytest

from proxy.semantic.guard import LONGEST, difference, read
from tests.support.questions import Half, draw
from tests.support.scale import often

SAME = [
    ("How do I reset my password?", "Could you please tell me how I can reset my password?"),
    ("How do I reset my password?", "Hi there! How can my password be reset? Thanks in advance!"),
    ("How do I cancel an order?", "How is an order canceled?"),
    ("What is the capital of France?", "what's the capital of france"),
    ("What is the capital of France?", "I'd like to know what the capital of France is."),
    ("In Python, how do I sort a list?", "How do I sort a list in Python?"),
    ("flights from Paris to London", "Flights to London from Paris, please"),
    ("Is the office open on Monday?", "Tell me if the office is open on Monday"),
    ("Do I need to pay $5?", "Do I have to pay 5 USD?"),
    ("What is 1,000 plus 2?", "Calculate 1000 plus two"),
    ('Translate "Guten Tag" into English.', 'Please translate "Guten Tag" into English'),
    ("Can I purchase a car?", "Is it possible to buy an automobile?"),
    ("f(x) = x^2 + 1", "f(x)  =  x^2 + 1"),
]
APART = [
    ("What is the capital of France?", "What is the capital of Germany?", "word"),
    ("what is the population of paris", "what is the population of london", "word"),
    ("Take 5 mg", "Take 50 mg", "number"),
    ("Take 5 mg", "Take 5 g", "word"),
    ("Take 1.5 mg", "Take 15 mg", "number"),
    ("What is -5 squared?", "What is 5 squared?", "number"),
    ("How much is $5?", "How much is €5?", "word"),
    ("Open on March 3?", "Open on May 3?", "name"),
    ("Open on 2024-12-24?", "Open on 2025-12-24?", "name"),
    ("At 10 am", "At 10 pm", "name"),
    ("Is smoking allowed?", "Is smoking not allowed?", "turn"),
    ("Is smoking allowed?", "Isn't smoking allowed?", "turn"),
    ("with sugar", "without sugar", "turn"),
    ("Show the maximum", "Show the minimum", "turn"),
    ("Allow the user", "Deny the user", "turn"),
    ("Delete all files", "Delete any files", "turn"),
    ("flights from Paris to London", "flights from London to Paris", "order"),
    ("Did Ajax beat Celtic?", "Did Celtic beat Ajax?", "order"),
    ("If it is noon in Utah, what time is it in Ohio?", "What time is it in Utah if it is noon in Ohio?", "turn"),
    ("Who is the president?", "Who was the president?", "turn"),
    ("What is my age?", "What is your age?", "turn"),
    ("Can I stay?", "Must I stay?", "turn"),
    ("The shop is closed", "Is the shop closed?", "turn"),
    ("Write it in French", "Write it in German", "word"),
    ("Answer as JSON", "Answer as XML", "word"),
    ("Rename `userId`", "Rename `userid`", "name"),
    ("sort myList please", "sort mylist please", "name"),
    ("Rename the variable X to y", "Rename the variable x to y", "name"),
    ("What is f(X)?", "What is f(x)?", "name"),
    ("Rename user_id to row", "Rename user_ids to row", "name"),
    ('Say "yes"', 'Say "no"', "name"),
    ("Is Vitamin A good?", "Is Vitamin good?", "name"),
    ("What is plan a?", "What is plan?", "word"),
    ("Is US law strict on it?", "Is us law strict on it?", "name"),
    ("(2 + 3) * 4", "2 + (3 * 4)", "order"),
    ("5 + 3", "5 - 3", "name"),
    ("x = y;", "y = x;", "order"),
    ("a < b", "a > b", "name"),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=[other for _, other in SAME])
def test_what_says_the_same(one: str, other: str) -> None:
    """Politeness, contractions, the passive and the order of clauses change nothing."""
    first, second = read(one), read(other)
    assert first is not None
    assert second is not None
    assert difference(first, second) is None
    assert first.key == second.key


@pytest.mark.parametrize(("one", "other", "why"), APART, ids=[f"{one} {other}" for one, other, _ in APART])
def test_what_does_not(one: str, other: str, why: str) -> None:
    """Whatever decides the answer has to be equal; and it is told what is not."""
    first, second = read(one), read(other)
    assert first is not None
    assert second is not None
    assert difference(first, second) == why
    assert first.key != second.key


@pytest.mark.parametrize("text", ["", "  ", "\x00", "Hello!", "please", "?!", "x" * (LONGEST + 1)])
def test_what_says_nothing_is_left_out(text: str) -> None:
    """So is what is too long to be seen whole by a vector."""
    assert read(text) is None


def test_no_pair_of_the_generator_is_taken_for_another() -> None:
    """Nine that must miss for each that must hit, of sentences on which nothing was tuned and others."""
    wrong, hits, found = [], 0, 0
    halves: tuple[Half, ...] = ("calibration", "held_out")
    for half in halves:
        for pair in draw(half, 7, often(60, 600)):
            one, other = read(pair.stored), read(pair.asked)
            assert one is not None
            assert other is not None
            hits += pair.same
            found += pair.same and one.key == other.key
            if not pair.same and one.key == other.key:
                wrong.append(pair)
    assert not wrong
    assert found / hits >= 0.4


def test_any_text_is_read() -> None:
    """Without an exception, and in the same way each time."""
    random_ = random.Random(3)
    letters = string.printable + "éßİ中文👍\u200b\ud800’“”«»\x00\x01"
    for _ in range(often(300, 20_000)):
        text = "".join(random_.choice(letters) for _ in range(random_.randrange(60)))
        assert read(text) == read(text)


def test_other_languages_share_only_equal_words() -> None:
    """There are no tables for them."""
    first, second, third = read("Wie heißt du?"), read("wie heißt du"), read("Wie heißt er?")
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.key == second.key != third.key


_PIECES = ("a", " ", ",", "'", "'a ", '"', "`", "how can ", "1,", "1.", "a.", "_", "aA", "A b ", "what is , ", "$")


@pytest.mark.parametrize("piece", _PIECES)
def test_no_text_takes_long(piece: str) -> None:
    """Milliseconds; a pattern that goes back and forth would take hours."""
    began = time.thread_time()
    read((piece * LONGEST)[: LONGEST - 2] + " b")
    assert time.thread_time() - began < 1.0
