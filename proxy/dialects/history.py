"""The messages of a request as they stand in its bytes: which belong together, and what may go when there are too many.

What a model has called and what came of that are one unit, which stays or goes as a whole. The system prompt stays
wherever it stands.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import msgspec

from proxy.dialects.members import Members, apply
from proxy.dialects.spans import Span, items
from proxy.targets.needs import estimate

LISTS = {
    "openai_chat": ("messages",),
    "openai_responses": ("input",),
    "anthropic_messages": ("messages",),
    "gemini": ("contents",),
}
_DATA = re.compile(rb"[A-Za-z0-9+/_-]{1024,}={0,2}")  # a piece of base64
_WITHOUT_DATA = b"(data)"
_DATA_TOKENS = 800  # about what a picture of usual size costs
Kind = Literal["system", "user", "model", "result"]


class Item(NamedTuple):
    """One message: where it stands, whose it is, the ids of calls in it, and of calls whose results it holds."""

    span: Span
    kind: Kind
    calls: frozenset[str] = frozenset()
    results: frozenset[str] = frozenset()


class Step(NamedTuple):
    """What goes at once: indexes of messages, about how many tokens they have, and the SHA-256 of their text."""

    items: tuple[int, ...]
    tokens: int
    digest: bytes


class _Unit:
    __slots__ = ("is_user", "items")

    def __init__(self, index: int, *, is_user: bool) -> None:
        self.is_user = is_user
        self.items = [index]


class History:
    """The messages of one request."""

    __slots__ = ("_body", "_dialect", "_list", "items", "steps")

    def __init__(self, body: bytes, dialect: str) -> None:
        """Take them apart.

        Raises:
            ValueError: they are there twice, or cannot be read.
        """
        self._body = body
        self._dialect = dialect
        found = [member for member in Members(body).found if member.name in LISTS[dialect]]
        if len(found) > 1:
            raise ValueError(f"{found[0].name!r} is there twice")
        self._list = found[0].value if found else (0, 0)
        is_list = body[self._list[0] : self._list[0] + 1] == b"["
        read = _READERS[dialect]
        self.items: list[Item] = []
        for span in items(body, self._list[0]) if is_list else []:
            self.items.append(_item(body[slice(*span)], span, read))
        self.steps = tuple(map(self._step, _steps(_units(self.items))))

    def text(self, indexes: tuple[int, ...]) -> bytes:
        """These messages as they stand, one a line, without pictures and other data."""
        return b"\n".join(_DATA.sub(_WITHOUT_DATA, self._body[slice(*self.items[index].span)]) for index in indexes)

    def _step(self, indexes: tuple[int, ...]) -> Step:
        text = self.text(indexes)
        tokens = estimate(text.decode("utf-8", "replace")) + text.count(_WITHOUT_DATA) * _DATA_TOKENS
        return Step(indexes, max(1, tokens), hashlib.sha256(text).digest())

    def without(self, indexes: tuple[int, ...], summary: str | None = None) -> bytes:
        """The body without these messages; in place of the first of them ``summary``, as a word of the user's."""
        gone = set(indexes)
        first = min(gone)
        edits = []
        for index in sorted(gone):
            start, end = self.items[index].span
            if index == first and summary is not None:
                edits.append((start, end, _said(self._dialect, "user", summary)))
            else:  # with the comma behind it: the last message never goes
                edits.append((start, self.items[index + 1].span[0], b""))
        return apply(self._body, edits)

    def with_more(self, answer: str, complaint: str) -> bytes:
        """The body with two more messages: what the model has answered, and what is to be said to that.

        Raises:
            ValueError: there is nothing to which they could be added.
        """
        model = "model" if self._dialect == "gemini" else "assistant"
        more = b",".join((_said(self._dialect, model, answer), _said(self._dialect, "user", complaint)))
        start, end = self._list
        if self._body[start : start + 1] == b'"':  # a text alone
            asked = msgspec.json.decode(self._body[start:end])
            return apply(self._body, [(start, end, b"[%b,%b]" % (_said(self._dialect, "user", asked), more))])
        if not self.items:
            raise ValueError("the request has no messages")
        at = self.items[-1].span[1]
        return apply(self._body, [(at, at, b"," + more)])


def _said(dialect: str, role: str, text: str) -> bytes:
    said = {"parts": [{"text": text}]} if dialect == "gemini" else {"content": text}
    return msgspec.json.encode({"role": role, **said})


def _units(found: list[Item]) -> list[_Unit]:
    """What belongs together, in order."""
    units: list[_Unit] = []
    for index, item in enumerate(found):
        last = units[-1] if units else None
        if item.kind == "system":
            continue
        if item.kind == "user" or last is None or (last.is_user and item.kind == "model"):
            units.append(_Unit(index, is_user=item.kind == "user"))
        elif item.kind == "model" and found[last.items[-1]].kind == "result":
            units.append(_Unit(index, is_user=False))
        else:
            last.items.append(index)
        if item.results:
            _join(units, found, item.results)
    return units


