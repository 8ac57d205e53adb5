"""What may stand beside a policy or a target and switches it: ``enabled``, ``rollout``, ``flag``. What is wrong with
them beyond their shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from proxy.config.document import Report
from proxy.config.problem import Path
from proxy.flags.rollout import OF_CALLER, Rollout

MARKS = ("enabled", "rollout", "flag")
# What YAML 1.1 took for a boolean, and people still do.
_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_WHAT_IT_GUARDS = {
    "quota": "while this is off, the limits of tenants and of this policy do not hold",
    "allow_models": "while this is off, every caller may use every model of the route",
    "keywords": "while this is off, nothing is looked at for denied words",
    "pii": "while this is off, personal data reaches providers and callers",
    "secrets": "while this is off, secrets reach providers and callers",
    "idempotency": "while this is off, a request that is sent twice is paid for twice",
}


class Marks(NamedTuple):
    """Those of one place: ``values`` of the map at ``path`` in which they stand."""

    values: Mapping[str, Any]
    path: Path

    @property
    def is_named(self) -> bool:
        return "flag" in self.values

    @property
    def at(self) -> Path:
        """The first of them, to point at."""
        return (*self.path, next(mark for mark in MARKS if mark in self.values))


def marks_of(value: Mapping[str, Any], path: Path) -> tuple[Marks, ...]:
    """The marks in one map of the file; empty if it has none."""
    found = {mark: value[mark] for mark in MARKS if mark in value}
    return (Marks(found, path),) if found else ()


def check_policy_marks(name: str, marks: tuple[Marks, ...], report: Report) -> None:
    """Report a policy that must not be off, and tell of one that is missed when it is. ``marks``: of it and of the
    lists that it came with."""
    for one in marks:
        if not all(report.sound((*one.path, mark)) for mark in one.values):
            continue
        if name == "authenticate":
            message = "`authenticate` cannot be switched off: anybody could call the route"
            report.problem(one.at, message, key=True)
        elif name in _WHAT_IT_GUARDS:
            report.notice(one.at, _WHAT_IT_GUARDS[name], key=True)


def check_marks(one: Marks, report: Report) -> None:
    """Report words that are no conditions, and tell of what is never on."""
    enabled = one.values.get("enabled", True)
    at = (*one.path, "enabled")
    if isinstance(enabled, str) and (meant := _WORDS.get(enabled.lower())) is not None:
        report.problem(at, "must be true, false or a condition", meant)
    elif enabled is False and not one.is_named:
        report.notice(at, "this is off for good; with a `flag` beside it, it can be switched on at run time", key=True)
    rollout, at = one.values.get("rollout"), (*one.path, "rollout")
    if isinstance(rollout, str) and not one.is_named and report.sound(at) and not Rollout.parse(rollout).share:
        report.notice(at, "with this share it is on for nobody", key=True)


def misses(rollout: Rollout, tags: frozenset[str], *, has_callers: bool) -> str | None:
    """What is missing to tell who is in a rollout, for people. ``tags``: those that are known by then."""
    if rollout.by in OF_CALLER:
        return None if has_callers else f"without `authenticate` before it no caller has a {rollout.by}"
    if rollout.by and rollout.by not in tags:
        return f"no `tags` policy that runs by then sets the tag {rollout.by!r}"
    return None
