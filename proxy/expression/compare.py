"""One comparison: a value of the request with one literal, or with several."""

from __future__ import annotations

import fnmatch
import math
import operator
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec

from proxy.exchange import Exchange
from proxy.expression.logic import Atom, Logic, Some, Span, Words, negate
from proxy.expression.tokens import ExpressionError, Token, place
from proxy.expression.values import Value

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SUCH_AS = {"text": "a text in quotes", "number": "a number such as 100k", "time": "a time such as 08:00"}
_MAX_GLOB = 200  # characters
_MOST_STARS = 10


class Comparison(msgspec.Struct, frozen=True):
    """What decides, and what is known of it ahead."""

    test: Callable[[Exchange], bool]
    logic: Logic


def compare(value: Value, sign: str, literal: Any, token: Token, text: str, *, flipped: bool = False) -> Comparison:
    """``value sign literal``; ``flipped``: it was written the other way round.

    Raises:
        ExpressionError: the two cannot be compared so.
    """
    sign = _FLIPPED[sign] if flipped else sign
    _check_type(value, literal, token, text)
    read = value.read
    if sign in ("==", "!="):
        if value.type in ("text", "truth"):
            _check_known(value, literal, token, text)
            logic: Logic = Atom(value.name, Words(frozenset({literal})))
        else:
            logic = Atom(value.name, Span(literal, literal))
        if sign == "==":
            return Comparison(lambda x: read(x) == literal, logic)
        return Comparison(lambda x: read(x) != literal, negate(logic))
    if value.type not in ("number", "time"):
        wanted = "`==`, `!=`, `in` and `like`" if value.type == "text" else "`==` and `!=`"
        raise ExpressionError(f"{place(text, token.at)}: `{value.name}` is a {value.type}: it has {wanted}")
    return _ordered(value, sign, literal)


def _ordered(value: Value, sign: str, literal: float) -> Comparison:
    read, holds = value.read, _ORDER[sign]
    if sign in ("<", "<="):
        span = Span(0.0, literal, False, sign == "<")
    else:
        span = Span(literal, math.inf, sign == ">", False)
    return Comparison(lambda x: holds(read(x), literal), Atom(value.name, span))


def compare_list(value: Value, sign: str, items: Sequence[Token], text: str) -> Comparison:
    """``value in [...]`` or ``value like ...``, or not.

    Raises:
        ExpressionError: an item is of the wrong kind, or what the value cannot be.
    """
    for item in items:
        _check_type(value, item.value, item, text)
    found = (_like if sign.endswith("like") else _among)(value, items, text)
    if not sign.startswith("not"):
        return found
    test = found.test
    return Comparison(lambda x: not test(x), negate(found.logic))


def _among(value: Value, items: Sequence[Token], text: str) -> Comparison:
    read, wanted = value.read, frozenset(item.value for item in items)
    if value.type == "text":
        for item in items:
            _check_known(value, item.value, item, text)
        return Comparison(lambda x: read(x) in wanted, Atom(value.name, Words(wanted)))
    spans = tuple(Atom(value.name, Span(one, one)) for one in sorted(wanted))
    return Comparison(lambda x: read(x) in wanted, Some(spans))


def _like(value: Value, items: Sequence[Token], text: str) -> Comparison:
    if value.type != "text":
        raise ExpressionError(f"{place(text, items[0].at)}: `like` is for texts, not for `{value.name}`")
    for item in items:
        if len(item.value) > _MAX_GLOB or len(re.findall(r"\*", item.value)) > _MOST_STARS:
            most = f"at most {_MAX_GLOB} characters and {_MOST_STARS} `*`"
            raise ExpressionError(f"{place(text, item.at)}: a pattern has {most}")
        if not re.search(r"[*?]", item.value):
            raise ExpressionError(f"{place(text, item.at)}: without `*` or `?` write `==` for `like`")
    match = _matcher([item.value for item in items])
    read = value.read
    if value.known is not None:
        fitting = frozenset(word for word in value.known if match(word))
        if not fitting:
            raise ExpressionError(f"{place(text, items[0].at)}: `{value.name}` is never like this{_have(value)}")
        return Comparison(lambda x: match(read(x)), Atom(value.name, Words(fitting)))
    key = f"{value.name} like {sorted(item.value for item in items)}"
    return Comparison(lambda x: match(read(x)), Atom(key, Words(frozenset({True}))))


def _matcher(globs: Sequence[str]) -> Callable[[str], bool]:
    """Whether a text is like one of these, whole and case-sensitive.

    ``[`` is no sign of ours. fnmatch writes patterns that never go back: a long text costs no more than its length.
    """
    patterns = [re.compile(fnmatch.translate(glob.replace("[", "[[]"))).match for glob in globs]
    if len(patterns) == 1:
        (match,) = patterns
        return lambda found: match(found) is not None
    return lambda found: any(match(found) is not None for match in patterns)


def _check_type(value: Value, literal: Any, token: Token, text: str) -> None:
    kind = "truth" if isinstance(literal, bool) else token.kind
    if kind != value.type:
        wanted = _SUCH_AS.get(value.type, "true or false")
        raise ExpressionError(f"{place(text, token.at)}: `{value.name}` is compared with {wanted}")


def _check_known(value: Value, literal: Any, token: Token, text: str) -> None:
    if value.known is None or literal in value.known or isinstance(literal, bool):
        return
    near = get_close_matches(literal, value.known, 1, 0.6)
    meant = f"; did you mean {near[0]!r}?" if near else _have(value)
    raise ExpressionError(f"{place(text, token.at)}: `{value.name}` is never {literal!r}{meant}")


def _have(value: Value) -> str:
    words = sorted(word for word in value.known or () if word)
    return f"; it is one of: {', '.join(words[:12])}{', …' if len(words) > 12 else ''}" if words else ""
