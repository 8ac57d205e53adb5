"""The lists of policies: those of the routes, and the named ones that they use."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from proxy.config.document import Report
from proxy.config.flags import MARKS, Marks, check_marks, check_policy_marks, marks_of
from proxy.config.problem import Path, nearest, quote, render_path

# Of one route. Lists that use each other grow fast.
MAX_POLICIES = 100


class Entry(NamedTuple):
    """One policy of a list: its name, its settings (None: it stands there by its bare name) and where it stands.

    ``marks``: what switches it, of each list that it came with and of its own, outermost first.
    """

    name: str
    settings: Any
    path: Path
    marks: tuple[Marks, ...] = ()

    @property
    def item(self) -> Path:
        """The item of the list: a map with one key, or the bare name itself."""
        return self.path if isinstance(self.path[-1], int) else self.path[:-1]


class Lists:
    """The named lists of one file."""

    def __init__(self, named: dict[str, Any], report: Report) -> None:
        self._named = {name: entries if isinstance(entries, list) else [] for name, entries in named.items()}
        self._report = report
        self.used: set[str] = set()  # by a route or another list, or seemingly meant by one

    def check(self) -> None:
        """Report lists that name what is not there, or themselves."""
        for name, entries in self._named.items():
            self.check_uses(entries, ("policies", name))
            self._check_circle(name, (), set())

    def check_uses(self, entries: Any, path: Path) -> None:
        """Report every ``use`` in ``entries`` that leads nowhere."""
        for at, used in _uses(entries):
            if not self._report.sound((*path, at)):
                continue
            meant = used
            if used not in self._named:
                suggestion = nearest(used, self._named)
                have = f"; there are: {', '.join(self._named)}" if self._named else "; the file has no `policies`"
                listed = have if suggestion is None else ""
                self._report.problem((*path, at, "use"), f"there is no list {quote(used)}{listed}", suggestion)
                meant = suggestion or used
            if path != ("policies", meant):
                self.used.add(meant)

    def _check_circle(self, name: str, above: tuple[str, ...], seen: set[str]) -> None:
        """Report the entry that closes a circle, once: seen from the list whose name comes first."""
        chain = (*above, name)
        seen.add(name)
        for at, used in _uses(self._named[name]):
            if used == chain[0] and used == min(chain):
                circle = " → ".join((*chain, used))
                self._report.problem(("policies", name, at, "use"), f"the list uses itself: {circle}")
            elif used in self._named and used not in seen:
                self._check_circle(used, chain, seen)

    def expand(self, entries: Any, path: Path) -> list[Entry]:
        """Every policy of a list in order, named lists written out. A broken entry still gives its name."""
        found = list(islice(self._expand(entries, path, (), ()), MAX_POLICIES + 1))
        if len(found) > MAX_POLICIES:
            message = f"more than {MAX_POLICIES} policies, when the lists that are used are written out"
            self._report.problem(path, message)
        return found[:MAX_POLICIES]

    def _expand(self, entries: Any, path: Path, within: tuple[str, ...], above: tuple[Marks, ...]) -> Iterator[Entry]:
        for at, entry in enumerate(entries if isinstance(entries, list) else ()):
            where = (*path, at)
            if isinstance(entry, str):
                yield Entry(entry, None, where, above)
            elif isinstance(entry, dict):
                marks = above + marks_of(entry, where)
                for name, settings in entry.items():
                    if name in MARKS:
                        continue
                    if name != "use":
                        yield Entry(name, settings, (*where, name), marks)
                    elif isinstance(settings, str) and settings in self._named and settings not in within:
                        named = self._named[settings]
                        yield from self._expand(named, ("policies", settings), (*within, settings), marks)


def _uses(entries: Any) -> Iterator[tuple[int, str]]:
    """Index and name of every ``use``."""
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        used = entry.get("use") if isinstance(entry, dict) else None
        if isinstance(used, str):
            yield at, used


def check_order(entries: list[Entry], report: Report) -> None:
    """Report policies that run twice, and what would run before the caller is known."""
    for at, entry in enumerate(entries):
        before = entries[:at]
        check_policy_marks(entry.name, entry.marks, report)
        twin = next((other for other in before if _is_twin(other, entry)), None)
        if twin is not None and report.sound(entry.path):
            where = "as its list is used twice" if twin.path == entry.path else f"at {render_path(twin.path)}"
            message = f"`{entry.name}` with the same settings runs already in this route, {where}"
            report.problem(entry.path, message, key=True)
        elif entry.name == "queue" and any(other.name == "queue" for other in before):
            report.problem(entry.path, "a route has one line, and another `queue` stands before this one", key=True)
        elif entry.name == "authenticate" and before:
            first = ", ".join(dict.fromkeys(f"`{other.name}`" for other in before))
            message = f"`authenticate` must come first in a route; {first} would run while the caller is not yet known"
            report.problem(entry.path, message, key=True)


def _is_twin(one: Entry, other: Entry) -> bool:
    """Whether they do the same for the same requests."""
    values = [[dict(marks.values) for marks in entry.marks] for entry in (one, other)]
    return one.name == other.name and (one.settings or {}) == (other.settings or {}) and values[0] == values[1]


def check_lists_marks(entries: Any, path: Path, report: Report) -> None:
    """Report what is wrong with the switches of one list, as it is written."""
    for at, entry in enumerate(entries if isinstance(entries, list) else ()):
        for marks in marks_of(entry, (*path, at)) if isinstance(entry, dict) else ():
            check_marks(marks, report)
