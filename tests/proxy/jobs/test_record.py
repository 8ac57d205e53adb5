"""A job's record and the settings: what they tell, and what they do not."""

from __future__ import annotations

import pytest

from proxy.jobs.record import Job, Response, Webhooks


@pytest.mark.parametrize(
    ("status", "over"),
    [("queued", False), ("running", False), ("succeeded", True), ("failed", True), ("cancelled", True)],
)
def test_when_a_job_is_over(status: str, over: bool) -> None:
    """Three of the states are ends."""
    assert Job(id="j", status=status).is_over is over  # type: ignore[arg-type]


def test_the_secret_is_not_shown() -> None:
    """Neither in a log nor in a traceback."""
    assert "hidden" not in repr(Webhooks(allow=("https://a/",), secret=b"hidden"))


def test_a_header_of_an_answer() -> None:
    """The first of its name."""
    response = Response(200, [(b"a", b"1"), (b"a", b"2")], b"")
    assert (response.header(b"a"), response.header(b"b")) == (b"1", None)
