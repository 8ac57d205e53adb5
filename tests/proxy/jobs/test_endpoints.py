"""Paths, queries and refusals of `/v1/jobs`; whole lives of jobs are in `tests/e2e/test_jobs.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.jobs.endpoints import is_of_jobs
from proxy.jobs.record import Settings
from tests.proxy.jobs.test_service import ASK, Scene

NOBODYS = "job_" + "0" * 32


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """One, closed in the end."""
    made = Scene(tmp_path / "state", Settings())
    yield made
    await made.jobs.aclose()


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("/v1/jobs", True),
        ("/v1/jobs/x", True),
        ("/v1/queue/x", True),
        ("/v1/queue", False),
        ("/v1/jobsx", False),
        ("/v1/jobs%2f", False),
        ("/v1/models", False),
    ],
)
def test_paths(path: str, ours: bool) -> None:
    """One spelling each."""
    assert is_of_jobs(path) is ours


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/v1/jobs/{NOBODYS}", 404, "job_not_found"),
        ("GET", f"/v1/jobs/{NOBODYS.upper()}", 404, "job_not_found"),
        ("GET", f"/v1/jobs/{NOBODYS}/result/", 404, "job_not_found"),
        ("GET", "/v1/jobs/../jobs", 404, "job_not_found"),
        ("DELETE", f"/v1/jobs/{NOBODYS}", 404, "job_not_found"),
        ("DELETE", f"/v1/jobs/{NOBODYS}/result", 404, "job_not_found"),
        ("DELETE", "/v1/jobs", 405, "method_not_allowed"),
        ("POST", f"/v1/queue/{NOBODYS}", 405, "method_not_allowed"),
        ("GET", "/v1/jobs", 403, "key_required"),
        ("POST", "/v1/jobs?path=/nowhere", 400, "invalid_path"),
        ("POST", "/v1/jobs?path=/v1/messages&path=/v1/embeddings", 400, "invalid_request"),
        ("POST", "/v1/jobs?path=/v1/a%0d%0ab", 400, "invalid_path"),
        ("POST", "/v1/jobs?webhook=http://127.0.0.1/", 400, "webhook_not_allowed"),
        ("POST", "/v1/jobs?webhook=http://h%C3%B6oks/", 400, "webhook_not_allowed"),
        ("POST", "/v1/jobs?" + "&".join(f"a{n}=1" for n in range(40)), 400, "invalid_request"),
    ],
)
async def test_refusals(scene: Scene, tmp_path: Path, method: str, path: str, status: int, code: str) -> None:
    """Typed, and without a trace on the disk."""
    call = await scene.call(path, ASK, method)
    assert (call.status, call.json["error"]["code"]) == (status, code)
    assert not (tmp_path / "state").exists()


async def test_the_path_in_a_header(scene: Scene) -> None:
    """Instead of the query, which wins over it; its refusals are of the dialect that is meant."""
    call = await scene.call("/v1/jobs", {**ASK, "max_tokens": 5}, x_sluicegate_path="/v1/messages")
    assert (call.status, call.json["path"]) == (202, "/v1/messages")
    refused = await scene.call("/v1/jobs?path=/v1/messages", b"{", x_sluicegate_path="/v1/embeddings")
    assert (refused.status, refused.json["type"]) == (400, "error")


async def test_the_line_of_a_submission_names_the_job(scene: Scene) -> None:
    """And the route to which it will go."""
    call = await scene.call("/v1/jobs", ASK)
    fields = next(fields for event, fields in scene.app.log.events if event == "request")
    assert (fields["notes"]["job"], fields["route"], fields["path"]) == (call.json["id"], "chat", "/v1/jobs")
