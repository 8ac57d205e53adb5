"""Reads a file of cases for `sluicegate test`, with the loader and the checks that the configuration has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path as File
from typing import Any

import msgspec

from proxy.config.document import Report
from proxy.config.load import load
from proxy.config.model import convert
from proxy.config.problem import Path, Problem, nearest, quote
from proxy.config.schema import TEST
from proxy.config.shape import check_shape
from proxy.config.syntax import EMPTY
from proxy.rehearsal.cases import NONE, Case, Expectation, Sent, Suite, steps


class Names(msgspec.Struct, frozen=True):
    """What the configuration has. ``pruned``: optional providers that were left out."""

    keys: Collection[str] = ()
    routes: Collection[str] = ()
    providers: Collection[str] = ()
    pruned: Collection[str] = ()


# What the configuration has with these environment variables; None if it cannot be compiled.
Look = Callable[[Mapping[str, str]], Names | None]


def read_cases(path: File, environ: Mapping[str, str], look: Look) -> tuple[Suite | None, tuple[Problem, ...]]:
    """The cases of a file, or what is wrong with it."""
    loaded = load(path, environ)
    if loaded.value is None or loaded.report is None:
        return None, tuple(_needed(problem) for problem in loaded.problems)
    value, report = loaded.value, loaded.report
    check_shape(value, report, TEST)
    if report.problems:
        return None, report.problems
    environment = value.get("environment", {})
    names = look(environment)
    check = _Check(report, names or Names())
    cases = [check.case(one, ("cases", at)) for at, one in enumerate(value["cases"])]
    if names is None:
        return None, ()  # its own problems are told by whoever looked
    if report.problems:
        return None, report.problems
    return Suite(file=str(path), environment=environment, cases=tuple(case for case in cases if case)), ()


def _needed(problem: Problem) -> Problem:
    """An empty file of cases lacks something else than an empty configuration."""
    if not problem.message.startswith(EMPTY):
        return problem
    return msgspec.structs.replace(problem, message=f"{EMPTY}; it needs at least `cases`")


class _Check:
    """Reads cases, and reports what the schema cannot say."""

    def __init__(self, report: Report, names: Names) -> None:
        self._report = report
        self._names = names
        self._seen: set[str] = set()

    def case(self, value: dict[str, Any], path: Path) -> Case | None:
        """One case; None where something is wrong with it."""
        name = value["name"]
        if name in self._seen:
            self._report.problem((*path, "name"), f"another case is called {quote(name)} too")
        self._seen.add(name)
        given, expect = value["given"], value["expect"]
        known = {key: part for key, part in given.items() if key != "before"}
        sent = self._sent(known, known, (*path, "given"))
        before = []
        for at, one in enumerate(given.get("before", ())):
            inherited = dict(known)
            if "key" in one or "secret" in one:
                inherited.pop("key", None)
                inherited.pop("secret", None)
            where: Path = (*path, "given", "before", at)
            earlier = self._sent(inherited | one, one, where)
            if sent and earlier and earlier.at is not None and (sent.at is None or earlier.at > sent.at):
                self._report.problem((*where, "at"), "what was sent before has a later time than the case itself")
            before.append(earlier)
        self._expectation(expect, (*path, "expect"))
        if sent is None or not self._report.sound(path):
            return None
        place = str(self._report.mark((*path, "name")))
        said = convert(expect, Expectation)
        return Case(name=name, place=place, given=sent, before=tuple(one for one in before if one), expect=said)

    def _sent(self, value: dict[str, Any], own: Collection[str], path: Path) -> Sent | None:
        """One request; ``own`` are the keys that stand here, and are not inherited."""
        if "request" in own:
            self._request(value["request"], (*path, "request"))
        if "key" in own and "secret" in own:
            self._report.problem((*path, "secret"), "`key` and `secret` together; use one of them", key=True)
        if "key" in own and value["key"] not in self._names.keys:
            self._unknown(value["key"], "key", self._names.keys, (*path, "key"))
        at = None
        if "at" in value:
            try:
                at = _seconds(value["at"])
            except ValueError:
                if "at" in own:
                    message = f"{quote(value['at'])} is not a time; write it like 2026-12-24T09:00Z"
                    self._report.problem((*path, "at"), message)
        upstream = {
            name: doing if isinstance(doing, list) else [doing] for name, doing in value.get("upstream", {}).items()
        }
        if "upstream" in own:
            self._upstream(value["upstream"], (*path, "upstream"))
        if not self._report.sound(path):
            return None
        return msgspec.structs.replace(convert(value | {"at": at, "upstream": upstream}, Sent), at=at)

    def _upstream(self, value: dict[str, Any], path: Path) -> None:
        for name, doing in value.items():
            self._provider(name, (*path, name), key=True)
            if isinstance(doing, list):
                for at, one in enumerate(doing):
                    self._behaviour(one, (*path, name, at))
            else:
                self._behaviour(doing, (*path, name))

    def _request(self, value: dict[str, Any], path: Path) -> None:
        if "body" in value and "messages" in value:
            self._report.problem((*path, "body"), "`body` and `messages` together; use one of them", key=True)
        elif isinstance(value.get("body"), str) and "model" in value:
            self._report.problem((*path, "model"), "a body that is text holds its model itself", key=True)
        elif not {"body", "model"} & value.keys() and value.get("method", "POST") == "POST":
            self._report.problem(path, "`model` is missing, or a whole `body`", key=True)

    def _behaviour(self, value: Any, path: Path) -> None:
        if not isinstance(value, dict):
            return
        answers, fails = {"text", "usage", "cut"} & value.keys(), {"message", "retry_after"} & value.keys()
        if "status" in value and answers:
            key = sorted(answers)[0]
            self._report.problem((*path, key), f"an error (`status`) has no `{key}`", key=True)
        elif "status" not in value and fails:
            key = sorted(fails)[0]
            self._report.problem((*path, key), f"`{key}` belongs to an error; name its `status`", key=True)

    def _expectation(self, value: dict[str, Any], path: Path) -> None:
        route = value.get("route", NONE)
        if route != NONE and route not in self._names.routes:
            self._unknown(route, "route", self._names.routes, (*path, "route"))
        if value.get("target", NONE) != NONE:
            self._provider(value["target"], (*path, "target"))
        for at, one in enumerate(value.get("attempts", ())):
            target = one if isinstance(one, str) else next(iter(one))
            self._provider(target, (*path, "attempts", at))
        for body in ("body", "answer"):
            for place in value.get(body, {}).get("at", {}):
                try:
                    steps(place)
                except ValueError as error:
                    self._report.problem((*path, body, "at", place), str(error), key=True)
        if "not" in value:
            self._expectation(value["not"], (*path, "not"))

    def _provider(self, target: str, path: Path, *, key: bool = False) -> None:
        """``provider`` or ``provider/model``; a model may be one that only callers know."""
        name = target.partition("/")[0]
        if name in self._names.pruned:
            message = f"the provider {quote(name)} is left out, as it is optional; `environment` can give what it lacks"
            self._report.problem(path, message, key=key)
        elif name not in self._names.providers:
            self._unknown(name, "provider", self._names.providers, path, key=key)

    def _unknown(self, name: str, noun: str, known: Iterable[str], path: Path, *, key: bool = False) -> None:
        suggestion = nearest(name, known)
        listed = "" if suggestion else _listed(known)
        self._report.problem(path, f"the configuration has no {noun} {quote(name)}{listed}", suggestion, key=key)


def _listed(known: Iterable[str]) -> str:
    words = sorted(known)
    return f"; known: {', '.join(words[:12])}{', …' if len(words) > 12 else ''}" if words else ""


def _seconds(text: str) -> float:
    """Since the epoch; a time without offset is UTC.

    Raises:
        ValueError: it is no time.
    """
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
