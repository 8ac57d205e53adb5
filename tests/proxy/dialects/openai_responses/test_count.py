"""The number of input tokens."""

from __future__ import annotations

import pytest
from openai.types.responses.input_token_count_response import InputTokenCountResponse

from proxy.dialects.openai_responses.count import read_count, write_count
from proxy.errors import BadAnswer


def test_the_official_client_reads_the_number() -> None:
    found = InputTokenCountResponse.model_validate_json(write_count(42), strict=True)
    assert (found.input_tokens, found.object) == (42, "response.input_tokens")
    assert read_count(write_count(42)) == 42


def test_an_absurd_number_is_bounded() -> None:
    assert read_count(b'{"input_tokens":-3}') == 0
    assert read_count(b'{"input_tokens":1000000000000000000}') == 10**12


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"input_tokens":"3"}', b"[]"])
def test_what_tells_no_number_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_count(body)
