"""What repeats a text in pieces is read as that text."""

from __future__ import annotations

import json
from typing import Any

from proxy.guarding.carriers import carriers
from proxy.guarding.spelled import SPELLED, SPOKEN, spelled, without


def rows(value: Any, names: frozenset[str] = SPELLED) -> list[str]:
    return spelled(carriers(json.dumps(value).encode()), names)


def test_what_was_chosen_and_what_was_likely_are_texts_of_their_own() -> None:
    tokens = [{"token": a, "top_logprobs": [{"token": b}, {"token": c}]} for a, b, c in ("a1x", "b2y")]
    assert rows({"choices": [{"logprobs": {"content": tokens}}]}) == ["ab", "12", "xy"]
    assert rows({"choices": [{"logprobs": {"content": tokens}}, {"logprobs": {"content": tokens[1:]}}]}) == [
        *("ab", "12", "xy"),
        *("b", "2", "y"),
    ]
    assert rows({"logprobs": {"tokens": ["a", "b"], "top_logprobs": [{"c": 0}, {"d": 0}]}}) == ["ab", "cd"]
    chosen = [{"token": "a"}, {"token": "b"}]
    top = [{"candidates": [{"token": "c"}, {"token": "d"}]}, {"candidates": [{"token": "e"}]}]
    assert rows({"logprobsResult": {"chosenCandidates": chosen, "topCandidates": top}}) == ["ab", "ce", "d"]
    assert rows({"text": "a"}) == []


def test_words_and_segments_of_transcripts() -> None:
    value = {"text": "a b", "words": [{"word": "a"}, {"word": "b"}], "segments": [{"text": "a"}, {"text": "b"}]}
    assert rows(value, SPOKEN) == ["a b", "a b"]
    assert without(value, SPOKEN) == {"text": "a b", "words": [], "segments": []}
    assert without([{"logprobs": {"content": []}, "n": 1}], SPELLED) == [{"logprobs": None, "n": 1}]
