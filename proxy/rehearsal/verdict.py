"""Whether what became of a request is what was expected of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from proxy.ledger.shown import decimal
from proxy.rehearsal.cases import NONE, Expectation, Text, Texts, steps, texts
from proxy.rehearsal.play import Got

_SHOWN = 200  # characters of what was got
_ABSENT = object()


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at; ``expected`` and ``got`` are for people."""

    what: str
    expected: str
    got: str
    holds: bool


def judge(expect: Expectation, got: Got) -> list[Finding]:
    """What is not as expected; nothing if all is."""
    wrong = [one for one in _look(expect, got) if not one.holds]
    if expect.forbidden is not None:
        met = (one for one in _look(expect.forbidden, got) if one.holds)
        wrong += [msgspec.structs.replace(one, expected=f"not {one.expected}", holds=False) for one in met]
        wrong += judge(expect.forbidden, got) if expect.forbidden.forbidden is not None else []
    return wrong


def _look(expect: Expectation, got: Got) -> Iterator[Finding]:
    """Everything that is named, one by one."""
    for what, wanted, found in (
        ("route", expect.route, got.route),
        ("target", expect.target, got.target),
        ("refusal", expect.refusal, got.code),
        ("refused_by", expect.refused_by, got.refused_by),
        ("degraded", expect.degraded, got.degraded),
    ):
        if wanted is not None:
            yield _equal(what, wanted, found or NONE)
    if expect.status is not None:
        yield _equal("status", expect.status, got.status)
    if expect.cost is not None:
        yield _equal("cost", f"${decimal(expect.cost)}", f"${decimal(got.cost)}")
    if expect.policies is not None:
        yield _equal("policies", list(expect.policies), list(got.policies))
    if expect.dropped is not None:
        yield _equal("dropped", sorted(expect.dropped), sorted(got.dropped))
    if expect.attempts is not None:
        yield _attempts(expect.attempts, got)
    for part in texts(expect.message):
        yield Finding("message", f"contains {_quoted(part)}", _cut(got.message) or NONE, part in got.message)
    for name, pattern in expect.headers.items():
        yield _header(name, pattern, got)
    yield from _text("body", expect.body, got.sent)
    yield from _text("answer", expect.answer, got.answer)


def _equal(what: str, wanted: Any, found: Any) -> Finding:
    return Finding(what, _shown(wanted), _shown(found), wanted == found)


def _attempts(wanted: tuple[str | dict[str, str], ...], got: Got) -> Finding:
    """Targets in their order; reasons where they are named."""
    pairs = [(one, None) if isinstance(one, str) else next(iter(one.items())) for one in wanted]
    holds = len(pairs) == len(got.attempts) and all(
        target == asked and reason in (None, came)
        for (target, reason), (asked, came) in zip(pairs, got.attempts, strict=True)
    )
    listed = [target if reason is None else f"{target}: {reason}" for target, reason in pairs]
    return Finding("attempts", _list(listed), _list([f"{asked}: {came}" for asked, came in got.attempts]), holds)


def _header(name: str, pattern: str, got: Got) -> Finding:
    found = [value for key, value in got.headers if key == name.lower()]
    holds = any(fnmatchcase(value, pattern) for value in found)
    return Finding(f"headers.{name}", pattern, _cut(", ".join(found)) if found else NONE, holds)


def _text(what: str, wanted: Text | None, found: bytes | None) -> Iterator[Finding]:
    """What holds of a body. Texts are looked for in its JSON as it is written, and in what its strings say."""
    if wanted is None:
        return
    read = _read(found)
    said = "" if found is None else f"{found.decode('utf-8', 'replace')}\n{_strings(read)}"
    shown = NONE if found is None else _cut(found.decode("utf-8", "replace"))
    yield from _parts(what, wanted.contains, said, shown, is_wanted=True)
    yield from _parts(what, wanted.lacks, said, shown, is_wanted=False)
    for path, value in wanted.at.items():
        there = _at(read, path)
        yield Finding(
            f"{what} at {path}", _shown(value), NONE if there is _ABSENT else _cut(_shown(there)), value == there
        )


def _parts(what: str, wanted: Texts, said: str, shown: str, *, is_wanted: bool) -> Iterator[Finding]:
    for part in texts(wanted):
        verb = "contains" if is_wanted else "lacks"
        yield Finding(what, f"{verb} {_quoted(part)}", shown, (part in said) is is_wanted)


def _read(found: bytes | None) -> Any:
    """As JSON; None where it is none."""
    try:
        return None if found is None else msgspec.json.decode(found)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _strings(value: Any) -> str:
    """All texts of a value, without what JSON does to them."""
    if isinstance(value, str):
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return "\n".join(filter(None, map(_strings, inner)))


def _at(value: Any, path: str) -> Any:
    for step in steps(path):
        try:
            value = value[step]
        except (LookupError, TypeError):
            return _ABSENT
    return value


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return _list(value)
    return json.dumps(value, ensure_ascii=False)


def _list(words: list[str]) -> str:
    return f"[{', '.join(words)}]"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
