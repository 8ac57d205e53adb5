"""Log-probabilities keep their tokens, in both directions."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types
from openai.types.chat import ChatCompletionTokenLogprob

from proxy.dialects.gemini.logprobs import read_logprobs, write_logprobs

TOLD: dict[str, Any] = {
    "chosenCandidates": [{"token": "ä", "tokenId": 5, "logProbability": -0.5}, {"token": "b", "logProbability": -1}],
    "topCandidates": [{"candidates": [{"token": "ä", "logProbability": -0.5}, {"token": "x", "logProbability": -2}]}],
}


def test_the_official_types_of_both_sides_take_them() -> None:
    tokens = read_logprobs(TOLD)
    first, second = [ChatCompletionTokenLogprob.model_validate(token) for token in tokens]
    assert (first.token, first.logprob, first.bytes) == ("ä", -0.5, [195, 164])
    assert [one.token for one in first.top_logprobs] == ["ä", "x"]
    assert second.top_logprobs == []
    again: Any = types.LogprobsResult.model_validate(write_logprobs(tokens))
    assert [one.token for one in again.chosen_candidates] == ["ä", "b"]
    assert again.top_candidates[0].candidates[1].log_probability == -2


def test_none_are_none() -> None:
    assert read_logprobs(None) == []
    assert "topCandidates" not in write_logprobs([{"token": "a", "logprob": -1.0}])


@pytest.mark.parametrize(
    "odd",
    [
        {"chosenCandidates": 5},
        {"chosenCandidates": [5, {"token": 5}]},
        {"chosenCandidates": [{}], "topCandidates": [1]},
    ],
)
def test_odd_ones_are_left_out(odd: dict[str, Any]) -> None:
    assert read_logprobs(odd) == []
