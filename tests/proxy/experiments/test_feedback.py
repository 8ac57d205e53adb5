"""Feedback: what is understood, to which requests it belongs, and whose it is."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from proxy.errors import BadRequest
from proxy.experiments import tables
from proxy.experiments.feedback import Feedback, Joined, UnknownRequest, join, read
from tests.support.experiments import PLAN, open_file, record


@pytest.mark.parametrize("value", [True, False, 3, -1.5, "solved"])
def test_what_can_be_said(value: Any) -> None:
    """Of a request, or of a subject."""
    body = {"request_id": "req_1", "name": "solved", "value": value, "comment": "so so"}
    assert read(json.dumps(body).encode()) == Feedback("solved", value, request="req_1", comment="so so")
    body = {"subject": "ada", "experiment": "short", "name": "solved", "value": value}
    assert read(json.dumps(body).encode()).subject == "ada"


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"value": None}, "value"),
        ({"value": [1]}, "value"),
        ({"value": 1e300}, "value"),
        ({"value": "x" * 101}, "value"),
        ({"value": "line\nbreak"}, "value"),
        ({"name": "Not A Name"}, "name"),
        ({"name": None}, "name"),
        ({"request_id": None}, "request_id"),
        ({"subject": "ada", "experiment": "short"}, "request_id"),
        ({"request_id": None, "subject": "ada"}, "request_id"),
        ({"request_id": 7}, "request_id"),
        ({"comment": "x" * 2001}, "comment"),
        ({"score": 1}, "score"),
    ],
)
def test_what_cannot_be_understood_is_refused(change: dict[str, Any], param: str) -> None:
    """And the member is named."""
    body = {"request_id": "req_1", "name": "solved", "value": True} | change
    with pytest.raises(BadRequest) as caught:
        read(json.dumps(body).encode())
    assert caught.value.param == param


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff"])
def test_a_body_that_is_no_object(body: bytes) -> None:
    """Is refused with an example."""
    with pytest.raises(BadRequest, match="request_id"):
        read(body)


def test_it_is_joined_with_the_experiments_of_its_request(tmp_path: Path) -> None:
    """Of two of one name the later counts; a job is named by its own id."""
    with closing(open_file(tmp_path)) as database:
        tables.keep_plan(database, PLAN, 1)
        tables.add(database, [record(job="job_1", scope="acme/search")])
        said = Feedback("solved", True, request="req_ada_0")
        assert join(database, said, "acme/search", 5) == [Joined("short", "control", True)]
        join(database, Feedback("solved", False, request="job_1"), "acme/search", 6)
        assert database.execute("SELECT request, number, value, at FROM feedback").fetchall() == [
            ("req_ada_0", 0.0, "false", 6)
        ]
        other = join(database, Feedback("mood", "fine", request="req_ada_0"), "acme/search", 7)
        assert other == [Joined("short", "control", False)]


def test_a_subject_can_be_told_of(tmp_path: Path) -> None:
    """By its plain name, which is not kept."""
    with closing(open_file(tmp_path)) as database:
        tables.keep_plan(database, PLAN, 1)
        tables.add(database, [record(), record(number=1)])
        said = Feedback("rating", 4.0, subject="ada", experiment="short")
        assert join(database, said, "", 5) == [Joined("short", "control", True)]
        assert database.execute("SELECT request, number FROM feedback").fetchall() == [("", 4.0)]
        with pytest.raises(UnknownRequest):
            join(database, Feedback("rating", 4.0, subject="bob", experiment="short"), "", 5)


@pytest.mark.parametrize(
    ("request_id", "scope"), [("req_other", "acme/search"), ("req_ada_0", "acme/ads"), ("req_ada_0", "")]
)
def test_what_is_not_the_callers_is_unknown(tmp_path: Path, request_id: str, scope: str) -> None:
    """And nothing is kept of it."""
    with closing(open_file(tmp_path)) as database:
        tables.add(database, [record(scope="acme/search")])
        with pytest.raises(UnknownRequest):
            join(database, Feedback("solved", True, request=request_id), scope, 5)
        assert not database.execute("SELECT * FROM feedback").fetchall()


def test_a_value_of_another_type_is_refused(tmp_path: Path) -> None:
    """By the experiment that wants one."""
    with closing(open_file(tmp_path)) as database:
        tables.keep_plan(database, PLAN, 1)
        tables.add(database, [record()])
        with pytest.raises(BadRequest, match="short wants true or false"):
            join(database, Feedback("solved", "yes", request="req_ada_0"), "", 5)


def test_a_request_in_no_experiment_has_feedback_too(tmp_path: Path) -> None:
    """Kept for others who may want it."""
    with closing(open_file(tmp_path)) as database:
        tables.add(database, [record()._replace(experiment="", variant="", subject=b"")])
        assert join(database, Feedback("solved", True, request="req_ada_0"), "", 5) == []
        assert database.execute("SELECT experiment, number FROM feedback").fetchall() == [(0, 1.0)]
