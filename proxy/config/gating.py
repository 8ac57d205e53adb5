"""Compiles what stands beside a policy or a target and switches it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proxy.config.context import RouteContext
from proxy.config.document import Report
from proxy.config.flags import Marks, misses
from proxy.config.lists import Entry
from proxy.config.problem import Path, render_path
from proxy.expression.parse import Condition, parse
from proxy.expression.tokens import ExpressionError
from proxy.expression.values import Sources
from proxy.flags.flag import NAME, Flag, Flags
from proxy.flags.gates import TargetGate, gated
from proxy.flags.rollout import Rollout
from proxy.flags.switch import Switch
from proxy.flags.table import Place, Table
from proxy.policy import Policy, Target
from proxy.reports import NAME as REPORTS
from proxy.reports import Reports
from proxy.runtime import Lease


class Gating:
    """Of one file. ``table`` fills with the places of each flag."""

    def __init__(self, lease: Lease, report: Report) -> None:
        self._report = report
        self._flags: Flags = lease.get(NAME, Flags)
        self._reports: Reports = lease.get(REPORTS, Reports)
        self.table: Table = Table(self._flags)

    def policy(self, policy: Policy, entry: Entry, before: list[Entry], context: RouteContext) -> Policy:
        """``policy``, for the requests for which it is on. ``before``: the entries that run earlier."""
        known = tags_of(before, self._report)
        has_callers = any(other.name == "authenticate" for other in before)
        for marks in reversed(entry.marks):
            switch = self._switch(marks, entry.name, context, known, has_callers=has_callers)
            if switch is not None:
                policy = gated(policy, switch, context.slot())
        return policy

    def target(self, target: Target, marks: Marks, context: RouteContext, entries: list[Entry]) -> Target:
        """``target``, for the requests for which it is on. ``entries``: the policies of its route."""
        known = tags_of(entries, self._report)
        has_callers = any(entry.name == "authenticate" for entry in entries)
        switch = self._switch(marks, ", ".join(target.leaves()), context, known, has_callers=has_callers)
        return target if switch is None else TargetGate(target, switch)

    def _switch(
        self, marks: Marks, what: str, context: RouteContext, tags: frozenset[str], *, has_callers: bool
    ) -> Switch | None:
        """None where it is on for everybody for good, or something is wrong."""
        values = marks.values
        if not all(self._report.sound((*marks.path, mark)) for mark in values):
            return None
        enabled = self._enabled(values.get("enabled", True), marks.path, context, tags)
        rollout = Rollout.parse(values["rollout"]) if "rollout" in values else Rollout()
        missing = misses(rollout, tags, has_callers=has_callers)
        if missing is not None:
            self._report.problem((*marks.path, "rollout"), missing)
            return None
        flag: Flag | None = None
        if "flag" in values:
            flag = self._flags.of(values["flag"])
            self.table.add(flag.name, _place(values, marks.path, context.route, what))
        elif enabled is True and rollout.share == 1.0:
            return None
        label = what if flag is None else flag.name
        return Switch(label, enabled=enabled, rollout=rollout, flag=flag, tell=self._tell)

    def _enabled(self, value: bool | str, path: Path, context: RouteContext, tags: frozenset[str]) -> bool | Condition:
        if isinstance(value, bool):
            return value
        sources = Sources(context.needs, context.now, tuple(context.identities().values()), tags)
        try:
            return parse(value, sources)
        except ExpressionError as error:
            self._report.problem((*path, "enabled"), str(error).replace("write `else`", "write `true`"))
            return True

    def _tell(self, label: str, is_on: bool) -> None:
        self._reports.tell("flag.decided", flag=label, on=is_on)


def _place(values: Mapping[str, Any], path: Path, route: str, what: str) -> Place:
    return Place(route, render_path(path), what, values.get("enabled", True), values.get("rollout"))


def tags_of(entries: list[Entry], report: Report) -> frozenset[str]:
    """Every tag that the ``tags`` policies among ``entries`` may set, or that comes with a token."""
    found: set[str] = set()
    for entry in entries:
        if entry.name == "tags" and isinstance(entry.settings, dict) and report.sound(entry.path):
            for group in entry.settings.values():
                found.update(group)
        elif entry.name == "authenticate" and isinstance(entry.settings, dict) and report.sound(entry.path):
            issuers = entry.settings.get("jwt", [])
            for issuer in [issuers] if isinstance(issuers, dict) else issuers:
                found.update(issuer["claims"].get("tags", ()))
    return frozenset(found)
