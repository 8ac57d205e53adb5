"""What does not fit together in the section `alerts`, and what becomes of one that does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from proxy.process import alert_settings
from tests.support.config import with_section

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
def built(tmp_path: Path) -> Callable[[str], Any]:
    """``built(alerts)``: what became of a file with that section."""
    return partial(with_section, tmp_path, "alerts")


def test_a_good_section_becomes_settings(built: Any) -> None:
    """The secret decoded, and not shown."""
    found = built(f"{{url: 'https://hooks.example/x', secret: {SECRET}, anomaly: 3}}")
    assert found.problems == ()
    settings = alert_settings(found.config)
    assert (settings.url, settings.factor, settings.zone) == ("https://hooks.example/x", 3, "UTC")
    assert settings.secret == b"01234567890123456789012345678901"
    assert SECRET not in repr(found.config)
    assert alert_settings(built("{}").config).url == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a", "http://localhost/a", "http://[::1]:9/", "https://a.example"])
def test_addresses_that_may_be_told(built: Any, url: str) -> None:
    assert built(f"{{url: '{url}'}}").problems == ()


@pytest.mark.parametrize(
    ("alerts", "words"),
    [
        (f"{{url: 'https://a.example/', secret: {SECRET[:20]}}}", "openssl rand"),
        ("{url: 'http://a.example/'}", "in the open"),
        ("{url: 'http://10.0.0.7:9000/'}", "in the open"),
        ("{url: 'http://127.0.0.1.evil.example/'}", "in the open"),
        ("{url: 'https://me:word@a.example/'}", "no user or password"),
        ("{url: 'https://[::1/'}", "no address"),
        ("{url: 'https://:80/'}", "no address"),
        ("{url: 'https://a.example:0/'}", "no address"),
        (f"{{secret: {SECRET}}}", "`url`"),
    ],
)
def test_what_is_wrong_is_said_once(built: Any, alerts: str, words: str) -> None:
    (problem,) = built(alerts).problems
    assert words in str(problem)
    assert "whsec_" not in str(problem)
    assert "word@" not in str(problem)
