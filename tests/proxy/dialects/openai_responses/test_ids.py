"""Ids of ours are unlike each other, and tell where their item stands."""

from __future__ import annotations

import pytest

from proxy.dialects.openai_responses.ids import (
    PREFIX,
    Place,
    is_own,
    item_token,
    names_own,
    new_id,
    place_of,
    response_id,
)


def test_every_id_is_new_and_ours() -> None:
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_own(one) and one.startswith(PREFIX) for one in made)


@pytest.mark.parametrize("given", ["", "resp_123", "resp_sg_", "resp_sg_" + "g" * 32, "resp_sg_" + "a" * 33, "msg_1"])
def test_other_ids_are_not_ours(given: str) -> None:
    assert not is_own(given)


def test_an_item_tells_its_answer_and_its_position() -> None:
    response = new_id()
    assert place_of(f"msg_{item_token(response)}_12") == Place(response, 12)
    for other in ("msg_123", f"msg_{item_token(response)}", f"msg_{item_token(response)}_x", response):
        assert place_of(other) is None


def test_an_id_of_an_item_is_short_enough_to_be_sent_back() -> None:
    """OpenAI takes 64 characters."""
    assert len(f"msg_{item_token(new_id())}_123456") <= 64


def test_an_answer_of_another_provider_has_an_id_of_this_form() -> None:
    assert response_id("msg_01") == "resp_msg_01"
    assert response_id("resp_1") == "resp_1"
    assert response_id("").startswith("resp_")
    assert response_id("") != response_id("")


def test_a_request_that_names_something_of_ours_is_known() -> None:
    response = new_id()
    assert names_own(b'{"previous_response_id":"%b"}' % response.encode())
    assert names_own(b'{"input":[{"id":"fc_%b_3"}]}' % item_token(response).encode())
    assert not names_own(b'{"input":"what is _sg_?"}')
    assert not names_own(b'{"previous_response_id":"resp_68aa"}')
