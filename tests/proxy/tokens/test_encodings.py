"""Tokens of texts, as OpenAI's encodings count them."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from proxy.tokens.encodings import count, count_all, encoding_for, is_loaded

SENTENCE = "antidisestablishmentarianism"  # the cookbook's own examples, with what they count
ALPHABETS = ("abc ", "äöüß ", "где ", "中文字", "ひらがな", "\U0001f600\U0001f9d1", '{}[]":,0123', "\u0301\u200d\x00")


@pytest.mark.parametrize(
    ("text", "older", "newer"),
    [(SENTENCE, 6, 6), ("2 + 2 = 4", 7, 7), ("お誕生日おめでとう", 9, 8), ("", 0, 0)],
)
def test_the_published_counts(text: str, older: int, newer: int) -> None:
    """https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken"""
    assert count(text, "gpt-4") == older
    assert count(text, "gpt-4o") == newer


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4", "cl100k_base"),
        ("gpt-4-0613", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("openai/gpt-4", "cl100k_base"),
        ("gpt-4o", "o200k_base"),
        ("gpt-4.1-mini", "o200k_base"),
        ("gpt-5", "o200k_base"),
        ("claude-sonnet-4-5", "o200k_base"),
        ("gemini-2.5-pro", "o200k_base"),
        ("", "o200k_base"),
    ],
)
def test_the_encoding_of_a_model(model: str, name: str) -> None:
    """OpenAI's older models have the older one."""
    assert encoding_for(model).name == name


def test_the_encodings_are_complete() -> None:
    """As many tokens as tiktoken's own: the last rank of each file."""
    assert len(encoding_for("gpt-4").token_byte_values()) == 100_256
    assert len(encoding_for("gpt-4o").token_byte_values()) == 199_998


def test_claude_has_a_margin() -> None:
    """Rounded up, and never less than what OpenAI would count."""
    text = "Where is the next station? " * 40
    assert count(text, "gpt-4o") < count(text, "claude-sonnet-4-5") <= count(text, "gpt-4o") * 1.5
    assert count(text, "anthropic/claude-sonnet-4-5") == count(text, "us.anthropic.claude-sonnet-4-5-v1:0")
    assert count("a", "claude-sonnet-4-5") == 2


def test_names_of_special_tokens_are_text() -> None:
    """What a caller writes never becomes a sign of control, and never is an error."""
    assert count("<|endoftext|>", "gpt-4o") > 1
    assert count("<|fim_prefix|>", "gpt-4") > 1


def test_half_a_character_is_counted() -> None:
    """JSON may hold a lone surrogate."""
    assert 1 <= count("a\ud83db", "gpt-4o") <= 5


@pytest.mark.parametrize("model", ["gpt-4", "gpt-4o"])
@pytest.mark.parametrize("unit", ["a", "!?", " ", "\n", "\u0301", "ABC", "中"])
def test_a_long_run_is_counted_in_pieces(unit: str, model: str) -> None:
    """Of a megabyte without a break nothing is lost, and the cuts add hardly any token."""
    text = unit * (1_000_000 // len(unit))
    most = count(unit * 1_000, model) * len(text) / (len(unit) * 1_000)
    found = count(text, model)
    assert 0 < found <= len(text.encode())
    assert 0.7 * most <= found <= 1.1 * most + 10


def test_a_run_between_words() -> None:
    """What stands around it is counted as ever."""
    words = "one two three " * 300
    apart = count(words, "gpt-4o") * 2 + count("x" * 50_000, "gpt-4o")
    assert abs(count(words + "x" * 50_000 + " " + words, "gpt-4o") - apart) <= 30


def test_a_token_has_a_byte_at_least() -> None:
    """In any alphabet; and all the bytes come back from the tokens."""
    rng = random.Random(5)
    for _ in range(300):
        letters = rng.choice(ALPHABETS)
        text = "".join(rng.choices(letters, k=rng.randrange(200)))
        for model in ("gpt-4", "gpt-4o"):
            tokens = encoding_for(model).encode_ordinary(text)
            assert encoding_for(model).decode(tokens) == text
            assert count(text, model) == len(tokens) <= len(text.encode())


def test_several_texts() -> None:
    """Each begins anew."""
    assert count_all([], "gpt-4o") == 0
    assert count_all(["an", "ti"], "gpt-4o") == count("an", "gpt-4o") + count("ti", "gpt-4o")


def test_an_encoding_is_loaded_once() -> None:
    """Also when many threads ask for it."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(encoding_for, ["gpt-4o"] * 32))
    assert all(one is found[0] for one in found)
    assert is_loaded("gpt-4o")
    assert is_loaded("gpt-5")  # has the same
