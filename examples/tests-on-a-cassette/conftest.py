"""A client of the gateway that replays the cassette beside this file. Nothing here reaches the network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI

from proxy.cassettes.testing import replayed

CASSETTE = Path(__file__).with_name("cassettes") / "capitals.yaml"


@pytest.fixture(scope="session")
def client() -> Iterator[OpenAI]:
    """The official client, pointed at the cassette."""
    with replayed(CASSETTE) as gateway:
        yield OpenAI(base_url=gateway.base_url, api_key="none")
