"""From the text of a condition to a function of the request. Everything is checked here, nothing while it runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, tzinfo
from difflib import get_close_matches
from functools import reduce
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from proxy.exchange import Exchange
from proxy.expression.compare import Comparison, compare, compare_list
from proxy.expression.logic import Every, Logic, Some, negate, possible
from proxy.expression.tokens import ExpressionError, Token, place, tokens
from proxy.expression.values import GROUPS, OF_TIME, ROWS, Sources, Value, member_value, plain_value, time_value

MAX_DEPTH = 20  # parentheses and `not` within each other
_MAX_ITEMS = 100
_SHOWN = 60  # characters of a value that `explain` shows
_WORDS = ("and", "or", "not", "in", "like", "true", "false")
_COMPARE = ("==", "!=", "<", "<=", ">", ">=")
_LITERALS = ("text", "number", "time")

Test = Callable[[Exchange], bool]


class Condition(msgspec.Struct, frozen=True):
    """A compiled condition: ``test`` decides, ``logic`` is what is known of it ahead, ``looks`` what it looks at."""

    text: str
    test: Test
    logic: Logic
    looks: tuple[Value, ...]

    def seen(self, x: Exchange) -> str:
        """What it finds in this request, for people."""
        return ", ".join(f"{value.name} = {_shown(value, x)}" for value in self.looks)

    @property
    def known(self) -> dict[str, frozenset[str]]:
        """All that its texts can be, by name."""
        return {value.name: value.known for value in self.looks if value.known is not None}


def parse(text: str, sources: Sources) -> Condition:
    """The condition that ``text`` stands for.

    Raises:
        ExpressionError: what is wrong, where, and what was probably meant.
    """
    parser = _Parser(text, sources)
    test, logic = parser.whole()
    looks = {value.name: value for value in parser.looks}
    found = Condition(text, test, logic, tuple(looks.values()))
    if not possible([logic], found.known):
        raise ExpressionError("no request can meet this condition")
    if not possible([negate(logic)], found.known):
        raise ExpressionError("every request meets this condition; write `else`")
    return found


class _Parser:
    """Recursive descent over the words of one condition."""

    def __init__(self, text: str, sources: Sources) -> None:
        self._text = text
        self._sources = sources
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0
        self.looks: list[Value] = []

    def whole(self) -> tuple[Test, Logic]:
        """The whole text, and nothing after it."""
        found = self._either()
        if self._next.kind != "end":
            raise self._wrong("`and`, `or` or the end was expected here")
        return found

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *words: str) -> Token | None:
        """The next word, if it is one of these."""
        token = self._next
        if token.kind not in ("name", "sign") or token.text not in words:
            return None
        self._at += 1
        return token

    def _wrong(self, what: str, token: Token | None = None) -> ExpressionError:
        return ExpressionError(f"{place(self._text, (token or self._next).at)}: {what}")

    def _either(self) -> tuple[Test, Logic]:
        found = [self._both()]
        while self._take("or"):
            found.append(self._both())
        if len(found) == 1:
            return found[0]
        return reduce(_or, (test for test, _ in found)), Some(tuple(logic for _, logic in found))

    def _both(self) -> tuple[Test, Logic]:
        found = [self._single()]
        while self._take("and"):
            found.append(self._single())
        if len(found) == 1:
            return found[0]
        return reduce(_and, (test for test, _ in found)), Every(tuple(logic for _, logic in found))

    def _single(self) -> tuple[Test, Logic]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong(f"more than {MAX_DEPTH} levels within each other")
        try:
            if self._take("not"):
                test, logic = self._single()
                return _not(test), negate(logic)
            if self._take("("):
                found = self._either()
                if not self._take(")"):
                    raise self._wrong("`)` was expected here")
                return found
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> tuple[Test, Logic]:
        """One value alone, or operands with signs between them, and the zone of its times."""
        operands = [self._operand()]
        signs: list[Token] = []
        while (sign := self._sign()) is not None:
            signs.append(sign)
            operands.append(self._operand())
        zone = self._zone(operands)
        if not signs:
            return self._alone(operands[0], zone)
        found = [
            self._compared(left, sign, right, zone)
            for left, sign, right in zip(operands, signs, operands[1:], strict=False)
        ]
        if len(found) > 1 and not possible([one.logic for one in found], {}):
            hint = "; past midnight: `time >= 22:00 or time < 06:00`" if _is_time(operands) else ""
            raise self._wrong(f"nothing lies between these{hint}", operands[0][0])
        if len(found) == 1:
            return found[0].test, found[0].logic
        return reduce(_and, (one.test for one in found)), Every(tuple(one.logic for one in found))

    def _sign(self) -> Token | None:
        token = self._next
        if (found := self._take(*_COMPARE, "in", "like")) is not None:
            return found
        if token.text == "not" and self._tokens[self._at + 1].text in ("in", "like"):
            self._at += 2
            return token._replace(text=f"not {self._tokens[self._at - 1].text}")
        return None

    def _operand(self) -> list[Token]:
        """A literal, a list in brackets, or the name of a value with its member."""
        token = self._next
        if token.kind in _LITERALS or self._is_truth(token):
            self._at += 1
            return [token]
        if self._take("["):
            return self._list(token)
        if token.kind != "name" or token.text in _WORDS:
            raise self._wrong("a value, a text in quotes, a number or a time was expected here")
        self._at += 1
        group, dot, member = token.text.partition(".")
        if group in GROUPS and not dot:
            name = self._tokens[self._at + 1] if self._next.text == "[" else self._next
            if name.kind != "text" or self._tokens[self._at + 2].text != "]":
                raise self._wrong(f"write `{group}.name` or `{group}['name']`", token)
            self._at += 3
            member = name.value
        return [token._replace(text=group, value=member or None)]

    @staticmethod
    def _is_truth(token: Token) -> bool:
        return token.kind == "name" and token.text in ("true", "false")

    def _list(self, opening: Token) -> list[Token]:
        items: list[Token] = []
        while not self._take("]"):
            if items and not self._take(","):
                raise self._wrong("`,` or `]` was expected here")
            if self._next.kind not in _LITERALS:
                raise self._wrong("a list holds texts in quotes, numbers or times")
            items.append(self._next)
            self._at += 1
        if not items:
            raise self._wrong("an empty list has no meaning here", opening)
        if len(items) > _MAX_ITEMS:
            raise self._wrong(f"a list has at most {_MAX_ITEMS} entries", opening)
        return [opening, *items]

    def _zone(self, operands: list[list[Token]]) -> tzinfo:
        token = self._next
        if token.kind != "zone":
            return UTC
        if not any(operand[0].kind == "name" and operand[0].text in OF_TIME for operand in operands):
            raise self._wrong("only `time` and `weekday` have a zone")
        self._at += 1
        try:
            return UTC if token.text == "UTC" else ZoneInfo(token.text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise self._wrong(f"there is no time zone {token.text}", token) from None

    def _alone(self, operand: list[Token], zone: tzinfo) -> tuple[Test, Logic]:
        token = operand[0]
        if token.kind != "name" or self._is_truth(token):
            raise self._wrong("this is no condition; a value was expected here", token)
        value = self._value(token, zone)
        if value.type != "truth":
            raise self._wrong(f"`{value.name}` is a {value.type} and no condition; compare it", token)
        found = compare(value, "==", True, token, self._text)
        return found.test, found.logic

    def _compared(self, left: list[Token], sign: Token, right: list[Token], zone: tzinfo) -> Comparison:
        """One value and one literal, either way round."""
        is_list = sign.text.endswith(("in", "like"))
        names = [self._is_name(side[0]) for side in (left, right)]
        if all(names):
            raise self._wrong("two values cannot be compared with each other; one side has to be a literal", right[0])
        if not any(names):
            raise self._wrong("this compares two constants", left[0])
        if is_list and not names[0]:
            raise self._wrong(f"the value stands left of `{sign.text}`", left[0])
        name, other = (left[0], right) if names[0] else (right[0], left)
        value = self._value(name, zone)
        if other[0].text == "[":
            if not is_list:
                raise self._wrong(f"`{sign.text}` compares with one literal; for a list there is `in`", other[0])
            return compare_list(value, sign.text, other[1:], self._text)
        if is_list:
            if sign.text.endswith("in"):
                raise self._wrong("`in` needs a list such as ['a', 'b']", other[0])
            return compare_list(value, sign.text, other, self._text)
        literal = other[0].text == "true" if self._is_truth(other[0]) else other[0].value
        return compare(value, sign.text, literal, other[0], self._text, flipped=not names[0])

    def _is_name(self, token: Token) -> bool:
        return token.kind == "name" and not self._is_truth(token)

    def _value(self, token: Token, zone: tzinfo) -> Value:
        name, member = token.text, token.value
        try:
            if name in GROUPS:
                value = member_value(name, member or "", self._sources)
            elif name in OF_TIME:
                value = time_value(name, zone, self._sources)
            elif name in ROWS:
                value = plain_value(name, self._sources)
            else:
                raise ValueError(_unknown(name))
        except ValueError as error:
            raise self._wrong(str(error), token) from None
        self.looks.append(value)
        return value


def _unknown(name: str) -> str:
    known = [*ROWS, *OF_TIME, *GROUPS]
    near = get_close_matches(name, known, 1, 0.6)
    meant = f"; did you mean `{near[0]}`?" if near else f"; there are: {', '.join(known)}"
    return f"there is no value `{name}`{meant}"


def _is_time(operands: list[list[Token]]) -> bool:
    return any(operand[0].kind == "time" for operand in operands)


def _or(a: Test, b: Test) -> Test:
    return lambda x: a(x) or b(x)


def _and(a: Test, b: Test) -> Test:
    return lambda x: a(x) and b(x)


def _not(a: Test) -> Test:
    return lambda x: not a(x)


def _shown(value: Value, x: Exchange) -> str:
    found = value.read(x)
    if value.type == "time":
        return f"{found // 3600:02d}:{found // 60 % 60:02d}"
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, str):
        plain = re.sub(r"[^\x20-\x7e]", "?", found)
        return repr(plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN - 1]}…")
    return str(found)
