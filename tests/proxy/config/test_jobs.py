"""What does not fit together in the section `jobs`; the words are in `tests/golden/config/jobs-*`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from proxy.process import job_settings
from tests.support.config import with_section

SECRET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
def built(tmp_path: Path) -> Callable[[str], Any]:
    """``built(jobs)``: what became of a file with that section."""
    return partial(with_section, tmp_path, "jobs")


def test_a_good_section_becomes_settings(built: Any) -> None:
    """Units read, secret decoded, and not shown."""
    found = built(f"{{lifetime: 2h, webhooks: {{allow: ['https://a.example/x/'], secret: '{SECRET}'}}}}")
    assert found.problems == ()
    settings = job_settings(found.config.jobs)
    assert (settings.lifetime, settings.max_in_flight) == (7200.0, 64)
    assert settings.webhooks.secret == b"01234567890123456789012345678901"
    assert SECRET not in repr(found.config)
    assert job_settings(built("{}").config.jobs).webhooks.allow == ()


@pytest.mark.parametrize(
    ("jobs", "words"),
    [
        ("{webhooks: {allow: ['https://a.example/']}}", "must be signed"),
        ("{webhooks: {allow: ['https://a.example/'], secret: short}}", "openssl rand"),
        (f"{{webhooks: {{secret: '{SECRET}'}}}}", "no webhook is sent"),
        (f"{{webhooks: {{allow: ['https://a.example/x/../y'], secret: '{SECRET}'}}}}", "no address"),
        (f"{{webhooks: {{allow: ['https://a:99999/'], secret: '{SECRET}'}}}}", "no address"),
        ("{headers: [X-Api-Key]}", "never kept"),
    ],
)
def test_what_does_not_fit(built: Any, jobs: str, words: str) -> None:
    """Is a problem with its place."""
    (problem,) = built(jobs).problems
    assert words in str(problem)
    assert "jobs." in str(problem)
