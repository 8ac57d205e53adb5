"""Addresses as they are written, and as they are reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.addresses import banner, is_address, reached_at, split_address


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:0", "::1", 0), ("localhost:65535", "localhost", 65535)],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert is_address(text)
    assert split_address(text) == (host, port)


@pytest.mark.parametrize(
    "text", ["", "8080", ":8080", "localhost", "::1:8080", "a:65536", "a:b", "unix:/run/x", "a:1\n"]
)
def test_other_texts_are_none(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://127.0.0.1:8080"),
        ("::1", "http://[::1]:8080"),
        ("gateway.example", "http://gateway.example:8080"),
    ],
)
def test_the_banner_can_be_pasted(host: str, url: str) -> None:
    """An address that a client of this machine can use."""
    text = banner(host, 8080, Path("gateway.yaml"))
    assert f'OpenAI(base_url="{url}/v1"' in text
    assert f"OPENAI_BASE_URL={url}/v1" in text
    assert f"curl {url}/v1/models" in text
    assert reached_at(host, 8080) == url
