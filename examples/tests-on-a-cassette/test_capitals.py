"""Run with: pytest examples/tests-on-a-cassette"""

import openai
import pytest
from capitals import UnknownCountryError, capital, letters
from openai import OpenAI


def test_a_capital(client: OpenAI) -> None:
    assert capital(client, "France") == "Paris"


def test_a_stream(client: OpenAI) -> None:
    assert "".join(letters(client, "Iceland")) == "Reykjavík"


def test_a_country_that_is_none(client: OpenAI) -> None:
    with pytest.raises(UnknownCountryError):
        capital(client, "Atlantis")


def test_the_provider_refuses(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="too long"):
        capital(client, "x" * 40)


def test_what_is_not_on_the_cassette_says_what_is(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=r"recorded .*France.*, sent .*Frence") as caught:
        capital(client, "Frence")
    assert caught.value.code == "cassette_miss"
