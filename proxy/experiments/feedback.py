"""What an application says of an answer, hours later if need be: how it is read, and to which requests it belongs."""

from __future__ import annotations

import math
import re
import sqlite3
from typing import Any

import msgspec

from proxy.errors import BadRequest
from proxy.experiments import tables
from proxy.experiments.plan import LARGEST, LONGEST_LABEL, Value, subject_hash

LONGEST_COMMENT = 2000  # characters
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_MEMBERS = ("request_id", "subject", "experiment", "name", "value", "comment")
_LONGEST_ID = 256
_OF_REQUEST = (
    "SELECT experiment, subject, variant, scope, id FROM requests WHERE id = ? OR (job IS NOT NULL AND job = ?)"
)
_OF_SUBJECT = """SELECT experiment, subject, variant, scope, '' FROM requests
    JOIN names ON names.id = experiment WHERE names.name = ? AND subject = ? GROUP BY variant, scope"""


class Feedback(msgspec.Struct, frozen=True):
    """One value of one name: of a request, or of a subject in an experiment."""

    name: str
    value: Value
    request: str = ""
    subject: str = ""
    experiment: str = ""
    comment: str | None = None


class Joined(msgspec.Struct, frozen=True):
    """An experiment that it counts in. ``declared``: the experiment has an outcome of this name. ``before``: the value
    in whose place it is."""

    experiment: str
    variant: str
    declared: bool
    before: Value | None = None


class UnknownRequest(Exception):
    """There is no such request, or it is not this caller's."""


def read(body: bytes) -> Feedback:
    """What was sent.

    Raises:
        BadRequest: it cannot be understood; the parameter is named.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        example = '{"request_id": "req_…", "name": "solved", "value": true}'
        raise BadRequest(f"The body must be a JSON object like {example}.", code="invalid_json")
    for member in found:
        if member not in _MEMBERS:
            known = ", ".join(f"`{known}`" for known in _MEMBERS)
            raise BadRequest(f"Unknown member {member[:40]!r}; there are {known}.", param=member[:40])
    name = _text(found, "name", 64)
    if name is None or not _NAME.fullmatch(name):
        raise BadRequest("`name` says what the value is: lower-case letters, digits, _ and -.", param="name")
    request, subject = _text(found, "request_id", _LONGEST_ID), _text(found, "subject", _LONGEST_ID)
    experiment = _text(found, "experiment", 64)
    if (request is None) == (subject is None) or (subject is None) != (experiment is None):
        message = "Name the answer by `request_id` (its header x-request-id), or a `subject` with its `experiment`."
        raise BadRequest(message, param="request_id")
    value = _value(found.get("value"))
    comment = _text(found, "comment", LONGEST_COMMENT)
    return Feedback(name, value, request or "", subject or "", experiment or "", comment)


def _text(found: dict[str, Any], member: str, most: int) -> str | None:
    value = found.get(member)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise BadRequest(f"`{member}` must be text of 1 to {most} characters.", param=member)
    return value


def _value(value: Any) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and math.isfinite(value) and abs(value) <= LARGEST:
        return float(value)
    if isinstance(value, str) and 0 < len(value) <= LONGEST_LABEL and value.isprintable():
        return value
    message = f"`value` must be true or false, a number, or a label of at most {LONGEST_LABEL} characters."
    raise BadRequest(message, param="value")


def join(database: sqlite3.Connection, said: Feedback, scope: str, now: int) -> list[Joined]:
    """Keep it with each experiment that the request is in; of two of one name and request the later counts.

    Raises:
        UnknownRequest: nothing was asked by this caller to which it could belong.
        BadRequest: an experiment wants another type of value.
    """
    if said.request:
        rows = database.execute(_OF_REQUEST, (said.request, said.request)).fetchall()
    else:
        digest = subject_hash(said.experiment, said.subject)
        rows = database.execute(_OF_SUBJECT, (said.experiment, digest)).fetchall()
    rows = [row for row in rows if row[3] == scope]
    if not rows:
        raise UnknownRequest
    names = dict(database.execute("SELECT id, name FROM names"))
    found = []
    for experiment, subject, variant, _, request in rows:
        number, is_declared = _number(database, names.get(experiment, ""), said)
        value = msgspec.json.encode(said.value).decode()
        known = database.execute(tables.SAID, (experiment, said.name, subject, variant, request)).fetchone()
        before = None if known is None else msgspec.json.decode(known[0])
        row = (experiment, said.name, subject, variant, request, number, value, said.comment, scope, now)
        database.execute(tables.TELL, row)
        if experiment:
            found.append(Joined(names[experiment], names[variant], is_declared, before))
    return found


def _number(database: sqlite3.Connection, experiment: str, said: Feedback) -> tuple[float | None, bool]:
    """The value as it is counted, and whether the experiment expects it."""
    plan = tables.plan_of(database, experiment) if experiment else None
    outcome = None if plan is None else plan.outcomes.get(said.name)
    if outcome is None:
        return (None if isinstance(said.value, str) else float(said.value)), False
    number = outcome.number(said.value)
    if number is None:
        what = {"boolean": "true or false", "number": "a number", "label": "a label in quotes"}[outcome.type]
        message = f"The experiment {experiment} wants {what} as {said.name!r}."
        raise BadRequest(message, code="invalid_value", param="value")
    return number, True