def _join(units: list[_Unit], found: list[Item], results: frozenset[str]) -> None:
    """Results in the last unit may be those of calls in an earlier one: everything between becomes one unit."""
    missing = results - {call for index in units[-1].items for call in found[index].calls}
    for at in range(len(units) - 2, -1, -1):
        if not missing:
            return
        if missing & {call for index in units[at].items for call in found[index].calls}:
            units[at].items = [index for unit in units[at:] for index in unit.items]
            del units[at + 1 :]
            return


def _steps(units: list[_Unit]) -> list[tuple[int, ...]]:
    """In the order in which they go: old turns as a whole, the oldest first; then, of the turn that goes on, what the
    model did in it, but for the last. What the user has asked in it stays."""
    begins = [at for at, unit in enumerate(units) if unit.is_user and (at == 0 or not units[at - 1].is_user)]
    if units and (not begins or begins[0]):
        begins.insert(0, 0)
    steps = [tuple(index for unit in units[start:end] for index in unit.items) for start, end in pairwise(begins)]
    last = [unit for unit in units[begins[-1] :] if not unit.is_user] if begins else []
    return steps + [tuple(unit.items) for unit in last[:-1]]


# What an item says of itself, by dialect.

_Said = tuple[Kind, set[Any], set[Any]]  # whose it is, calls, results
_ITEM = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SHALLOW = frozenset({"role", "type", "tool_calls", "tool_call_id", "function_call", "name", "call_id", "id"})
_SYSTEM = frozenset({"system", "developer"})


def _item(raw: bytes, span: Span, read: Callable[[dict[str, Any]], _Said]) -> Item:
    try:
        told = _ITEM.decode(raw)
        said = {
            name: msgspec.json.decode(value)
            for name, value in told.items()
            if name in _SHALLOW or (name in ("content", "parts") and bytes(value).startswith(b"["))
        }
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"a message cannot be read: {error}") from None
    kind, calls, results = read(said)
    return Item(span, kind, _ids(calls), _ids(results))


def _ids(found: set[Any]) -> frozenset[str]:
    return frozenset(one for one in found if isinstance(one, str))


def _blocks(said: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = said.get(name)
    return [block for block in found if isinstance(block, dict)] if isinstance(found, list) else []


def _word(value: Any) -> str:
    """Only texts name anything; a list as an id could not even be looked up."""
    return value if isinstance(value, str) else ""


def _of_chat(said: dict[str, Any]) -> _Said:
    role = _word(said.get("role"))
    if role in ("tool", "function"):
        return "result", set(), {_word(said.get("tool_call_id")) or _word(said.get("name"))}
    if role == "assistant":
        older = said.get("function_call")
        calls = {_word(call.get("id")) for call in _blocks(said, "tool_calls")}
        return "model", calls | ({_word(older.get("name"))} if isinstance(older, dict) else set()), set()
    return ("system" if role in _SYSTEM else "user"), set(), set()


def _of_responses(said: dict[str, Any]) -> _Said:
    kind, role, call = _word(said.get("type")) or "message", _word(said.get("role")), _word(said.get("call_id"))
    if kind == "message":
        whose: Kind = "system" if role in _SYSTEM else "model" if role == "assistant" else "user"
        return whose, set(), set()
    if kind.endswith("_output") or kind == "mcp_approval_response":
        return "result", set(), {call}
    return "model", {call or _word(said.get("id"))}, set()


def _of_anthropic(said: dict[str, Any]) -> _Said:
    blocks = _blocks(said, "content")
    if _word(said.get("role")) == "assistant":
        return "model", {_word(block.get("id")) for block in blocks if _word(block.get("type")) == "tool_use"}, set()
    results = {_word(block.get("tool_use_id")) for block in blocks if _word(block.get("type")) == "tool_result"}
    kind: Kind = "result" if results else "system" if _word(said.get("role")) in _SYSTEM else "user"
    return kind, set(), results


def _of_gemini(said: dict[str, Any]) -> _Said:
    parts = _blocks(said, "parts")
    if _word(said.get("role")) == "model":
        return "model", _called(parts, "functionCall", "function_call"), set()
    results = _called(parts, "functionResponse", "function_response")
    return ("result" if results else "user"), set(), results


def _called(parts: list[dict[str, Any]], *names: str) -> set[str]:
    found = [part[name] for part in parts for name in names if isinstance(part.get(name), dict)]
    return {_word(one.get("id")) or _word(one.get("name")) for one in found}


_READERS: dict[str, Callable[[dict[str, Any]], _Said]] = {
    "openai_chat": _of_chat,
    "openai_responses": _of_responses,
    "anthropic_messages": _of_anthropic,
    "gemini": _of_gemini,
}
