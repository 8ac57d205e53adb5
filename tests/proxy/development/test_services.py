"""Which keys are there, and where local servers are looked for."""

from __future__ import annotations

import pytest

from proxy.development.services import PORTS, SERVICES, keys_in, ports_in
from proxy.providers.presets import PRESETS
from proxy.providers.table import PROVIDERS


def test_every_service_is_one_that_the_file_may_name() -> None:
    assert all(service.name in (PRESETS if service.is_preset else PROVIDERS) for service in SERVICES)
    assert set(PORTS) <= set(PRESETS)


def test_ports_are_those_of_the_presets() -> None:
    assert {name: f"http://127.0.0.1:{port}/v1" for name, port in PORTS.items()} == {
        name: PRESETS[name].base_url for name in PORTS
    }


def test_keys() -> None:
    """The first variable counts; an empty one is none, and neither is what we print ourselves."""
    environ = {
        "OPENAI_API_KEY": "unused",
        "ANTHROPIC_API_KEY": "  ",
        "GOOGLE_API_KEY": "b",
        "GROQ_API_KEY": "c",
        "PATH": "/bin",
    }
    assert [(service.name, variable) for service, variable in keys_in(environ)] == [
        ("gemini", "GOOGLE_API_KEY"),
        ("groq", "GROQ_API_KEY"),
    ]
    both = keys_in({"GOOGLE_API_KEY": "b", "GEMINI_API_KEY": "a"})
    assert [variable for _, variable in both] == ["GEMINI_API_KEY"]
    assert keys_in({}) == []


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("127.0.0.1:4000", 4000),
        ("http://localhost:4000/", 4000),
        (":4000", 4000),
        ("0.0.0.0:4000", 4000),
        ("127.0.0.1", 11434),
        ("example.org:4000", 11434),
        ("127.0.0.1:99999", 11434),
        ("127.0.0.1:x", 11434),
        ("", 11434),
    ],
)
def test_ollama_may_be_elsewhere_on_this_machine(host: str, port: int) -> None:
    assert ports_in({"OLLAMA_HOST": host}) == PORTS | {"ollama": port}
